#!/usr/bin/env python3
"""Asks long documents questions whose place is known, each question in a process of its own, and prints Markdown tables.

  long_documents.py --cli build/release/app/kvasir-cli --docs FOLDER [--method whitened] [--out rows.json]

FOLDER holds freeculture_book.pdf, debian_reference_en.pdf and pride_and_prejudice.epub. The library is a fresh temporary
folder, so the first question of a document reads it and the later ones show that nothing is read again.
"""
import argparse, json, subprocess, sys, tempfile
from pathlib import Path

# file, question, the pages (from 1) or the section where the answer stands
QUESTIONS = [
    ("freeculture_book.pdf", "Who invented FM radio?", range(19, 23)),
    ("freeculture_book.pdf", "What did the Causbys complain about?", range(18, 20)),
    ("freeculture_book.pdf", "How much money did Jesse Jordan have in savings?", range(64, 67)),
    ("freeculture_book.pdf", "Who founded the Internet Archive?", range(122, 127)),
    ("debian_reference_en.pdf", "Which package lists bugs of packages before they are installed?", (66, 67, 86)),
    ("debian_reference_en.pdf", "Which command creates an encrypted disk partition?", (108, 197, 198)),
    ("pride_and_prejudice.epub", "How large is Mr. Bingley's fortune a year?", "I"),
    ("pride_and_prejudice.epub", "Whom does Charlotte Lucas marry?", "XXII"),
]


def ask(options, library, name, question):
    command = [options.cli, "ask", Path(options.docs) / name, question, "--method", options.method, "--budget",
               str(options.budget), "--max-tokens", "48", "--library", library, "--json", "--quiet"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def place(entry):
    if entry.get("first_page") is None:
        return entry.get("section") or "?"
    first, last = entry["first_page"], entry["last_page"]
    return str(first) if first == last else f"{first}–{last}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    parser.add_argument("--docs", required=True)
    parser.add_argument("--method", default="reread")
    parser.add_argument("--budget", type=int, default=2048)
    parser.add_argument("--only", help="questions of the files whose name holds this")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as library:
        for name, question, expected in QUESTIONS:
            if options.only and options.only not in name:
                continue
            result = ask(options, library, name, question)
            rows.append({"file": name, "question": question, "expected": expected if isinstance(expected, str) else ", ".join(map(str, expected)), "result": result})
            print(name, question, "done", file=sys.stderr)
    print("| document | tokens | read s | tokens/s | load s | first token s | peak MB | KV on disk MB | coverage |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        r, seconds, size = row["result"], row["result"]["seconds"], row["result"]["bytes"]
        read = seconds["read"] or 0
        speed = f"{r['tokens']['document'] / read:.0f}" if read > 0.5 else "–"
        coverage = "–" if r["coverage"] is None else f"{r['coverage']:.2f}"
        print(f"| {row['file']} | {r['tokens']['document']} | {read:.1f} | {speed} | {seconds['load']:.2f} | "
              f"{seconds['first_token']:.2f} | {size['peak_rss'] / 1e6:.0f} | {size['kv_disk'] / 1e6:.0f} | {coverage} |")
    print("\n| question | answer | pages of the first evidence | stands on |\n|---|---|---|---|")
    for row in rows:
        places = ", ".join(place(entry) for entry in row["result"]["evidence"][:6])
        answer = " ".join(row["result"]["answer"].split())[:90]
        print(f"| {row['question']} | {answer} | {places} | {row['expected']} |")
    if options.out:
        options.out.write_text(json.dumps(rows, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
