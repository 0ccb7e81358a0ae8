"""The public C API of ggml (libggml-base) as far as the scripts here need it; nothing but the standard library.

The library comes prebuilt in the npm package @node-llama-cpp/linux-x64 (bins/linux-x64), or from llama.cpp's own build.
"""
import ctypes
import os


class TypeTraits(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("block_length", ctypes.c_int64), ("interleave", ctypes.c_int64),
        ("block_bytes", ctypes.c_size_t), ("quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)),
        ("from_float", ctypes.c_void_p),
    ]


# The numbers of the GGUF specification.
TYPES = {
    "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10, "Q3_K": 11, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14,
    "IQ2_XXS": 16, "IQ2_XS": 17, "IQ3_XXS": 18, "IQ1_S": 19, "IQ4_NL": 20, "IQ3_S": 21, "IQ2_S": 22, "IQ4_XS": 23,
    "IQ1_M": 29, "TQ1_0": 34, "TQ2_0": 35, "MXFP4": 39, "NVFP4": 40,
}


class Ggml:
    def __init__(self, folder):
        self.base = ctypes.CDLL(os.path.join(folder, "libggml-base.so"))
        self.base.ggml_get_type_traits.restype = ctypes.POINTER(TypeTraits)
        self.base.ggml_quantize_chunk.restype = ctypes.c_size_t
        self.base.ggml_quantize_chunk.argtypes = [
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]

    def traits(self, name):
        return self.base.ggml_get_type_traits(TYPES[name]).contents

    def dequantize(self, name, data):
        """The bytes of the F32 values of whole blocks."""
        t = self.traits(name)
        count = len(data) // t.block_bytes * t.block_length
        out = (ctypes.c_float * count)()
        t.to_float(ctypes.c_char_p(bytes(data)), ctypes.byref(out), count)
        return bytes(out)

    def quantize(self, name, values, rows, columns, importance=None):
        """The blocks of rows × columns floats (ctypes array); importance holds a weight per column or is None."""
        t = self.traits(name)
        out = (ctypes.c_uint8 * (rows * columns // t.block_length * t.block_bytes))()
        self.base.ggml_quantize_chunk(TYPES[name], values, out, 0, rows, columns, importance)
        return bytes(out)


class Bytes:
    """A fixed stream of bytes that a test in any language can repeat."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return self.state >> 24

    def take(self, count):
        return bytearray(self.next() for _ in range(count))

    def bell(self):
        """Near a normal distribution of deviation 0.29 · 2, exact in F32: the sum of four 16-bit numbers."""
        total = sum(self.next() | self.next() << 8 for _ in range(4))
        return (total - 131070) / 65536
