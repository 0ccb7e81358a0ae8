// Golden ids of hard texts, from llama.cpp and from Hugging Face's tokenizers.
//
//   npm i --ignore-scripts --omit=optional node-llama-cpp @node-llama-cpp/linux-x64 @anush008/tokenizers
//   node tokenizers.mjs ../../../shared/data ../../tests/Polymath.Golden/Data
//
// Writes three files:
//   hard-texts.json       the texts, made here
//   crossing-bpe.json     a small byte-level BPE model (vocab and merges), learnt here from the texts without cutting them
//                         into pieces: its ids show every cut that a pre-tokenizer makes
//   tokenizer-ids.json    for each engine and vocabulary the ids of all texts, without begin and end tokens
// A development tool: no test needs it.
import {mkdtempSync, readFileSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {Tokenizer} from "@anush008/tokenizers";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [shared, target] = process.argv.slice(2);

// ---- texts

function randomSource(seed) {
    return (below) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return Math.floor((seed / 2 ** 32) * below);
    };
}

const fixed = [
    "Hello, world!", " leading", "trailing ", "  two  spaces  ", "\ttab\tbed", "line\nbreak", "CR\r\nLF\r\n\r\nend", "\r", "\n", " ", "  ",
    "   \n   \n", " \t \n", "\n\n\n", "a\n b\n  c\n", "x  \n", "\u00a0no-break\u00a0space", "\u3000wide\u3000space\u3000", "\u2028sep\u2029",
    "\u0085next", "a\u0000b", "\u0001\u0002\u001b[31mred\u001b[0m", "\u007f", "\u0080\u009f", "\ufeffmark", "\u200bzero\u200dwidth",
    "I'm you're he's she'd we'll they've don't", "I'M YOU'RE HE'S SHE'D WE'LL THEY'VE", "'s 't 're 've 'm 'll 'd", "''s'' 'S 'Re", "'", "''", "'x",
    "1 12 123 1234 12345 1234567890", "3.14159e-10", "0x7fFF", "x1y22z333", "٣٤٥ ३४५ ①②③ ⅷ ½", "1,000,000.00€", " 7 77 777 7777",
    "안녕하세요 세계", "한글과 English 섞임", "ㄱㄴㄷ ᄀᄁ", "가나다라마바사아자차카타파하", "日本語の文章です。", "中文，标点。「引号」", "漢字かな交じり文123", "Привет, мир!",
    "Ελληνικά", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "ไทยไม่มีช่องว่าง", "Việt Nam ấy ạ", "İstanbul ıI", "ßſK", "𝒜𝓁𝑔𝑒𝒷𝓇𝒶 𝟙𝟚𝟛", "𐐀𐐨 𠮷野家",
    "😀", "😀😀😀😀", "👩‍👩‍👧‍👦 family", "👍🏽 ok", "🇰🇷🇩🇪", "a😀b", "😀abc 😀 123", "e\u0301 o\u0308 \u0301alone", "Z\u0351\u036b\u0343a\u0334\u0321l\u0321go", "\u0301\u0301\u0301",
    "if (x==1) { return a[i]++ ; } // done", "def f(x):\n    return x**2\n\n\nclass A:\n\tpass\n", "<html><body class=\"a\">&amp;</body></html>",
    "SELECT * FROM t WHERE a<>'b''c';", "C:\\path\\to\\file.txt", "https://example.org/a?b=c&d=%20#e", "user@example.org", "#include <stdio.h>",
    "a_b_c __init__ ____", "--- === *** ~~~ ... !!! ???", "$1 #2 @3 ^4 &5 `6` |7|", "(((())))[[]]{{}}", "«quote» „Text“ ‘x’ “y”", "–—…•°§¶", "x=y+z<a>b|c^d~e$f",
    "</s>", "<s> x", "<unk>", "<|endoftext|>", "<|im_end|> <|eot_id|>", "<0x41>", "▁", "▁▁a▁", "ĠĊč", "Ġ t",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    " ".repeat(100), "\n".repeat(70), "_".repeat(90), "=".repeat(75) + " x", "9".repeat(64), "漢".repeat(60), "😀".repeat(40), "ab".repeat(60), "\u0301".repeat(50),
    "The quick brown fox jumps over the lazy dog. THE QUICK BROWN FOX.", "pneumonoultramicroscopicsilicovolcanoconiosis antidisestablishmentarianism",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "wOrD cAsE MiXeD camelCaseWord snake_case_word",
];
const fragments = [
    " ", "  ", "   ", "\n", "\r\n", "\t", "\n\n", "\u00a0", "\u3000", "\u2003", "a", "b", "the", " of", "Zoë", "İ", "ß", "'s", "'T", "'ll", "'", "\"", "1", "22", "333",
    "4444", "٣", "Ⅷ", "½", "한", "글", " 세계", "漢", "かな", "。", "，", "！", "Ж", " мир", "ש", "ا", "न", "ि", "\u0301", "\u200d", "😀", "👍🏽", "𝒜", "𠮷", "𝟙", ".", ",", "!",
    "?", "...", "-", "_", "=", "+", "<", ">", "$", "€", "`", "~", "^", "|", "(", ")", "[", "]{", "}", "\\", "/", "#", "@", "&", "*", "%", ";", ":", "\u0000", "\u001b", "\u007f", "\ue000", "\u0378", "\ufffd", "▁",
];
const random = randomSource(20261123);
const texts = [...fixed];
while (texts.length < 260) {
    let text = "";
    for (let left = 2 + random(24); left > 0; left--) text += fragments[random(fragments.length)];
    texts.push(text);
}

