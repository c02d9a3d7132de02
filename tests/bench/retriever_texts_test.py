#!/usr/bin/env python3
"""Checks resources/retrievers/retriever_texts.py over a small data set made here: the same texts in every process, no right answer
among the wrong ones, hard negatives in the text. usage: retriever_texts_test.py"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "resources" / "retrievers" / "retriever_texts.py"
SHARED = "Is my data shared?"  # asked of every policy


def paragraph(policy, place):
    return f"Policy {policy}, paragraph {place}: " + "words and words. " * 12


def data():
    """Policies with a question of their own each, and one that all have; every source has the same, so that any may be drawn."""
    sys.path.insert(0, str(SCRIPT.parent))
    sys.dont_write_bytecode = True
    from retriever_texts import SOURCES
    documents, questions = [], []
    for source in SOURCES:
        for policy in range(30):
            doc_id = f"{source}/{policy}"
            documents.append({"doc_id": doc_id, "source": source, "split": "train", "tokens": [40] * 4,
                              "paragraphs": [paragraph(policy, place) for place in range(4)]})
            row = {"doc_id": doc_id, "split": "train", "bm25_rank": 1, "hard_negatives": [[f"{source}/{(policy + 1) % 30}", 3]]}
            questions.append(row | {"question": f"What is of {policy}?", "gold": [1]})
            questions.append(row | {"question": SHARED, "gold": [2], "bm25_rank": 1 if policy % 3 == 0 else 90})
    return documents, questions


def write(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def texts(folder, seed_of_hashes):
    command = [sys.executable, "-B", SCRIPT, folder, "train", "12", "3"]
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True,
                          env=os.environ | {"PYTHONHASHSEED": seed_of_hashes}).stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents, questions = data()
        write(folder / "documents.jsonl.gz", documents)
        write(folder / "questions.jsonl.gz", questions)
        once = texts(folder, "1")
        assert once == texts(folder, "2"), "the texts depend on the process"
    shared = negatives = 0
    for line in once.splitlines():
        row = json.loads(line)
        text = row["text"].encode()
        assert row["documents"] and all(0 <= start < end <= len(text) for start, end in row["documents"])
        asked = [item["question"] for item in row["questions"]]
        assert len(asked) == len(set(asked)), "a question is asked twice"
        for item in row["questions"]:
            held = [text[start:end].decode() for start, end in item["gold"]]
            place = 2 if item["question"] == SHARED else 1
            right = [part for part in row["text"].split("\n\n") if f"paragraph {place}:" in part]
            if item["question"] == SHARED:
                shared += 1
                assert sorted(held) == sorted(right), "what answers in another policy is taken for a wrong answer"
            else:
                policy = item["question"].removeprefix("What is of ").rstrip("?")
                assert held == [paragraph(policy, 1)], held
        negatives += sum(text[start:end].decode().count("paragraph") == 1 for start, end in row["documents"])
    assert shared > 0 and negatives > 0, (shared, negatives)


if __name__ == "__main__":
    main()
