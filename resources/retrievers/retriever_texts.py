#!/usr/bin/env python3
"""Writes lessons for `kvasir-cli train retriever`: JSON lines {text, documents, questions: [{question, gold}]} on stdout, the
same for the same seed.

Each text is made of whole documents of the question data, or of stretches of long ones, of one source where that has many
documents (so that distractors are near), and of the hard negatives of its questions: paragraphs of other documents that share
their words and do not answer them. Its length is drawn from 2,000 to 12,000 tokens. Its questions have their gold paragraphs
in it. What answers a question in another document of the text is gold too, as where a question is asked of several policies.
Questions that fit many documents are left out: BM25 must rank a gold paragraph among its first 20.
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
HARD_SHARE = 0.2  # of a text's length, for hard negatives, where its questions have any


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


class Texts:
    def __init__(self, folder, split, seed):
        self.random = random.Random(seed)
        self.documents, self.questions, self.by_source = {}, defaultdict(list), defaultdict(list)
        self.answered = defaultdict(list)  # by document: all questions, also those that fit many documents
        for row in rows(folder / "documents.jsonl.gz"):
            if row["split"] == split:
                self.documents[row["doc_id"]] = row
        for row in rows(folder / "questions.jsonl.gz"):
            if row["split"] == split and row["doc_id"] in self.documents and row["gold"]:
                self.answered[row["doc_id"]].append(row)
                if (row["bm25_rank"] or 99) <= AMONG_FIRST:
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

    def documents_of(self, source, left):
        """Documents that fit together, each with the paragraphs that are taken of it."""
        taken = {}
        for doc_id in self.random.sample(self.by_source[source], len(self.by_source[source])):
            document = self.documents[doc_id]
            chosen = self.stretch(document)
            size = sum(document["tokens"][i] for i in chosen)
            if size > left and taken:
                continue
            taken[doc_id] = chosen
            left -= size
            if left < 200:
                break
        return taken

    def asked_of(self, taken):
        """Rows of questions whose gold is all there, a row a question."""
        rows = {}
        for doc_id, chosen in taken.items():
            for row in self.questions[doc_id]:
                if set(row["gold"]) <= set(chosen):
                    rows.setdefault(row["question"], row)
        asked = [rows[question] for question in sorted(rows)]
        self.random.shuffle(asked)
        return asked[:QUESTIONS]

    def negatives_of(self, asked, taken, left):
        """Hard negatives in other documents, as [document, paragraph], a first one of each question before any second."""
        negatives = []
        for place in range(max((len(row.get("hard_negatives") or []) for row in asked), default=0)):
            for row in asked:
                for doc_id, i in (row.get("hard_negatives") or [])[place:place + 1]:
                    size = self.documents[doc_id]["tokens"][i] if doc_id in self.documents else left + 1
                    if doc_id not in taken and (doc_id, i) not in negatives and size <= left:
                        negatives.append((doc_id, i))
                        left -= size
        return negatives

    def text(self):
        source = self.random.choices(list(SOURCES), list(SOURCES.values()))[0]
        length = self.random.choice(LENGTHS) * (CHINESE_SIZE if source == "cmrc2018" else 1)
        taken = self.documents_of(source, length * (1 - HARD_SHARE))
        asked = self.asked_of(taken)
        pieces = list(taken.items()) + [(doc_id, [i]) for doc_id, i in self.negatives_of(asked, taken, length * HARD_SHARE)]
        self.random.shuffle(pieces)
        text, documents, spans = "", [], {}
        for doc_id, chosen in pieces:
            start = len(text.encode())
            for i in chosen:
                begin = len(text.encode())
                text += self.documents[doc_id]["paragraphs"][i] + "\n\n"
                spans[doc_id, i] = [begin, begin + len(self.documents[doc_id]["paragraphs"][i].encode())]
            documents.append([start, len(text.encode())])
        gold = defaultdict(list)
        for doc_id in dict.fromkeys(doc_id for doc_id, _ in spans):
            for row in self.answered[doc_id]:
                gold[row["question"]] += [spans[doc_id, i] for i in row["gold"] if (doc_id, i) in spans]
        questions = [{"question": row["question"], "gold": [list(span) for span in sorted(set(map(tuple, gold[row["question"]])))]}
                     for row in asked]
        return {"text": text, "documents": documents, "questions": questions}


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
