// What @huggingface/jinja makes of chat templates and of small snippets.
// In a folder with @huggingface/jinja 0.5.11 installed: node templates.mjs FOLDER_OF_TEMPLATES ../../tests/Polymath.Golden/Data
// Writes chat-templates.json {cases: {name: variables}, templates: {name: [a hash for every case, "" where it fails]}} and
// template-snippets.json {variables, snippets: [[source, text or null where it fails], …]}. With TEXTS=folder the texts too.
import {createHash} from "node:crypto";
import {readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {Template} from "@huggingface/jinja";
import {cases, snippets, variables} from "./template-cases.mjs";

process.env.TZ = "UTC";
const RealDate = Date;
globalThis.Date = class extends RealDate {
    constructor(...given) { given.length > 0 ? super(...given) : super("2025-03-07T09:05:04Z"); }
};

function render(source, values) {
    try {
        return new Template(source).render(JSON.parse(JSON.stringify(values)));
    } catch {
        return null;
    }
}

const [folder, target] = process.argv.slice(2);
const hash = (text) => text === null ? "" : createHash("sha256").update(text, "utf8").digest("hex").slice(0, 12);
const templates = {};
let failed = 0, made = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".jinja")).sort()) {
    const source = readFileSync(join(folder, file), "utf8");
    const texts = Object.values(cases).map((values) => render(source, values));
    failed += texts.filter((text) => text === null).length;
    made += texts.filter((text) => text !== null).length;
    templates[file] = texts.map(hash);
    if (process.env.TEXTS)
        writeFileSync(join(process.env.TEXTS, file + ".json"), JSON.stringify(texts));
}

const golden = snippets.map((source) => [source, render(source, variables)]);
writeFileSync(join(target, "chat-templates.json"), JSON.stringify({cases, templates}) + "\n");
writeFileSync(join(target, "template-snippets.json"), JSON.stringify({variables, snippets: golden}) + "\n");
console.log(`${Object.keys(templates).length} templates, ${Object.keys(cases).length} cases: ${made} texts, ${failed} refusals`);
console.log(`${golden.length} snippets, ${golden.filter(([, text]) => text === null).length} refused`);
if (process.env.SHOW)
    for (const [source, text] of golden.filter(([, text]) => text === null))
        console.log(JSON.stringify(source));
