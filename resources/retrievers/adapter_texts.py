#!/usr/bin/env python3
"""Writes the lessons that the shipped adapter was trained on: JSON lines {text, questions: [{question, answer}]} on stdout.

Each text is a stretch of paragraphs of one document of the question data, filled up with paragraphs of others of its
source, some with facts of our own planted in it (a name and a value). It comes with questions whose evidence it holds and,
one in five, with questions whose evidence it does not hold, whose answer is empty: half of these are about the same
document, from paragraphs that were left out.
usage: adapter_texts.py QA_FOLDER SPLIT TEXTS [SEED] [SIZES]
SIZES, as 3000,4500,6000: tokens of a text, as the data counts them. Short texts fit the budget; long ones teach to answer from
chunks that were retrieved far off, among others that were retrieved for nothing.
"""
import gzip
import json
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

# Share of the texts, and questions that mean something without their document (a bound on the rank BM25 gives).
SOURCES = {
    "squadshifts_new_wiki": 0.27,
    "squadshifts_amazon": 0.1,
    "squadshifts_reddit": 0.14,
    "policyqa": 0.05,
    "covid_qa": 0.09,
    "2wikimultihopqa": 0.07,
    "hotpotqa": 0.03,
    "musique": 0.03,
    "evidence_inference": 0.11,
    "pubmedqa": 0.03,
    "cmrc2018": 0.08,
}
CHINESE_SIZE = 0.35  # the models' tokenizers need about three times the tokens that the data counts
QUESTIONS = 16
SIZES = [500, 900, 1300, 1700, 1700, 3000]
LONGEST_ANSWER = 200  # characters: what is said is short
UNANSWERABLE = 0.2
PLANTED = 0.25
THINGS = ["badge", "locker", "ticket", "parcel", "permit", "shelf", "invoice", "cabin", "licence", "tray", "claim", "order"]
PLACES = ["harbour office", "north archive", "glass studio", "ferry school", "town nursery", "river depot", "chess club",
          "old foundry", "music library", "seed bank", "tram museum", "print shop", "bird station", "salt market",
          "upper mill", "east tower", "boat yard", "reading room", "stone bakery", "quiet garden"]
WORDS = ["amber", "willow", "granite", "lantern", "orchard", "velvet", "copper", "meadow", "harvest", "pebble", "saffron",
         "timber", "cobalt", "juniper", "marble", "thistle", "anchor", "feather", "ember", "canyon"]
# A sentence and the question it answers; of each text one form is planted, for several places.
FORMS = [
    ("The {thing} number of the {place} is {value}.", "What is the {thing} number of the {place}?"),
    ("For the {place}, the {thing} code is {value}.", "Which {thing} code belongs to the {place}?"),
    ("One of the special magic {thing} numbers for {place} is: {value}.",
     "What is the special magic {thing} number for {place} mentioned in the text?"),
    ("Note that the {place} uses the {thing} key {value}.", "What {thing} key does the {place} use?"),
    ("Whoever asks at the {place} for the {thing} must say {value}.", "What must one say at the {place} to get the {thing}?"),
]


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def best_answer(answers):
    counts = Counter(answers)
    return max(counts, key=lambda answer: (counts[answer], -len(answer)))


