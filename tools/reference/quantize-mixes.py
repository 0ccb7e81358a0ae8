"""Compares polymath quantize with llama-quantize, tensor by tensor, on models of random weights in several shapes.

  python3 quantize-mixes.py LLAMA_QUANTIZE POLYMATH [MIX ...]

Writes models to a temporary folder, quantises each with both programs and reports tensors whose type or bytes differ.
A development tool: no test needs it. With --golden it prints, as JSON, the formats llama-quantize chose, for the tests.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

from ggml import Bytes

MIXES = ["F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0", "IQ4_NL",
         "IQ4_XS", "MXFP4_MOE", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K"]


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    return text(key) + struct.pack("<II", 4, value)


def write(path, metadata, tensors, source):
    """A GGUF file; tensors are (name, dimensions) with F32 elements near a normal distribution."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)) + b"".join(pair(k, v) for k, v in metadata)
    offset, sizes = 0, []
    for name, dimensions in tensors:
        head += text(name) + struct.pack("<I", len(dimensions)) + b"".join(struct.pack("<Q", d) for d in dimensions)
        head += struct.pack("<IQ", 0, offset)
        count = 1
        for d in dimensions:
            count *= d
        sizes.append(count)
        offset += (count * 4 + 31) // 32 * 32
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32))
        for count in sizes:
            file.write(struct.pack(f"<{count}f", *(source.bell() for _ in range(count))) + bytes(-count * 4 % 32))


def shape(architecture, layers, heads, kv, width=256, feed=256, experts=0, tied=False, fused=False):
    a = architecture
    metadata = [
        ("general.architecture", a), (f"{a}.block_count", layers), (f"{a}.context_length", 64), (f"{a}.embedding_length", width),
        (f"{a}.feed_forward_length", feed), (f"{a}.attention.head_count", heads), (f"{a}.attention.head_count_kv", kv),
        (f"{a}.attention.layer_norm_rms_epsilon", 1e-5), (f"{a}.attention.layer_norm_epsilon", 1e-5), (f"{a}.vocab_size", 4),
        (f"{a}.attention.key_length", 32), (f"{a}.attention.value_length", 32), (f"{a}.rope.dimension_count", 32),
    ]
    if experts:
        metadata += [(f"{a}.expert_count", experts), (f"{a}.expert_used_count", 2), (f"{a}.expert_feed_forward_length", feed),
                     (f"{a}.attention.sliding_window", 32)]
    tensors = [("token_embd.weight", [width, 4]), ("output_norm.weight", [width])]
    if not tied:
        tensors.append(("output.weight", [width, 4]))
    for i in range(layers):
        b = f"blk.{i}."
        tensors += [(b + "attn_norm.weight", [width]), (b + "ffn_norm.weight", [width]), (b + "attn_output.weight", [width, 3])]
        if fused:
            tensors.append((b + "attn_qkv.weight", [width, 3]))
        else:
            tensors += [(b + "attn_q.weight", [width, 3]), (b + "attn_k.weight", [width, 2]), (b + "attn_v.weight", [width, 2])]
        if experts:
            tensors += [(b + "ffn_gate_inp.weight", [width, experts]), (b + "ffn_gate_exps.weight", [width, 2, experts]),
                        (b + "ffn_up_exps.weight", [width, 2, experts]), (b + "ffn_down_exps.weight", [feed, 2, experts])]
        else:
            tensors += [(b + "ffn_gate.weight", [width, 2]), (b + "ffn_up.weight", [width, 2]), (b + "ffn_down.weight", [feed, 2])]
    return metadata, tensors


