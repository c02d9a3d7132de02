#!/usr/bin/env python3
"""Writes the lessons that the shipped retriever was trained on: JSON lines {text, documents, questions: [{question, gold}]}
on stdout, for `kvasir-cli train retriever`.

Each text is made of whole documents of the question data, or of stretches of long ones, of one source where that has many
documents (so that distractors are near), up to a length drawn from 2,000 to 12,000 tokens. It comes with questions whose gold
paragraphs it holds. Questions that fit many documents are left out: BM25 must rank a gold paragraph among its first 20.
usage: retriever_texts.py QA_FOLDER SPLIT TEXTS [SEED]
"""
import gzip
import json
import random
import sys
from collections import defaultdict
from pathlib import Path

# Share of the texts.
SOURCES = {
    "squadshifts_new_wiki": 0.24, "squadshifts_amazon": 0.13, "squadshifts_reddit": 0.13, "policyqa": 0.09,
    "covid_qa": 0.08, "2wikimultihopqa": 0.08, "hotpotqa": 0.05, "musique": 0.05, "evidence_inference": 0.06,
    "pubmedqa": 0.03, "cmrc2018": 0.06,
}
CHINESE_SIZE = 0.35  # the models' tokenizers need about three times the tokens that the data counts
LENGTHS = [2000, 3000, 4000, 6000, 8000, 12000]
LONGEST_STRETCH = 3000  # tokens of one document
QUESTIONS = 24
AMONG_FIRST = 20


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


class Texts:
    def __init__(self, folder, split, seed):
        self.random = random.Random(seed)
        self.documents, self.questions, self.by_source = {}, defaultdict(list), defaultdict(list)
        for row in rows(folder / "documents.jsonl.gz"):
            if row["split"] == split:
                self.documents[row["doc_id"]] = row
        for row in rows(folder / "questions.jsonl.gz"):
            if row["split"] == split and row["doc_id"] in self.documents and row["gold"] and (row["bm25_rank"] or 99) <= AMONG_FIRST:
                self.questions[row["doc_id"]].append(row)
        for doc_id, row in self.documents.items():
            if self.questions[doc_id]:
                self.by_source[row["source"]].append(doc_id)

    def stretch(self, document):
        """Consecutive paragraphs, as indices: all, or some around a gold one of a long document."""
        sizes = document["tokens"]
        if sum(sizes) <= LONGEST_STRETCH:
            return list(range(len(sizes)))
        gold = self.random.choice(self.questions[document["doc_id"]])["gold"][0]
        first = last = gold
        total = sizes[gold]
        while total < LONGEST_STRETCH and (first > 0 or last + 1 < len(sizes)):
            if last + 1 < len(sizes) and (first == 0 or self.random.random() < 0.5):
                last += 1
                total += sizes[last]
            else:
                first -= 1
                total += sizes[first]
        return list(range(first, last + 1))

    def text(self):
        source = self.random.choices(list(SOURCES), list(SOURCES.values()))[0]
        left = self.random.choice(LENGTHS) * (CHINESE_SIZE if source == "cmrc2018" else 1)
        order = self.random.sample(self.by_source[source], len(self.by_source[source]))
        text, documents, spans = "", [], {}
        for doc_id in order:
            document = self.documents[doc_id]
            chosen = self.stretch(document)
            size = sum(document["tokens"][i] for i in chosen)
            if size > left and documents:
                continue
            start = len(text.encode())
            for i in chosen:
                begin = len(text.encode())
                text += document["paragraphs"][i] + "\n\n"
                spans[doc_id, i] = [begin, begin + len(document["paragraphs"][i].encode())]
            documents.append([start, len(text.encode())])
            left -= size
            if left < 200:
                break
        asked = []
        for doc_id in {doc_id for doc_id, _ in spans}:
            for row in self.questions[doc_id]:
                if all((doc_id, i) in spans for i in row["gold"]):
                    asked.append({"question": row["question"], "gold": [spans[doc_id, i] for i in row["gold"]]})
        asked.sort(key=lambda item: item["question"])
        self.random.shuffle(asked)
        return {"text": text, "documents": documents, "questions": asked[:QUESTIONS]}


def main():
    folder, split, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    texts = Texts(folder, split, int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    made = 0
    while made < count:
        text = texts.text()
        if text["questions"]:
            print(json.dumps(text, ensure_ascii=False))
            made += 1


if __name__ == "__main__":
    main()
