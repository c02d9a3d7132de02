#!/usr/bin/env python3
"""Keeps an adapter from forgetting how to follow other wishes: the model's own answers to general requests become lessons.

  general_items.py ask LESSONS COUNT > requests.jsonl     rows for: kvasir-cli eval requests.jsonl --adapter none
                                                          --max-tokens 88 --out said.jsonl
  general_items.py join LESSONS said.jsonl > lessons.jsonl
                                                          the lessons with those requests and answers added
"""
import json
import random
import sys

REQUESTS = [
    "Summarize the document in two sentences.", "What is this document about?", "List three main points of the document.",
    "Explain the main idea in simple words.", "Write a title for this document.", "Who might want to read this, and why?",
    "Write one question that this document answers, and answer it.", "Give a short overview of the first part.",
    "Name the most important people, places or things in the document.", "What tone does the author use? Explain briefly.",
    "Rewrite the first sentence in plain words.", "Write a short email that tells a colleague what this document says.",
    "Give me three keywords.", "What surprised you in this document?", "Write a short poem about the topic.",
    "What is 12 plus 7?", "Write a haiku about the sea.", "How do I boil an egg?", "Say hello in three languages.",
    "Write a Python function that adds two numbers.", "Give me advice on how to sleep better.", "Tell me a short joke.",
]
LONGEST_TEXT = 5000  # characters: these texts are read once more, to be answered


def lessons(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def whole_sentences(text):
    """The answer up to the last sentence that ends: it was cut at a number of tokens."""
    ends = [at for at in range(len(text)) if text[at] in ".!?\n"]
    return text[:ends[-1] + 1].strip() if ends else ""


def main():
    mode, path, argument = sys.argv[1:]
    texts = lessons(path)
    if mode == "ask":
        chooser = random.Random(1)
        short = [i for i, lesson in enumerate(texts) if len(lesson["text"]) <= LONGEST_TEXT]
        for number, i in enumerate(chooser.sample(short, min(int(argument), len(short)))):
            request = number % len(REQUESTS)
            print(json.dumps({"id": f"{i}/{request}", "task": "general", "context": texts[i]["text"],
                              "question": REQUESTS[request], "answers": ["-"], "gold_spans": []}, ensure_ascii=False))
        return
    for row in lessons(argument):
        if answer := whole_sentences(row["prediction"]):
            text, request = map(int, row["id"].split("/"))
            texts[text]["questions"].append({"question": REQUESTS[request], "answer": answer})
    for lesson in texts:
        print(json.dumps(lesson, ensure_ascii=False))


if __name__ == "__main__":
    main()
