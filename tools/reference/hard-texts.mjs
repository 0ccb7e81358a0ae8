// Texts that are hard to cut into tokens, the same on every machine: HardTexts.cs in the golden tests makes them too.
import {createHash} from "node:crypto";
import {readFileSync} from "node:fs";

const parts = JSON.parse(readFileSync(new URL("../../tests/Polymath.Golden/Data/text-parts.json", import.meta.url), "utf8"));

export function randomSource(seed) {
    return (below) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return Math.floor((seed / 2 ** 32) * below);
    };
}

/** The first texts are the parts themselves; the others are put together from parts and random characters. */
export function hardTexts(count, seed = 20261124) {
    const {fragments, ranges} = parts;
    const random = randomSource(seed);
    const character = () => {
        const [first, last] = ranges[random(ranges.length)];
        return String.fromCodePoint(first + random(last - first + 1));
    };
    const texts = fragments.slice(0, count);
    while (texts.length < count) {
        const kind = random(8);
        let text = "";
        for (let left = 2 + random(24); left > 0; left--) {
            if (kind === 0 || (kind < 4 && random(3) === 0)) text += character();
            else if (kind === 7) text += fragments[random(fragments.length)].repeat(1 + random(6));
            else text += fragments[random(fragments.length)];
        }
        texts.push(text);
    }
    return texts;
}

/** One hash for every hundred lists of ids: SHA-256 of the lists as lines, the first 16 digits. */
export function hashes(lists) {
    const result = [];
    for (let start = 0; start < lists.length; start += 100) {
        const lines = lists.slice(start, start + 100).map((ids) => ids.join(" ") + "\n").join("");
        result.push(createHash("sha256").update(lines).digest("hex").slice(0, 16));
    }
    return result;
}
