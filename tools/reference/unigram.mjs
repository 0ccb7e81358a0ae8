// A small unigram vocabulary as tokenizer.json, with the steps that T5 and XLM-R have: node unigram.mjs FILE
// Its pieces are parts of the hard texts, so that each text can be written in many ways.
import {writeFileSync} from "node:fs";
import {hardTexts} from "./hard-texts.mjs";

const counts = new Map();
for (const text of hardTexts(400)) {
    const runes = [..."▁" + text.replaceAll(" ", "▁")];
    for (let n = 1; n <= 6; n++) {
        for (let i = 0; i + n <= runes.length; i++) {
            const part = runes.slice(i, i + n).join("");
            if (!/[\u0000\ufffd\u200d]|<\/s>|<unk>|<pad>/.test(part)) counts.set(part, (counts.get(part) ?? 0) + n);
        }
    }
}

const pieces = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 1200);
const total = pieces.reduce((sum, piece) => sum + piece[1], 0);
const special = ["<pad>", "</s>", "<unk>"];
writeFileSync(process.argv[2], JSON.stringify({
    version: "1.0", truncation: null, padding: null,
    added_tokens: special.map((content, id) => ({id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true})),
    normalizer: {type: "Sequence", normalizers: [{type: "Nmt"}, {type: "NFKC"}, {type: "Replace", pattern: {Regex: " {2,}"}, content: " "}]},
    pre_tokenizer: {type: "Sequence", pretokenizers: [{type: "WhitespaceSplit"}, {type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true}]},
    post_processor: {type: "TemplateProcessing", single: [{Sequence: {id: "A", type_id: 0}}, {SpecialToken: {id: "</s>", type_id: 0}}],
        pair: [{Sequence: {id: "A", type_id: 0}}, {Sequence: {id: "B", type_id: 0}}], special_tokens: {"</s>": {id: "</s>", ids: [1], tokens: ["</s>"]}}},
    decoder: {type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true},
    model: {type: "Unigram", unk_id: 2, vocab: [...special.map((text) => [text, 0]),
        ...pieces.map(([text, count]) => [text, Math.round(Math.log(count / total) * 1e4) / 1e4])], byte_fallback: false},
}) + "\n");