// ---- a vocabulary whose merges cross every border

const printable = (b) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
let others = 256;
const alphabet = Array.from({length: 256}, (_, b) => String.fromCharCode(printable(b) ? b : others++));

function learnWithoutCutting(count) {
    const tokens = [...alphabet];
    const merges = [];
    const sequences = texts.map((text) => [...Buffer.from(text, "utf8")]);
    while (merges.length < count) {
        const counts = new Map();
        for (const ids of sequences) {
            for (let i = 0; i + 1 < ids.length; i++) {
                const key = ids[i] * 65536 + ids[i + 1];
                counts.set(key, (counts.get(key) ?? 0) + 1);
            }
        }
        let best = -1;
        for (const [key, n] of counts) if (best < 0 || n > counts.get(best) || (n === counts.get(best) && key < best)) best = key;
        const [left, right] = [Math.floor(best / 65536), best % 65536];
        const text = tokens[left] + tokens[right];
        merges.push([tokens[left], tokens[right]]);
        if (!tokens.includes(text)) tokens.push(text);
        const result = tokens.indexOf(text);
        for (const ids of sequences) {
            let written = 0;
            for (let i = 0; i < ids.length; i++) {
                const pair = i + 1 < ids.length && ids[i] === left && ids[i + 1] === right;
                ids[written++] = pair ? result : ids[i];
                if (pair) i++;
            }
            ids.length = written;
        }
    }
    return {tokens, merges};
}

const crossing = learnWithoutCutting(700);
const end = "<|endoftext|>";

// ---- the engines

function ggufOf(pre) {
    const parts = [];
    const u32 = (v) => parts.push(Buffer.from(Uint32Array.of(v).buffer));
    const u64 = (v) => parts.push(Buffer.from(BigUint64Array.of(BigInt(v)).buffer));
    const text = (s) => { const b = Buffer.from(s, "utf8"); u64(b.length); parts.push(b); };
    const array = (name, type, values, write) => { text(name); u32(9); u32(type); u64(values.length); values.forEach(write); };
    const tokens = [...crossing.tokens, end];
    parts.push(Buffer.from("GGUF")); u32(3); u64(0); u64(8);
    text("general.architecture"); u32(8); text("llama");
    text("tokenizer.ggml.model"); u32(8); text("gpt2");
    text("tokenizer.ggml.pre"); u32(8); text(pre);
    array("tokenizer.ggml.tokens", 8, tokens, text);
    array("tokenizer.ggml.token_type", 5, tokens, (t) => u32(t === end ? 3 : 1));
    array("tokenizer.ggml.merges", 8, crossing.merges, (m) => text(m.join(" ")));
    text("tokenizer.ggml.bos_token_id"); u32(4); u32(tokens.length - 1);
    text("tokenizer.ggml.eos_token_id"); u32(4); u32(tokens.length - 1);
    const path = join(mkdtempSync(join(tmpdir(), "vocabulary-")), pre + ".gguf");
    writeFileSync(path, Buffer.concat(parts));
    return path;
}

async function withLlama(llama, path) {
    const model = await llama.loadModel({modelPath: path, vocabOnly: true});
    const ids = texts.map((text) => [...model.tokenize(text, false)]);
    await model.dispose();
    return ids;
}

async function withTokenizers(json) {
    const tokenizer = Tokenizer.fromString(json);
    const ids = [];
    for (const text of texts) ids.push([...(await tokenizer.encode(text, null, {addSpecialTokens: false})).getIds()]);
    return ids;
}

function crossingJson(preTokenizer) {
    const vocab = Object.fromEntries([...crossing.tokens, end].map((token, id) => [token, id]));
    return JSON.stringify({
        version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: preTokenizer,
        post_processor: null, decoder: {type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true},
        model: {type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
            fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges: crossing.merges},
    });
}