SHAPES = {
    "llama": shape("llama", 18, 8, 8),
    "llama shared values": shape("llama", 18, 8, 2, tied=True),
    "llama 80 layers": shape("llama", 80, 8, 1),
    "llama narrow": shape("llama", 17, 8, 4, width=96, feed=160, tied=True),
    "llama odd": shape("llama", 4, 8, 4, width=272, feed=100),
    "mixtral": shape("llama", 17, 8, 2, experts=8),
    "llama 4 experts": shape("llama", 11, 8, 4, experts=4, tied=True),
    "qwen2": shape("qwen2", 24, 14, 2, tied=True),
    "qwen3moe": shape("qwen3moe", 19, 8, 1, experts=16),
    "gpt-oss": shape("gpt-oss", 9, 8, 1, experts=4, feed=288),
    "falcon": shape("falcon", 32, 8, 1, fused=True),
    "gpt2": shape("gpt2", 12, 12, 12, fused=True, tied=True),
}


def read(path):
    """The type and the bytes of each tensor."""
    data = open(path, "rb").read()
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values[0]

    def string():
        nonlocal at
        length = take("Q")
        at += length
        return data[at - length:at].decode()

    def value(kind):
        if kind == 8:
            return string()
        if kind == 9:
            inner, count = take("I"), take("Q")
            return [value(inner) for _ in range(count)]
        return take("BbHhIif?"[kind] if kind < 8 else {10: "Q", 11: "q", 12: "d"}[kind])

    at = 8
    count, keys = take("Q"), take("Q")
    for _ in range(keys):
        string()
        value(take("I"))
    infos = []
    for _ in range(count):
        name = string()
        dimensions = [take("Q") for _ in range(take("I"))]
        infos.append((name, dimensions, take("I"), take("Q")))
    start = (at + 31) // 32 * 32
    ends = sorted([offset for *_, offset in infos] + [len(data) - start])
    return {n: (t, data[start + o:start + ends[ends.index(o) + 1]].rstrip(b"\0")) for n, _, t, o in infos}


def legacy_importance(path, tensors, source):
    """Weights for all matrices in the older format."""
    matrices = [(n, d) for n, d in tensors if len(d) > 1 and n.startswith("blk") and "inp" not in n]
    with open(path, "wb") as file:
        file.write(struct.pack("<i", len(matrices)))
        for name, dimensions in matrices:
            count = dimensions[0] * (dimensions[2] if len(dimensions) > 2 else 1)
            file.write(struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", 3, count))
            file.write(struct.pack(f"<{count}f", *((source.next() + 1) / 64 for _ in range(count))))
        file.write(struct.pack("<ii", 3, 4) + b"text")


def main():
    golden = "--golden" in sys.argv
    arguments = [a for a in sys.argv[1:] if a != "--golden"]
    reference, ours = arguments[0], arguments[1] if not golden else None
    mixes = arguments[2 if ours else 1:] or MIXES
    checked = different = 0
    chosen = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (metadata, tensors) in SHAPES.items():
            source = os.path.join(folder, "source.gguf")
            write(source, metadata, tensors, Bytes(7))
            weights = os.path.join(folder, "weights.dat")
            legacy_importance(weights, tensors, Bytes(8))
            for mix in mixes:
                for options in ([], ["--pure"], ["--imatrix", weights]):
                    out = [os.path.join(folder, "reference.gguf"), os.path.join(folder, "ours.gguf")]
                    done = subprocess.run([reference, *options, source, out[0], mix, "1"], capture_output=True, check=False)
                    if done.returncode:
                        sys.exit(f"{name} {mix} {options}: {done.stderr.decode()[-400:]}")
                    expected = read(out[0])
                    if golden:
                        key = f"{name}|{mix}|{options[0] if options else ''}"
                        chosen[key] = " ".join(str(expected[n][0]) for n, _ in tensors)
                        continue
                    subprocess.run([ours, "quantize", source, out[1], mix, *options], capture_output=True, check=True)
                    got = read(out[1])
                    for tensor, (kind, data) in expected.items():
                        checked += 1
                        if got[tensor][0] != kind or got[tensor][1] != data:
                            different += 1
                            what = "bytes" if got[tensor][0] == kind else f"type {got[tensor][0]}, not {kind}"
                            if different <= 40:
                                print(f"{name} {mix} {options[:1]} {tensor}: {what}")
    if golden:
        print(json.dumps(chosen, indent=0))
    else:
        print(f"{checked} tensors compared, {different} differ")


if __name__ == "__main__":
    main()
