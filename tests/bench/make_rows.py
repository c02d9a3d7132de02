#!/usr/bin/env python3
"""Writes evaluation rows of any length from the question data's dev split: JSON lines for `kvasir-cli eval`, on stdout.

  make_rows.py QA_FOLDER --tokens 8192 --contexts 8 --questions 12 [--sources squadshifts_new_wiki,covid_qa] [--unanswerable]

Each context is filled with whole documents in random order up to so many tokens (as the data counts them), those that are
asked about among them. Rows of one context stand together, so that it is read once. gold_spans are the paragraphs that hold
the answer. Questions that fit many documents are left out: BM25 must rank a gold paragraph among its first 20 of the source.
With --unanswerable the documents that are asked about are left out, and the expected answer is the refusal.
"""
import argparse
import gzip
import json
import random
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

REFUSAL = "The document does not say."
SOURCES = "squadshifts_new_wiki,squadshifts_amazon,squadshifts_reddit,covid_qa,policyqa,2wikimultihopqa,hotpotqa,musique"
FILLER = "evidence_inference"  # full papers: enough text for the longest contexts
AMONG_FIRST = 20


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def assemble(documents):
    """The text of some documents and, by document and paragraph, where each paragraph stands in it."""
    parts, spans, at = [], {}, 0
    for document in documents:
        for number, paragraph in enumerate(document["paragraphs"]):
            spans[document["doc_id"], number] = [at, at + len(paragraph)]
            parts.append(paragraph)
            at += len(paragraph) + 2
    return "\n\n".join(parts), spans


def mixed(documents):
    """One document of each source after the other, so that no source's many short ones crowd out the rest."""
    by_source = defaultdict(list)
    for document in documents:
        by_source[document["source"]].append(document)
    turns = zip_longest(*by_source.values())
    return [document for turn in turns for document in turn if document]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--contexts", type=int, default=4)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--sources", default=SOURCES)
    parser.add_argument("--unanswerable", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chooser = random.Random(options.seed)
    sources = options.sources.split(",")
    documents = [row for row in rows(options.folder / "documents.jsonl.gz") if row["split"] == options.split]
    asked = [row for row in documents if row["source"] in sources]
    filler = [row for row in documents if row["source"] in sources + [FILLER]]
    questions = defaultdict(list)
    for row in rows(options.folder / "questions.jsonl.gz"):
        if row["split"] == options.split and row["gold"] and row["answers"] and (row["bm25_rank"] or 99) <= AMONG_FIRST:
            questions[row["doc_id"]].append(row)
    for context in range(options.contexts):
        # One question of a document after the other, so that many documents are asked about.
        chosen, left = [], options.tokens
        order = [row for row in asked if questions[row["doc_id"]]]
        chooser.shuffle(order)
        order = mixed(order)
        target = []
        for document in order:
            size = sum(document["tokens"])
            if size > left * 0.9 or len(target) >= options.questions:
                continue
            target.append(document)
            left -= 0 if options.unanswerable else size
        chosen = [] if options.unanswerable else list(target)
        held = {document["doc_id"] for document in target}
        chooser.shuffle(filler)
        for document in filler:
            size = sum(document["tokens"])
            if document["doc_id"] not in held and size <= left:
                chosen.append(document)
                left -= size
        chooser.shuffle(chosen)
        text, spans = assemble(chosen)
        pools = {document["doc_id"]: chooser.sample(found, len(found))
                 for document in target if (found := questions[document["doc_id"]])}
        number = 0
        while number < options.questions and any(pools.values()):
            for document in target:
                if number == options.questions or not pools[document["doc_id"]]:
                    continue
                row = pools[document["doc_id"]].pop()
                number += 1
                gold = [] if options.unanswerable else [spans[row["doc_id"], i] for i in row["gold"]]
                print(json.dumps({
                    "id": f"{options.tokens}/{context}/{row['id']}",
                    "task": "unanswerable" if options.unanswerable else row["source"],
                    "length_tokens_target": options.tokens, "context": text, "question": row["question"],
                    "answers": [REFUSAL] if options.unanswerable else row["answers"], "gold_spans": gold,
                    "gold_kind": "paragraph", "metric": "f1_em", "source": row["source"]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
