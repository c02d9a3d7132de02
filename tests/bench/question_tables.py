#!/usr/bin/env python3
"""Measures retrieval and answers on the question data's dev split and prints Markdown tables.

  question_tables.py retrieval QA_FOLDER --cli build/release/app/kvasir-cli [--lengths 8192,32768,131072] [--methods …]
      the share of questions whose every gold span is attended to: over all layers, and by layer (--curve FILE.svg draws that)
  question_tables.py answers QA_FOLDER --cli … [--lengths 16384] [--methods …]
      f1 and contains, the same from the gold paragraphs alone, and refusals of what has an answer and of what has none; with the
      adapter and, for the first of the methods and the gold paragraphs, without
  question_tables.py budgets QA_FOLDER --cli … [--lengths 8192] [--budgets 512,1024,2048,4096,6144]
      answers by budget, with and without the adapter
  question_tables.py methods QA_FOLDER --cli … [--lengths 4096,16384,65536] [--methods …]
      every method beside the others, by length: the questions, and needles hidden in the same texts

Rows are made by make_rows.py; what was asked is kept under --work and not asked again, so a run that was ended goes on.
"""
import argparse
import json
import random
import re
import statistics
import subprocess
import sys
from itertools import groupby, pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent
REFUSAL = "does not say"
NEEDLES = {"silent-harbor": 0.1, "amber-violin": 0.35, "hollow-meadow": 0.6, "copper-lantern": 0.85}  # depths


def made_rows(options, tokens, kind):
    """A file of rows: "asked", those with "no" answer, "gold": asked of their gold paragraphs alone, or "needles": asked, and of
    each text also what was hidden in it."""
    file = options.work / f"{kind}-{tokens}-{options.contexts}x{options.questions}.jsonl"
    if file.exists():
        return file
    if kind in ("gold", "needles"):
        asked = [json.loads(line) for line in made_rows(options, tokens, "asked").open(encoding="utf-8")]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n"
                       for row in (map(gold_row, asked) if kind == "gold" else needle_rows(asked)))
    else:
        command = [sys.executable, HERE / "make_rows.py", options.folder, "--tokens", tokens, "--contexts", options.contexts,
                   "--questions", options.questions] + (["--unanswerable"] if kind == "no" else [])
        text = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    file.write_text(text, encoding="utf-8")
    return file


def gold_row(row):
    text = "\n\n".join(row["context"][start:end] for start, end in sorted(row["gold_spans"]))
    return row | {"context": text, "gold_spans": [[0, len(text)]]}


def needle_rows(rows):
    """The rows with needles hidden between their paragraphs, RULER's multi-key ones: of one text, a number for each key."""
    chooser = random.Random(1)
    for context, group in groupby(rows, key=lambda row: row["context"]):
        numbers = [str(chooser.randint(1000000, 9999999)) for _ in NEEDLES]
        places = [at.end() for at in re.finditer("\n\n", context)]
        sentences = {}
        for (key, depth), number in zip(NEEDLES.items(), numbers):
            place = min(places, key=lambda at: abs(at - depth * len(context)))
            sentences[place] = sentences.get(place, "") + f"One of the special magic numbers for {key} is: {number}.\n\n"
        moved = lambda at: at + sum(len(sentence) for place, sentence in sentences.items() if place <= at)
        cuts = [0, *sorted(sentences), len(context)]
        text = "".join(sentences.get(start, "") + context[start:end] for start, end in pairwise(cuts))
        group = [row | {"context": text, "gold_spans": [[moved(start), moved(end - 1) + 1] for start, end in row["gold_spans"]]}
                 for row in group]
        yield from group
        for key, number in zip(NEEDLES, numbers):
            start = text.index(f"One of the special magic numbers for {key}")
            end = text.index(number, start) + len(number) + 1
            yield group[0] | {"id": f"{group[0]['id']}/{key}", "task": "needle", "metric": "any_substring",
                              "question": f"What is the special magic number for {key} mentioned in the text?",
                              "answers": [number], "gold_spans": [[start, end]]}


