// Writes the tables of Unicode normalisation: node normalization.mjs ../../src/Polymath/Text/Unicode/normalization.txt
// From String.prototype.normalize of Node. Three lines, entries separated by spaces, numbers in base 36:
//   combining classes: distance from the end of the entry before, length of the range - 1, class (only their order is meant)
//   canonical decompositions: distance from the entry before, then the full decomposition; "!" where it does not compose again
//   compatibility decompositions that differ from the canonical ones, in the same way
import {writeFileSync} from "node:fs";

const all = [];
for (let c = 0; c < 0x110000; c++) {
    if (!(c >= 0xac00 && c <= 0xdfff)) all.push(c); // neither Hangul, which goes by rule, nor surrogates
}

const text = (...c) => String.fromCodePoint(...c);
const swaps = (a, b) => a !== b && text(a, b).normalize("NFD") === text(b, a); // class of a above that of b
const simple = (c) => text(c).normalize("NFD") === text(c);
const marks = all.filter((c) => simple(c) && (swaps(c, 0x334) || swaps(0x301, c)));
const classes = []; // one mark of each class
for (const mark of marks) {
    if (!classes.some((other) => !swaps(mark, other) && !swaps(other, mark))) classes.push(mark);
}

classes.sort((a, b) => (swaps(a, b) ? 1 : -1));
const ranks = new Map(marks.map((mark) => [mark, 1 + classes.findIndex((other) => !swaps(mark, other) && !swaps(other, mark))]));
const n = (value) => value.toString(36);
const ranges = [];
for (const [mark, rank] of ranks) {
    const last = ranges.at(-1);
    if (last && last.end === mark - 1 && last.rank === rank) last.end = mark;
    else ranges.push({start: mark, end: mark, rank});
}

let at = 0;
const first = ranges.map(({start, end, rank}) => {
    const entry = [start - at, end - start, rank].map(n).join(",");
    at = end;
    return entry;
});

function decompositions(form, wanted) {
    let before = 0;
    return all.filter(wanted).map((c) => {
        const excluded = form === "NFD" && text(c).normalize("NFC") !== text(c) ? "!" : "";
        const entry = excluded + [c - before, ...[...text(c).normalize(form)].map((part) => part.codePointAt(0))].map(n).join(",");
        before = c;
        return entry;
    });
}

const canonical = decompositions("NFD", (c) => !simple(c));
const compatible = decompositions("NFKD", (c) => text(c).normalize("NFKD") !== text(c).normalize("NFD"));
writeFileSync(process.argv[2], [first, canonical, compatible].map((list) => list.join(" ") + "\n").join(""));
console.log(`Unicode ${process.versions.unicode}: ${classes.length} classes, ${canonical.length} + ${compatible.length} decompositions`);
