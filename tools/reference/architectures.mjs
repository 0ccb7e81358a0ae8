// The reference's logits for the tiny models: node architectures.mjs LOGITS DIR OUT [NAME...]
// LOGITS is the program made of logits.c, DIR what POLYMATH_WRITE_TINY names, OUT tests/Polymath.Golden/Data/logits.
// With LLAMA_EMBED=1 the vectors and scores of the encoders: DIR is then its folder encoders, OUT Data/encoders.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const positions = [0, 5, 17, 47];
const [program, folder, out, ...names] = process.argv.slice(2);
if (out === undefined) {
    console.error("usage: node architectures.mjs LOGITS DIR OUT [NAME...]");
    process.exit(2);
}

const ids = readFileSync(join(folder, "ids.txt"), "utf8").trim();
const models = readdirSync(folder).filter((file) => file.endsWith(".gguf")).map((file) => file.slice(0, -5));
for (const name of models.filter((model) => names.length === 0 || names.includes(model))) {
    const text = execFileSync(program, [join(folder, `${name}.gguf`), ids], { encoding: "utf8", maxBuffer: 1 << 28 });
    const { rows } = JSON.parse(text);
    const pooled = rows.length === 1;
    const kept = { engine: "llama.cpp v0.5.0", positions: pooled ? [0] : positions, rows: pooled ? rows : positions.map((at) => rows[at]) };
    writeFileSync(join(out, `${name}.json`), JSON.stringify(kept) + "\n");
    console.log(name);
}