def asked(options, rows, methods, budgets, *more):
    """Results by method and budget, each a list of rows."""
    name = "-".join([rows.stem, *(word.lstrip("-").replace("/", "_") for word in [*more, *options.more])])
    out = options.work / f"{name}.results.jsonl"
    command = [options.cli, "eval", rows, "--methods", ",".join(methods), "--budget", ",".join(map(str, budgets)), "--out", out,
               "--resume", "--json", "--quiet", *more, *options.more]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    results = {}
    for line in out.open(encoding="utf-8"):
        row = json.loads(line)
        results.setdefault((row["method"], row["budget"]), []).append(row)
    return {key: found for key, found in results.items() if key[0] in methods and key[1] in budgets}


def share(values):
    values = list(values)
    return f"{sum(values) / len(values):.3f}" if values else "–"


def refused(rows):
    return share(REFUSAL in row["prediction"] for row in rows)


def retrieval(options):
    print("| tokens | method | questions | every gold span attended | among the first 16 of the evidence |\n|---|---|---|---|---|")
    layers = {}
    for tokens in options.lengths:
        rows = made_rows(options, tokens, "asked")
        for (method, _), found in asked(options, rows, options.methods, [options.budget], "--max-tokens", "1").items():
            gold = [row for row in found if row["recall"] is not None]
            print(f"| {tokens} | {method} | {len(gold)} | {share(row['recall'] for row in gold)} | "
                  f"{share(row['evidence_recall'] for row in gold)} |", flush=True)
            layers[tokens, method] = [share(by) for by in zip(*(row["recall_by_layer"] for row in gold))]
    print("\nBy layer, from the first:\n")
    for (tokens, method), shares in layers.items():
        print(f"- {method}, {tokens}: {' '.join(shares)}")
    if options.curve:
        options.curve.write_text(curve({f"{method}, {tokens:,} tokens": [float(value) for value in shares]
                                        for (tokens, method), shares in layers.items() if not method.startswith("rag")}), encoding="utf-8")


