// llama-imatrix's own files for the tiny models: node imatrix.mjs LLAMA_IMATRIX DIR OUT [NAME...]
// DIR is the folder imatrix in what POLYMATH_WRITE_TINY names, OUT tests/Polymath.Golden/Data/imatrix.
// LLAMA_IMATRIX lies beside the libraries. One thread, F32 cache, no flash attention, as in logits.c.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { resolve } from "node:path";

const [program, folder, out, ...names] = process.argv.slice(2);
if (out === undefined) {
    console.error("usage: node imatrix.mjs LLAMA_IMATRIX DIR OUT [NAME...]");
    process.exit(2);
}

mkdirSync(out, { recursive: true });
const models = readdirSync(folder).filter((file) => file.endsWith(".gguf")).map((file) => file.slice(0, -5));
for (const name of models.filter((model) => names.length === 0 || names.includes(model))) {
    // The text's name as given goes into the file, so it is given from inside the folder.
    execFileSync(
        resolve(program),
        ["-m", `${name}.gguf`, "-f", "text.txt", "-o", resolve(out, `${name}.gguf`), "-c", "64", "-t", "1", "--process-output",
            "-fa", "off", "-ctk", "f32", "-ctv", "f32"],
        { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    console.log(name);
}
