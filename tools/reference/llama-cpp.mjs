// Golden values from llama.cpp, through the prebuilt library of npm.
//
//   npm i --ignore-scripts --omit=optional node-llama-cpp @node-llama-cpp/linux-x64
//   node llama-cpp.mjs MODEL.gguf TEXTS.json [COUNT] > golden.json
//
// TEXTS.json holds an array of strings. For each the result holds the ids (with the begin token where the model adds
// one) and COUNT greedy ids (default 0). A development tool: no test needs it.
import {readFileSync} from "node:fs";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [path, texts, count = "0"] = process.argv.slice(2);
const llama = await getLlama({build: "never", gpu: false, logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: path, vocabOnly: count === "0"});
const begin = model.tokens.shouldPrependBosToken ? [model.tokens.bos] : [];
const cases = [];
for (const text of JSON.parse(readFileSync(texts, "utf8"))) {
    const ids = [...begin, ...model.tokenize(text, false)];
    const greedy = [];
    if (count !== "0" && ids.length > 0) {
        const context = await model.createContext({contextSize: 512, sequences: 1, threads: 1});
        const sequence = context.getSequence();
        for await (const id of sequence.evaluate(ids, {temperature: 0, yieldEogToken: true})) {
            greedy.push(id);
            if (greedy.length >= Number(count) || model.isEogToken(id)) break;
        }
        await context.dispose();
    }
    cases.push({text, ids, greedy});
}
console.log(JSON.stringify({engine: "llama.cpp (node-llama-cpp)", cases}));
process.exit(0);