def curve(shares):
    """An SVG picture of shares by layer, each line with its name; the axis begins at the lowest tenth."""
    width, height, left, top, right, bottom = 860, 380, 60, 24, 230, 44
    least = int(10 * min(value for line in shares.values() for value in line)) / 10
    most = max(2, max(map(len, shares.values())))
    x = lambda layer: left + (width - left - right) * layer / (most - 1)
    y = lambda value: height - bottom - (height - top - bottom) * (value - least) / (1 - least or 1)
    colours = ["#3b6ea5", "#c0703a", "#4d8f5b", "#8a5aa8", "#a33f52", "#5f7f8f"]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#444">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for tenth in range(round(10 * least), 11):
        parts.append(f'<path d="M{left} {y(tenth / 10):.1f}H{width - right}" stroke="#ddd"/>'
                     f'<text x="{left - 8}" y="{y(tenth / 10) + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    for layer in range(0, most, 5):
        parts.append(f'<text x="{x(layer):.1f}" y="{height - bottom + 18}" text-anchor="middle">{layer}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">layer</text>')
    for number, (name, values) in enumerate(shares.items()):
        colour = colours[number % len(colours)]
        points = " ".join(f"{x(layer):.1f},{y(value):.1f}" for layer, value in enumerate(values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
                     f'<rect x="{width - right + 16}" y="{top + 22 * number}" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{width - right + 34}" y="{top + 22 * number + 11}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def answers(options):
    print("| tokens | method | questions | f1 | contains | recall | refused, has an answer | refused, has none |")
    print("|---|---|---|---|---|---|---|---|")
    for tokens in options.lengths:
        tables = {kind: asked(options, made_rows(options, tokens, kind), methods, [options.budget], "--max-tokens", "40")
                  for kind, methods in (("asked", options.methods), ("no", options.methods), ("gold", ["full"]))}
        for key, found in tables["asked"].items():
            print(answer_line(tokens, key[0], found, tables["no"].get(key, [])), flush=True)
        for found in tables["gold"].values():
            print(answer_line("gold paragraphs", "full", found, []), flush=True)
        first = options.methods[0]
        plain = {kind: asked(options, made_rows(options, tokens, kind), methods, [options.budget], "--max-tokens", "40", "--adapter", "none")
                 for kind, methods in (("asked", [first]), ("no", [first]), ("gold", ["full"]))}
        for key, found in plain["asked"].items():
            print(answer_line(tokens, f"{first}, no adapter", found, plain["no"].get(key, [])), flush=True)
        for found in plain["gold"].values():
            print(answer_line("gold paragraphs", "full, no adapter", found, []), flush=True)


def answer_line(tokens, method, found, none):
    return (f"| {tokens} | {method} | {len(found)} | {share(row['f1'] for row in found)} | {share(row['contains'] for row in found)} "
            f"| {share(row['recall'] for row in found if row['recall'] is not None)} | {refused(found)} | {refused(none) if none else '–'} |")


def budgets(options):
    print("| tokens | method | budget | adapter | f1 | contains | recall |\n|---|---|---|---|---|---|---|")
    for tokens in options.lengths:
        rows = made_rows(options, tokens, "asked")
        for adapter in (["--adapter", "none"], []):
            for (method, budget), found in sorted(asked(options, rows, options.methods, options.budgets, *adapter).items()):
                print(f"| {tokens} | {method} | {budget} | {'–' if adapter else 'yes'} | {share(row['f1'] for row in found)} | "
                      f"{share(row['contains'] for row in found)} | {share(row['recall'] for row in found)} |", flush=True)


def methods(options):
    """What was asked of a length by all of the methods, as the README has it: needles answered, the share of all questions whose gold
    some layer attended to whole, f1 of those that are no needles; then the median first token and what is kept, at each length."""
    if not options.methods:
        listed = subprocess.run([options.cli, "methods", "--json"], check=True, capture_output=True, text=True).stdout
        options.methods = [row["name"] for row in json.loads(listed) if row["name"] != "longrope"]  # wants a model with factors
    tables = {}
    for tokens in options.lengths:
        rows = made_rows(options, tokens, "needles")
        for (method, _), found in asked(options, rows, options.methods, [options.budget], "--max-tokens", "40").items():
            for row in found:
                tables.setdefault((method, tokens), []).append(row)
    print("| method | " + " | ".join(f"{tokens:,}" for tokens in options.lengths) + " | first token s | KV MB |")
    print("|---|" + "---|" * (len(options.lengths) + 2))
    brief = lambda value: "1" if value == 1 else f"{value:.2f}".removeprefix("0")
    for method in options.methods:
        found = [tables.get((method, tokens), []) for tokens in options.lengths]
        cells = [f"{sum(row['contains'] for row in rows if row['task'] == 'needle')} · "
                 f"{brief(statistics.mean(any(row['recall_by_layer']) for row in rows))} · "
                 f"{brief(statistics.mean(row['f1'] for row in rows if row['task'] != 'needle'))}" if rows else "–" for rows in found]
        seconds = [f"{statistics.median(row['seconds']['first_token'] for row in rows):.1f}" if rows else "–" for rows in found]
        sizes = [f"{statistics.median(row['kv_bytes'] for row in rows) / 1e6:.0f}" if rows else "–" for rows in found]
        print(f"| `{method}` | {' | '.join(cells)} | {', '.join(seconds)} | {', '.join(sizes)} |", flush=True)


def main():
    numbers = lambda text: [int(number) for number in text.split(",")]
    names = lambda text: [name for name in text.split(",") if name]
    tables = {"retrieval": (retrieval, "8192,32768,131072", "whitened,retrolm,rag-dense,rag-bm25"),
              "answers": (answers, "16384", "reread,whitened,retrolm,rag,full"), "budgets": (budgets, "8192", "whitened,retrolm"),
              "methods": (methods, "4096,16384,65536", "")}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=tables)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/kvasir-tables"))
    parser.add_argument("--lengths", type=numbers)
    parser.add_argument("--methods", type=names)
    parser.add_argument("--budget", type=int, default=2048)
    parser.add_argument("--budgets", type=numbers, default=[512, 1024, 2048, 4096, 6144])
    parser.add_argument("--curve", type=Path)
    parser.add_argument("--contexts", type=int, default=4)
    parser.add_argument("--questions", type=int, default=12)
    options, options.more = parser.parse_known_args()
    make, lengths, rows = tables[options.table]
    options.lengths = options.lengths or numbers(lengths)
    options.methods = options.methods or names(rows)
    options.work.mkdir(parents=True, exist_ok=True)
    make(options)


if __name__ == "__main__":
    main()
