#!/usr/bin/env python3
"""Compares two runs: of google-benchmark (`./dev bench --kernels --benchmark_out=FILE`) or of `kvasir-cli bench --json`.

Prints a line a case that both have: before, after, and how many times as fast. Repetitions of a case count by their median. With
--least R the exit status is 1 where a case became slower than R times as fast.
"""
import argparse
import json
import statistics
import sys
from pathlib import Path


def speeds(path):
    """Runs a second of each case; for kvasir-cli, tokens a second."""
    run = json.loads(Path(path).read_text())
    found = {}
    for row in run.get("benchmarks", []):
        if row.get("run_type", "iteration") == "iteration":
            unit = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1}[row["time_unit"]]
            found.setdefault(row["name"], []).append(unit / row["cpu_time"])
    for row in run.get("results", []):
        name = f"{row['kind']} {row['tokens']} after {row['depth']} {row.get('method', '')}".strip()
        found.setdefault(name, []).append(row["tokens_per_second"])
    if not found:
        sys.exit(f"{path} holds no measurements.")
    return {name: statistics.median(values) for name, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--least", type=float, default=0, help="fail below this ratio")
    options = parser.parse_args()
    before, after = speeds(options.before), speeds(options.after)
    both = [name for name in before if name in after]
    if not both:
        sys.exit("The runs have no case in common.")
    width = max(map(len, both))
    slower = 0
    print(f"{'case':{width}}  {'before':>10}  {'after':>10}  ratio   (a second)")
    for name in both:
        ratio = after[name] / before[name]
        slower += ratio < options.least
        print(f"{name:{width}}  {before[name]:10.4g}  {after[name]:10.4g}  {ratio:5.2f}")
    if slower:
        sys.exit(f"{slower} of {len(both)} cases are below {options.least} times as fast.")


if __name__ == "__main__":
    main()
