#!/usr/bin/env python3
"""Writes the texts that the shipped whitening was made from: JSON lines {text, questions} on stdout.

Takes the train split of the question data (documents.jsonl.gz, questions.jsonl.gz): from each source documents in the
order of their ids, their paragraphs up to MOST_WORDS words, and a few of their questions, until each source has given its
share of the words. usage: whitening_texts.py QA_FOLDER [THOUSAND_WORDS]
"""
import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path

MOST_WORDS = 900
QUESTIONS_EACH = 2


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def piece(paragraphs):
    text, words = [], 0
    for paragraph in paragraphs:
        text.append(paragraph)
        words += max(len(paragraph.split()), len(paragraph) // 6)
        if words >= MOST_WORDS:
            break
    return "\n\n".join(text), words


def main():
    folder, budget = Path(sys.argv[1]), 1000 * int(sys.argv[2] if len(sys.argv) > 2 else 300)
    questions = defaultdict(list)
    for row in rows(folder / "questions.jsonl.gz"):
        if row["split"] == "train":
            questions[row["doc_id"]].append(row["question"])
    by_source = defaultdict(list)
    for row in rows(folder / "documents.jsonl.gz"):
        if row["split"] == "train":
            by_source[row["source"]].append(row)
    for source in sorted(by_source):
        left = budget // len(by_source)
        for row in sorted(by_source[source], key=lambda row: row["doc_id"]):
            if left <= 0:
                break
            text, words = piece(row["paragraphs"])
            left -= words
            print(json.dumps({"text": text, "questions": questions[row["doc_id"]][:QUESTIONS_EACH]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