const byteLevel = (regex) => ({type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: regex});
const split = (Regex) => ({type: "Sequence", pretokenizers: [
    {type: "Split", pattern: {Regex}, behavior: "Isolated", invert: false}, byteLevel(false)]});
const modern = (digits) => `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}`
    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const isolate = (Regex) => ({type: "Split", pattern: {Regex}, behavior: "Isolated", invert: false});
// First and last of each range of letters in DeepSeek's pattern.
const casedLetters = `
    41 5a 61 7a b5 b5 c0 d6 d8 f6 f8 1ba 1bc 1bf 1c4 293 295 2af 370 373 376 377 37b 37d 37f 37f 386 386 388 38a 38c
    38c 38e 3a1 3a3 3f5 3f7 481 48a 52f 531 556 10a0 10c5 13a0 13f5 13f8 13fd 1c90 1cba 1cbd 1cbf 1d00 1d2b 1d6b 1d77
    1d79 1d9a 1e00 1f15 1f18 1f1d 1f20 1f45 1f48 1f4d 1f50 1f57 1f59 1f59 1f5b 1f5b 1f5d 1f5d 1f5f 1f7d 1f80 1fb4
    1fb6 1fbc 1fbe 1fbe 1fc2 1fc4 1fc6 1fcc 1fd0 1fd3 1fd6 1fdb 1fe0 1fec 1ff2 1ff4 1ff6 1ffc 2102 2102 2107 2107
    210a 2113 2115 2115 2119 211d 2124 2124 2126 2126 2128 2128 212a 212d 212f 2134 2139 2139 213c 213f 2145 2149
    214e 214e 2183 2184 2c00 2c7b 2c7e 2ce4 2ceb 2cee 2cf2 2cf3 a640 a66d a680 a69b a722 a76f a771 a787 a78b a78e
    ab70 abbf fb00 fb06 fb13 fb17 ff21 ff3a ff41 ff5a 10400 1044f 104b0 104d3 104d8 104fb 10c80 10cb2 10cc0 10cf2
    118a0 118df 1e900 1e943`.trim().split(/\s+/).map((hex, i) => `\\x{${hex}}${i % 2 === 0 ? "-" : ""}`).join("");
const patterns = {
    "DeepSeek": {type: "Sequence", pretokenizers: [isolate("[\r\n]"), isolate(`\\s?[${casedLetters}]+`),
        isolate("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"), isolate("\\s+$"), isolate("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"),
        isolate("\\p{N}+"), byteLevel(false)]},
    "ByteLevel": byteLevel(true),
    "Digits+ByteLevel": {type: "Sequence", pretokenizers: [{type: "Digits", individual_digits: true}, byteLevel(true)]},
    "Llama3": split(modern("{1,3}")),
    "Qwen2": split(modern("")),
};

const llama = await getLlama({build: "never", gpu: false, logLevel: LlamaLogLevel.error});
const result = {"llama.cpp": {}, "tokenizers": {}};
for (const name of ["gpt-2", "llama-spm", "starcoder", "mpt", "deepseek-llm"])
    result["llama.cpp"][name] = await withLlama(llama, join(shared, "tokenizers", `ggml-vocab-${name}.gguf`));
for (const pre of ["gpt-2", "llama-bpe", "qwen2", "smollm", "deepseek-llm", "default"])
    result["llama.cpp"]["crossing " + pre] = await withLlama(llama, ggufOf(pre));
result.tokenizers.stories656k = await withTokenizers(readFileSync(join(shared, "models/stories656k/tokenizer.json"), "utf8"));
for (const [name, preTokenizer] of Object.entries(patterns))
    result.tokenizers["crossing " + name] = await withTokenizers(crossingJson(preTokenizer));

const lines = (list) => "[\n" + list.map((item) => JSON.stringify(item)).join(",\n") + "\n]\n";
writeFileSync(join(target, "hard-texts.json"), lines(texts));
writeFileSync(join(target, "crossing-bpe.json"), JSON.stringify({tokens: crossing.tokens, merges: crossing.merges.map((m) => m.join(" "))}) + "\n");
// Ids as one string per text: a tenth of the size of indented arrays.
const compact = Object.fromEntries(Object.entries(result).map(([engine, sets]) => [engine,
    Object.fromEntries(Object.entries(sets).map(([name, ids]) => [name, ids.map((list) => list.join(" "))]))]));
writeFileSync(join(target, "tokenizer-ids.json"), JSON.stringify(compact, null, 0).replaceAll("\":[\"", "\":[\n\"").replaceAll("],\"", "],\n\"") + "\n");
process.exit(0);