class Lessons:
    def __init__(self, folder, split, seed, sizes):
        self.random = random.Random(seed)
        self.sizes = sizes
        self.documents, self.questions = {}, defaultdict(list)
        self.by_source, self.askable = defaultdict(list), defaultdict(list)
        for row in rows(folder / "documents.jsonl.gz"):
            if row["split"] == split:
                self.documents[row["doc_id"]] = row
        for row in rows(folder / "questions.jsonl.gz"):
            if row["split"] == split and row["doc_id"] in self.documents and row["answers"]:
                self.questions[row["doc_id"]].append(row)
                if row["bm25_rank"] is not None and row["bm25_rank"] <= 20:
                    self.askable[row["source"]].append(row)
        for doc_id, row in self.documents.items():
            if self.questions[doc_id]:
                self.by_source[row["source"]].append(doc_id)

    def stretch(self, document, tokens):
        """Consecutive paragraphs from a place where a question's evidence is, as indices."""
        paragraphs, sizes = document["paragraphs"], document["tokens"]
        gold = self.random.choice(self.questions[document["doc_id"]])["gold"] or [0]
        first = last = gold[0]
        total = sizes[first]
        while total < tokens and (first > 0 or last + 1 < len(paragraphs)):
            forward = last + 1 < len(paragraphs) and (first == 0 or self.random.random() < 0.5)
            if forward:
                last += 1
            else:
                first -= 1
            total += sizes[last if forward else first]
        return list(range(first, last + 1)), total

    def text(self, source):
        size = self.random.choice(self.sizes)
        if source == "cmrc2018":
            size *= CHINESE_SIZE
        main = self.documents[self.random.choice(self.by_source[source])]
        parts, held, total = [], set(), 0
        share = self.random.choice([0.4, 0.7, 1.0]) if len(self.by_source[source]) > 1 else 1.0
        document, left = main, size * share
        for _ in range(40):
            chosen, tokens = self.stretch(document, left)
            block = [(document["doc_id"], i) for i in chosen if (document["doc_id"], i) not in held]
            held.update(block)
            parts.append("\n\n".join(document["paragraphs"][i] for _, i in block))
            total += tokens
            if total >= size * 0.8 or share == 1.0:
                break
            document, left = self.documents[self.random.choice(self.by_source[source])], size * 0.2
        self.random.shuffle(parts)
        return [part for part in parts if part], held, main

    def value(self):
        kind = self.random.random()
        if kind < 0.7:
            return str(self.random.randrange(10 ** 3, 10 ** self.random.choice([4, 5, 6, 7])))
        if kind < 0.85:
            return "-".join(f"{self.random.randrange(16 ** 4):04x}" for _ in range(self.random.choice([1, 2, 4])))
        return "-".join(self.random.sample(WORDS, 2))

    def plant(self, paragraphs):
        """Facts put between sentences, and questions about some of them, all values of one, or one that is not there."""
        statement, question = self.random.choice(FORMS)
        thing = self.random.choice(THINGS)
        places = self.random.sample(PLACES, self.random.choice([1, 2, 4, 6]) + 1)
        missing = places.pop()
        items = []
        for number, place in enumerate(places):
            values = [self.value() for _ in range(self.random.choice([2, 3, 4]) if number == 0 and len(places) > 2 else 1)]
            for value in values:
                at = self.random.randrange(len(paragraphs))
                pieces = paragraphs[at].split(". ")
                pieces.insert(self.random.randrange(len(pieces)), statement.format(thing=thing, place=place, value=value).rstrip("."))
                paragraphs[at] = ". ".join(pieces)
            asked = question.format(thing=thing, place=place)
            if len(values) > 1:
                order = sorted(values, key=lambda value: "\n".join(paragraphs).index(value))
                items.append({"question": asked.rstrip("?") + "? Give all of them.", "answer": ", ".join(order)})
            else:
                items.append({"question": asked, "answer": values[0]})
        chosen = self.random.sample(items, min(len(items), 2))
        if self.random.random() < 0.3:
            chosen.append({"question": question.format(thing=thing, place=missing), "answer": ""})
        return chosen

    def unanswerable(self, source, held, doc_ids, text, count):
        """Questions of paragraphs that the text has not, none of whose answers stands in it."""
        near = [row for doc_id in doc_ids for row in self.questions[doc_id]
                if row["gold"] and not any((doc_id, i) in held for i in row["gold"])
                and row["bm25_rank"] is not None and row["bm25_rank"] <= 5
                and not any(answer.lower() in text for answer in row["answers"])]
        far = [row for row in self.random.sample(self.askable[source], min(60, len(self.askable[source])))
               if row["doc_id"] not in doc_ids and not any(answer.lower() in text for answer in row["answers"])]
        self.random.shuffle(near)
        chosen = near[:(count + 1) // 2]
        return chosen + far[:count - len(chosen)]

    def lesson(self, source):
        parts, held, main = self.text(source)
        doc_ids = sorted({doc_id for doc_id, _ in held})  # a set has another order in each run
        answered = [
            row
            for doc_id in doc_ids
            for row in self.questions[doc_id]
            if row["gold"] and all((doc_id, i) in held for i in row["gold"])
            and (doc_id == main["doc_id"] or (row["bm25_rank"] or 99) <= 20)
        ]
        self.random.shuffle(answered)
        items = [{"question": row["question"], "answer": best_answer(row["answers"])} for row in answered[:QUESTIONS]
                 if len(best_answer(row["answers"])) <= LONGEST_ANSWER]
        paragraphs = "\n\n".join(parts).split("\n\n")
        if self.random.random() < PLANTED:
            items += self.plant(paragraphs)
        if source not in ("evidence_inference", "pubmedqa", "policyqa"):  # their questions fit many documents
            missing = round(len(items) * UNANSWERABLE / (1 - UNANSWERABLE))
            items += [{"question": row["question"], "answer": ""}
                      for row in self.unanswerable(source, held, doc_ids, "\n".join(paragraphs).lower(), missing)]
        self.random.shuffle(items)
        return {"text": "\n\n".join(paragraphs), "questions": items}


def main():
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    sizes = [int(size) for size in sys.argv[5].split(",")] if len(sys.argv) > 5 else SIZES
    lessons = Lessons(Path(sys.argv[1]), sys.argv[2], seed, sizes)
    sources = [source for source in SOURCES if lessons.by_source[source]]
    for _ in range(int(sys.argv[3])):
        lesson = lessons.lesson(lessons.random.choices(sources, [SOURCES[source] for source in sources])[0])
        if lesson["questions"]:
            print(json.dumps(lesson, ensure_ascii=False))


if __name__ == "__main__":
    main()
