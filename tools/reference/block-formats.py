"""Golden values of ggml's block formats: unpacking of fixed pseudo-random blocks, packing of fixed weights.

  python3 block-formats.py FOLDER_OF_LIBGGML > tests/Polymath.Golden/Data/block-formats.json

For each format: the SHA-256 of the F32 values of 200 blocks, and the first block with its first 16 values in clear. The bytes
come from ggml.Bytes; the F16 scales have bit 14 cleared, so that none is infinite. For the formats that can be written
without more: the SHA-256 of 40 packed rows of 512 weights and their RMSE, with and without importance (which then weights the errors).
"""
import ctypes
import hashlib
import json
import math
import struct
import sys

from ggml import Bytes, Ggml, TYPES

# Where the high bytes of the F16 scales lie; the scale of IQ1_M is spread over four words.
SCALES = {
    "Q4_0": [1], "Q4_1": [1, 3], "Q5_0": [1], "Q5_1": [1, 3], "Q8_0": [1], "Q2_K": [81, 83], "Q3_K": [109], "Q4_K": [1, 3],
    "Q5_K": [1, 3], "Q6_K": [209], "IQ2_XXS": [1], "IQ2_XS": [1], "IQ2_S": [1], "IQ3_XXS": [1], "IQ3_S": [1], "IQ1_S": [1],
    "IQ1_M": [55], "IQ4_NL": [1], "IQ4_XS": [1], "TQ1_0": [53], "TQ2_0": [65], "MXFP4": [], "NVFP4": [],
}
BLOCKS = 200
ROWS, COLUMNS = 40, 512
READ_ONLY = {n for n in TYPES if n.startswith(("IQ1", "IQ2", "IQ3", "TQ", "NV"))}


def blocks(name, size):
    data = Bytes(TYPES[name]).take(size * BLOCKS)
    for start in range(0, len(data), size):
        for at in SCALES[name]:
            data[start + at] &= 0xBF
    return data


def weights():
    """Rows of several scales, the first elements of some of their groups zero or all alike."""
    source = Bytes(1)
    values = (ctypes.c_float * (ROWS * COLUMNS))()
    for i in range(ROWS * COLUMNS):
        value = source.bell() * 2.0 ** (i // COLUMNS % 8 - 6)
        group = i % COLUMNS // 32
        values[i] = 0 if i // COLUMNS % 5 == 1 and group == 3 else 0.25 if i // COLUMNS % 5 == 2 and group == 4 else value
    importance = (ctypes.c_float * COLUMNS)()
    for i in range(COLUMNS):
        importance[i] = (source.next() + 1) / 64
    return values, importance


def packed(ggml, name, weighted):
    """The hash of the blocks, and the root of the mean squared error as a share of the weights' own root mean square."""
    values, importance = weights()
    data = ggml.quantize(name, values, ROWS, COLUMNS, importance if weighted else None)
    back = struct.unpack(f"<{ROWS * COLUMNS}f", ggml.dequantize(name, data))
    error = total = 0.0
    for i, value in enumerate(values):
        weight = importance[i % COLUMNS] if weighted else 1.0
        error += weight * ((value - back[i]) * (value - back[i]))
        total += weight * (value * value)
    return hashlib.sha256(data).hexdigest(), float(f"{math.sqrt(error / total):.9g}")


def main():
    ggml = Ggml(sys.argv[1])
    result = {}
    for name in TYPES:
        size = ggml.traits(name).block_bytes
        data = blocks(name, size)
        values = ggml.dequantize(name, data)
        result[name] = {
            "scales": SCALES[name],
            "sha256": hashlib.sha256(values).hexdigest(),
            "block": data[:size].hex(),
            "values": [float(f"{v:.9g}") for v in struct.unpack("<16f", values[:64])],
        }
        if name not in READ_ONLY:
            result[name]["packed"], result[name]["rmse"] = packed(ggml, name, False)
            result[name]["weighted"], result[name]["weightedRmse"] = packed(ggml, name, True)
    print("{\n" + ",\n".join(f"{json.dumps(n)}: {json.dumps(v)}" for n, v in result.items()) + "\n}")


main()
