#!/usr/bin/env python3
"""Writes a llama model of another shape: the words and settings of a given file, weights that mean nothing, in Q4_0.

For measuring speed at shapes that no model at hand has: `shaped_model.py FROM.gguf OUT.gguf` makes one of 1.1 billion weights (16
layers of width 2,048 with 32 heads, 8 of them for keys and values, and feed-forwards of 8,192, as Llama 3.2 1B has them).
"""
import argparse
import random
import struct
from pathlib import Path

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
UINT32, STRING, ARRAY = 4, 8, 9
F32, Q4_0 = 0, 2
ALIGNMENT = 32


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, code):
        value, = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def text(self):
        size = self.number("Q")
        self.at += size
        return self.data[self.at - size:self.at]

    def skip_value(self, kind):
        if kind == STRING:
            self.text()
        elif kind == ARRAY:
            inner, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip_value(inner)
        else:
            self.number(SCALARS[kind])


def metadata_of(file):
    """Its entries by key, each as it lies there: type and value."""
    reader = Reader(file.read_bytes())
    assert reader.data[:4] == b"GGUF", f"{file} is no GGUF file"
    reader.at = 4
    version, _, entries = reader.number("I"), reader.number("Q"), reader.number("Q")
    assert version in (2, 3), f"{file} is of version {version}"
    found = {}
    for _ in range(entries):
        key = reader.text().decode()
        start = reader.at
        reader.skip_value(reader.number("I"))
        found[key] = reader.data[start:reader.at]
    return found


def words_of(entries):
    """How many tokens there are: an array's length stands behind its two types."""
    return struct.unpack_from("<Q", entries["tokenizer.ggml.tokens"], 8)[0]


def as_text(text):
    return struct.pack("<Q", len(text)) + text.encode()


def tensors_of(options, vocabulary):
    """(name, columns, rows); rows 0: a norm."""
    head = options.width // options.heads
    yield "token_embd.weight", options.width, vocabulary
    yield "output_norm.weight", options.width, 0
    for layer in range(options.layers):
        for name, columns, rows in [("attn_norm", options.width, 0), ("ffn_norm", options.width, 0),
                                    ("attn_q", options.width, options.width), ("attn_k", options.width, options.kv_heads * head),
                                    ("attn_v", options.width, options.kv_heads * head),
                                    ("attn_output", options.width, options.width),
                                    ("ffn_gate", options.width, options.feed_forward),
                                    ("ffn_up", options.width, options.feed_forward),
                                    ("ffn_down", options.feed_forward, options.width)]:
            yield f"blk.{layer}.{name}.weight", columns, rows


def numbers(columns, rows, pool):
    """A norm of ones; or blocks of 32 random levels under one scale, so that outputs are about as large as inputs."""
    if rows == 0:
        return struct.pack("<f", 1.0) * columns
    blocks = columns * rows // 32
    scale = struct.pack("<e", 0.2 / columns ** 0.5)
    some = b"".join(scale + pool[i:i + 16] for i in range(0, len(pool) - 16, 16))
    return (some * (blocks * 18 // len(some) + 1))[:blocks * 18]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    for name, usual in [("layers", 16), ("width", 2048), ("heads", 32), ("kv-heads", 8), ("feed-forward", 8192)]:
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()

    entries = metadata_of(options.source)
    shape = {"block_count": options.layers, "embedding_length": options.width, "attention.head_count": options.heads,
             "attention.head_count_kv": options.kv_heads, "feed_forward_length": options.feed_forward,
             "rope.dimension_count": options.width // options.heads}
    for key, value in shape.items():
        entries["llama." + key] = struct.pack("<II", UINT32, value)
    for key in ("attention.key_length", "attention.value_length"):
        entries.pop("llama." + key, None)
    entries["general.name"] = struct.pack("<I", STRING) + as_text(f"Shape of {options.layers} by {options.width}")
    tensors = list(tensors_of(options, words_of(entries)))

    pool = random.Random(1).randbytes(1 << 20)
    pad = lambda size: -size % ALIGNMENT
    sizes = [4 * columns if rows == 0 else columns * rows // 32 * 18 for _, columns, rows in tensors]
    part = options.out.with_suffix(".part")
    with part.open("wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries)))
        for key, value in entries.items():
            out.write(as_text(key) + value)
        offset = 0
        for (name, columns, rows), size in zip(tensors, sizes):
            sides = [columns] if rows == 0 else [columns, rows]
            out.write(as_text(name) + struct.pack(f"<I{len(sides)}QIQ", len(sides), *sides, F32 if rows == 0 else Q4_0, offset))
            offset += size + pad(size)
        out.write(bytes(pad(out.tell())))
        for (_, columns, rows), size in zip(tensors, sizes):
            out.write(numbers(columns, rows, pool) + bytes(pad(size)))
    part.rename(options.out)
    weights = sum(columns * max(1, rows) for _, columns, rows in tensors)
    print(f"{options.out}: {weights / 1e9:.2f} billion weights, {options.out.stat().st_size / 1e6:.0f} MB")


main()
