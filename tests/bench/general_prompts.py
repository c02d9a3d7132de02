#!/usr/bin/env python3
"""Asks general prompts of a document with and without the adapter, to see whether the model follows as it did before, and prints
a Markdown table: how many answers are the same, and how many prompts are refused.

  general_prompts.py DOCUMENT --cli build/release/app/kvasir-cli [--adapter FILE] [--work FOLDER] [options of kvasir-cli ask]

None of the prompts is among those that kept the shipped adapter from forgetting (resources/retrievers/general_items.py). Half
are wishes, which go to the model as it comes; half have the shape of a question, which the adapter answers, though no document
does. Each is a process of its own. What was asked is kept under --work and not asked again, so a run that was ended goes on.
"""
import argparse
import hashlib
import json
import re
import subprocess
from pathlib import Path

REFUSAL = "does not say"
WISHES = [
    "Write a two-line poem about rain.", "Name three colours of the rainbow.", "Translate 'good morning' into French.",
    "Write a polite note that declines an invitation.", "Give me a recipe for pancakes in three steps.",
    "Count from one to ten.", "Describe a cat to somebody who has never seen one.", "Write a slogan for a bakery.",
    "List four things to pack for a hike.", "Correct this sentence: he go to school yesterday.",
    "Make up a name for a friendly robot.", "Write one sentence in which every word begins with b.",
    "Explain gravity to a child.", "Suggest a title for a story about a lost dog.", "Rewrite in a friendlier tone: Send me the file.",
    "Write a short thank-you card to a teacher.", "Sort these words by the alphabet: pear, apple, plum.",
    "Describe the smell of a forest in one sentence.", "Invent a riddle and give its solution.", "Write a to-do list for a lazy Sunday.",
]
QUESTIONS = [
    "How do I clean a wooden table?", "What is 9 times 6?", "Why is the sky blue?", "What is the capital of Italy?",
    "How many days does a week have?", "What rhymes with light?", "Where do penguins live?", "What is the opposite of early?",
    "How do I say thank you in Spanish?", "What should I cook with rice and eggs?", "Which is larger, the sun or the moon?",
    "What does a gardener do?", "How can I remember names better?", "Is a tomato a fruit?", "What is a good name for a grey horse?",
    "How do I write a for loop in Python?", "What are three uses of a paper clip?", "Who would like a book about sailing?",
    "What comes after Thursday?", "How do I stop hiccups?",
]


def results_file(options):
    """One a document, an adapter and a way of asking."""
    name = hashlib.sha256(options.document.read_bytes())
    name.update(options.adapter.read_bytes() if options.adapter else b"")
    name.update("\0".join(options.more).encode())
    return options.work / f"{options.document.stem}-{name.hexdigest()[:16]}.jsonl"


def asked(options, prompt, adapter):
    command = [options.cli, "ask", options.document, prompt, "--library", options.work / "library", "--json", "--quiet",
               *(["--adapter", adapter] if adapter else []), *options.more]
    return json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout)["answer"]


def answers(options):
    """By prompt: what was said with the adapter, and without."""
    file = results_file(options)
    known = {}
    if file.exists():
        text = file.read_text(encoding="utf-8")
        whole = text[:text.rfind("\n") + 1]  # a last line may be cut off
        file.write_text(whole, encoding="utf-8")
        known = {row["prompt"]: row for row in map(json.loads, whole.split("\n")[:-1])}
    with file.open("a", encoding="utf-8") as lines:
        for prompt in WISHES + QUESTIONS:
            if prompt in known:
                continue
            known[prompt] = {"prompt": prompt, "with": asked(options, prompt, options.adapter),
                             "without": asked(options, prompt, "none")}
            print(json.dumps(known[prompt], ensure_ascii=False), file=lines, flush=True)
    return known


def plain(answer):
    return re.sub(r"\s+", " ", answer).strip()


def line(name, rows):
    share = lambda values: f"{sum(values) / len(rows):.2f}"
    return (f"| {name} | {len(rows)} | {share(plain(row['with']) == plain(row['without']) for row in rows)} | "
            f"{share(REFUSAL in row['with'] for row in rows)} | {share(REFUSAL in row['without'] for row in rows)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=Path)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--adapter", type=Path, help="a file; the one that was made for the model unless set")
    parser.add_argument("--work", type=Path, default=Path("/tmp/kvasir-prompts"))
    options, options.more = parser.parse_known_args()
    options.work.mkdir(parents=True, exist_ok=True)
    known = answers(options)
    print("| prompts | asked | same answer | refused with the adapter | refused without |\n|---|---|---|---|---|")
    print(line("wishes", [known[prompt] for prompt in WISHES]))
    print(line("questions", [known[prompt] for prompt in QUESTIONS]))


if __name__ == "__main__":
    main()
