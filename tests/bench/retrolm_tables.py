#!/usr/bin/env python3
"""Measures retrieval and answers on the question data's dev split and prints Markdown tables.

  retrolm_tables.py retrieval QA_FOLDER --cli build/release/app/kvasir-cli [--lengths 8192,32768,131072] [--methods …]
      the share of questions whose every gold span is attended to: over all layers, and by layer
  retrolm_tables.py answers QA_FOLDER --cli … [--lengths 16384] [--methods …]
      f1 and contains, the same from the gold paragraphs alone, and refusals of what has an answer and of what has none
  retrolm_tables.py budgets QA_FOLDER --cli … [--lengths 8192] [--budgets 512,1024,2048,4096,6144]
      answers by budget, with and without the adapter

Rows are made by make_rows.py; what was asked is kept under --work and not asked again, so a run that was ended goes on.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REFUSAL = "does not say"


def made_rows(options, tokens, kind):
    """A file of rows: "asked", those with "no" answer, or "gold": asked of their gold paragraphs alone."""
    file = options.work / f"{kind}-{tokens}-{options.contexts}x{options.questions}.jsonl"
    if file.exists():
        return file
    if kind == "gold":
        lines = [json.dumps(gold_row(json.loads(line)), ensure_ascii=False) + "\n"
                 for line in made_rows(options, tokens, "asked").open(encoding="utf-8")]
        text = "".join(lines)
    else:
        command = [sys.executable, HERE / "make_rows.py", options.folder, "--tokens", tokens, "--contexts", options.contexts,
                   "--questions", options.questions] + (["--unanswerable"] if kind == "no" else [])
        text = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    file.write_text(text, encoding="utf-8")
    return file


def gold_row(row):
    text = "\n\n".join(row["context"][start:end] for start, end in sorted(row["gold_spans"]))
    return row | {"context": text, "gold_spans": [[0, len(text)]]}


def asked(options, rows, methods, budgets, *more):
    """Results by method and budget, each a list of rows."""
    name = "-".join([rows.stem, *(word.lstrip("-").replace("/", "_") for word in more)])
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


def main():
    numbers = lambda text: [int(number) for number in text.split(",")]
    names = lambda text: text.split(",")
    tables = {"retrieval": (retrieval, "8192,32768,131072", "whitened,retrolm,rag-dense,rag-bm25"),
              "answers": (answers, "16384", "reread,whitened,retrolm,rag,full"), "budgets": (budgets, "8192", "whitened,retrolm")}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=tables)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/kvasir-tables"))
    parser.add_argument("--lengths", type=numbers)
    parser.add_argument("--methods", type=names)
    parser.add_argument("--budget", type=int, default=2048)
    parser.add_argument("--budgets", type=numbers, default=[512, 1024, 2048, 4096, 6144])
    parser.add_argument("--contexts", type=int, default=4)
    parser.add_argument("--questions", type=int, default=12)
    options, options.more = parser.parse_known_args()
    make, lengths, methods = tables[options.table]
    options.lengths = options.lengths or numbers(lengths)
    options.methods = options.methods or names(methods)
    options.work.mkdir(parents=True, exist_ok=True)
    make(options)


if __name__ == "__main__":
    main()
