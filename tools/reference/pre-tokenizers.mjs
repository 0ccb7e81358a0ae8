// Where llama.cpp cuts texts for every name that tokenizer.ggml.pre may have.
// In a folder with node-llama-cpp installed: node pre-tokenizers.mjs ../../tests/Polymath.Golden/Data NAME...
// Each rule gets a vocabulary whose merges cross every border (crossing-bpe.json), so that the ids show each cut.
// Writes pre-tokenizers.json: name -> one hash for every hundred of 2,000 texts (hard-texts.mjs). With IDS=file the ids too.
import {mkdtempSync, readFileSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";
import {hardTexts, hashes} from "./hard-texts.mjs";

const [target, ...names] = process.argv.slice(2);
const crossing = JSON.parse(readFileSync(process.env.CROSSING ?? join(target, "crossing-bpe.json"), "utf8"));
const texts = hardTexts(2000);

function ggufOf(pre) {
    const parts = [];
    const u32 = (v) => parts.push(Buffer.from(Uint32Array.of(v).buffer));
    const u64 = (v) => parts.push(Buffer.from(BigUint64Array.of(BigInt(v)).buffer));
    const text = (s) => { const b = Buffer.from(s, "utf8"); u64(b.length); parts.push(b); };
    const array = (name, type, values, write) => { text(name); u32(9); u32(type); u64(values.length); values.forEach(write); };
    const tokens = [...crossing.tokens, "<|the end|>"];
    parts.push(Buffer.from("GGUF")); u32(3); u64(0); u64(8);
    text("general.architecture"); u32(8); text("llama");
    text("tokenizer.ggml.model"); u32(8); text("gpt2");
    text("tokenizer.ggml.pre"); u32(8); text(pre);
    array("tokenizer.ggml.tokens", 8, tokens, text);
    array("tokenizer.ggml.token_type", 5, tokens, (t) => u32(t === "<|the end|>" ? 3 : 1));
    array("tokenizer.ggml.merges", 8, crossing.merges, text);
    text("tokenizer.ggml.bos_token_id"); u32(4); u32(tokens.length - 1);
    text("tokenizer.ggml.eos_token_id"); u32(4); u32(tokens.length - 1);
    const path = join(mkdtempSync(join(tmpdir(), "vocabulary-")), pre + ".gguf");
    writeFileSync(path, Buffer.concat(parts));
    return path;
}

const llama = await getLlama({build: "never", gpu: false, logLevel: LlamaLogLevel.error, maxThreads: 1});
const result = {};
const ids = {};
for (const name of names) {
    const model = await llama.loadModel({modelPath: ggufOf(name), vocabOnly: true});
    ids[name] = texts.map((text) => [...model.tokenize(text, false)]);
    result[name] = hashes(ids[name]);
    await model.dispose();
    console.log(name);
}

writeFileSync(join(target, "pre-tokenizers.json"), JSON.stringify(result).replaceAll("],", "],\n") + "\n");
if (process.env.IDS) writeFileSync(process.env.IDS, JSON.stringify(ids));
process.exit(0);
