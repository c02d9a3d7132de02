#!/usr/bin/env python3
"""Draws the figure of the RetroLM paper for a multi-hop dev question: full attention at the left of the retriever's scores, layer
by position, every chunk of the gold paragraphs outlined.

  multi_hop_figure.py QA_FOLDER --cli build/release/app/kvasir-cli --out multi_hop.png [--row ID] --method retrolm [options of kvasir-cli map]
"""
import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROW = "dev_hotpotqa-5ae619515542995703ce8afc_12288"


def find(folder, wanted):
    with gzip.open(folder / "dev_rows.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["id"] == wanted:
                return row
    sys.exit(f"There is no row {wanted}.")


def marked(row):
    """The lines of the gold paragraphs: each names all chunks that hold some of it. Lines that stand elsewhere too name others, so
    they are left out."""
    lines = [line.strip() for start, end in row["gold_spans"] for line in row["context"][start:end].split("\n") if line.strip()]
    return [line for line in lines if row["context"].count(line) == 1] or lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--row", default=ROW)
    options, more = parser.parse_known_args()
    row = find(options.folder, options.row)
    marks = [part for line in marked(row) for part in ("--mark", line)]
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "context.txt"
        text.write_text(row["context"], encoding="utf-8")
        subprocess.run([options.cli, "map", text, row["question"], "--library", Path(folder) / "library", *marks,
                        "--out", options.out, "--beside", *more], check=True)


if __name__ == "__main__":
    main()
