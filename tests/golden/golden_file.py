"""What the scripts that make goldens share: numbers from names, and the goldens' file."""

import json
import math
import struct

import numpy as np


def hashes(name, n):
    """n 64-bit words: splitmix64 (G. Steele et al., OOPSLA 2014) from FNV-1a of the name."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        x = np.uint64(state) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def numbers(name, shape, scale=1.0, offset=0.0):
    """float32 offset + scale · u, u uniform in [-1, 1) from the top 24 bits of each hash."""
    words = (hashes(name, math.prod(shape)) >> np.uint64(40)).astype(np.float32)
    uniform = words * np.float32(2.0**-23) - np.float32(1)
    return (np.float32(offset) + np.float32(scale) * uniform).reshape(shape)


def write(path, arrays, made_with):
    """Writes named arrays as float32, and what made them, to a safetensors file."""
    header, data = {"__metadata__": {"made_with": made_with}}, b""
    for name, values in arrays.items():
        piece = np.asarray(values).astype("<f4").tobytes()
        offsets = [len(data), len(data) + len(piece)]
        header[name] = {"dtype": "F32", "shape": list(np.shape(values)), "data_offsets": offsets}
        data += piece
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
