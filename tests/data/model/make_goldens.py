#!/usr/bin/env python3
"""Makes the goldens of this folder with llama.cpp: tokens of texts/*.txt for each model, and values of random blocks.

usage: make_goldens.py LLAMA_BIN MODELS_FOLDER
LLAMA_BIN holds llama-tokenize and libggml-base.so; MODELS_FOLDER the model files named below.

Other vocabularies need no goldens here: llama.cpp's sources hold them with texts and tokens, in LLAMA_BIN/../../models. With
KVASIR_PEER_VOCABULARIES set to that folder model_test (PeerVocabularies) compares them; else it skips that.
"""
import ctypes
import json
import pathlib
import random
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
MODELS = {
    "smollm2": "SmolLM2-135M-Instruct.Q4_1.gguf",
    "gemma3": "gemma-3-270m-q4_k_m.gguf",
}
# type: values a block, bytes a block, where its half-precision numbers stand
BLOCKS = {
    "Q4_0": (32, 18, [0]), "Q4_1": (32, 20, [0, 2]), "Q5_0": (32, 22, [0]), "Q5_1": (32, 24, [0, 2]),
    "Q8_0": (32, 34, [0]), "Q2_K": (256, 84, [80, 82]), "Q3_K": (256, 110, [108]), "Q4_K": (256, 144, [0, 2]),
    "Q5_K": (256, 176, [0, 2]), "Q6_K": (256, 210, [208]),
}


def tokens_of(program, model, text):
    command = [program, "-m", model, "--stdin", "--no-escape", "--ids", "--no-bos", "--no-parse-special", "--log-disable"]
    with open(text, "rb") as source:
        return json.loads(subprocess.run(command, stdin=source, stdout=subprocess.PIPE, check=True).stdout)


def write_tokens(program, models):
    for name, file in MODELS.items():
        rows = []
        for text in sorted((HERE / "texts").glob("*.txt")):
            ids = tokens_of(program, models / file, text)
            rows.append(f"{json.dumps(text.name)}: {json.dumps(ids, separators=(',', ':'))}")
        (HERE / f"tokens_{name}.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


def write_blocks(library):
    """Each file: the bytes of eight (long types: two) blocks, then their values as 32-bit floats."""
    ggml = ctypes.CDLL(str(library))
    for name, (values, size, halves) in BLOCKS.items():
        chance = random.Random(name)
        count = 8 if values == 32 else 2
        blocks = bytearray(chance.randbytes(count * size))
        for block in range(count):
            for at in halves:
                half = struct.pack("<e", chance.choice([-1, 1]) * chance.uniform(0.001, 2))
                blocks[block * size + at:block * size + at + 2] = half
        out = (ctypes.c_float * (count * values))()
        convert = getattr(ggml, "dequantize_row_" + name.lower().replace("_k", "_K"))
        convert(bytes(blocks), out, ctypes.c_int64(count * values))
        (HERE / f"blocks_{name}.bin").write_bytes(bytes(blocks) + bytes(out))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binaries, models = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    write_tokens(binaries / "llama-tokenize", models)
    write_blocks(binaries / "libggml-base.so")


main()
