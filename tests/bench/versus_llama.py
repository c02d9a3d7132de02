#!/usr/bin/env python3
"""Measures kvasir-cli beside llama.cpp: same model, same threads, rounds in turn, medians.

llama.cpp is measured in its best format: a first round tries the file as shipped and requantised ones, and each case keeps
the format that was fastest there. Prints a Markdown table; --out also writes every figure as JSON.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

FORMATS = ["Q4_0", "Q8_0", "BF16", "F32"]


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout)


def case_name(kind, tokens):
    return f"{kind} {tokens}"


def measure_kvasir(options):
    results = run_json([
        options.cli, "bench", "--model", options.model, "--threads", options.threads, "--method", "full", "--depth", "0",
        "--prompt", ",".join(map(str, options.prompt)), "--generate", options.generate, "--json"])["results"]
    return {case_name(row["kind"], row["tokens"]): row["tokens_per_second"] for row in results}


def measure_llama(options, model):
    rows = run_json([
        options.llama / "llama-bench", "-m", model, "-t", options.threads, "-r", "1", "-o", "json",
        "-p", ",".join(map(str, options.prompt)), "-n", options.generate])
    return {case_name("read", row["n_prompt"]) if row["n_prompt"] else case_name("generate", row["n_gen"]): row["avg_ts"]
            for row in rows}


def requantise(options, wanted):
    """The model in another format, made once and kept."""
    options.cache.mkdir(parents=True, exist_ok=True)
    made = options.cache / f"{options.model.stem}.as-{wanted}.gguf"
    if not made.exists():
        part = made.with_suffix(".part")
        subprocess.run([options.llama / "llama-quantize", "--allow-requantize", options.model, part, wanted],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        part.rename(made)
    return made


def best_formats(options, cases):
    """For each case the file llama.cpp is fastest with, and all figures of this first round."""
    files = {"as shipped": options.model, **{name: requantise(options, name) for name in FORMATS}}
    first = {}
    for name, file in files.items():
        print(f"llama.cpp, {name}", file=sys.stderr)
        first[name] = measure_llama(options, file)
    best = {case: max(files, key=lambda name: first[name][case]) for case in cases}
    return files, best, first


def main():
    numbers = lambda text: [int(part) for part in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True, help="kvasir-cli")
    parser.add_argument("--llama", type=Path, required=True, help="folder of llama.cpp's programs")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--cache", type=Path, required=True, help="where requantised models are kept")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt", type=numbers, default=[512, 2048, 8192], help="512,2048,8192")
    parser.add_argument("--generate", default="64")
    parser.add_argument("--out", type=Path, help="JSON of every figure")
    options = parser.parse_args()

    cases = [case_name("read", tokens) for tokens in options.prompt] + [case_name("generate", options.generate)]
    files, best, first = best_formats(options, cases)
    ours = {case: [] for case in cases}
    theirs = {case: [] for case in cases}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        figures = measure_kvasir(options)
        for case in cases:
            ours[case].append(figures[case])
        for name in sorted(set(best.values())):
            figures = measure_llama(options, files[name])
            for case in cases:
                if best[case] == name:
                    theirs[case].append(figures[case])

    print(f"Tokens a second, {options.threads} threads, medians of {options.rounds} rounds in turn.\n")
    print("| case | kvasir | llama.cpp | its format | ratio |\n|---|---|---|---|---|")
    for case in cases:
        mine, its = statistics.median(ours[case]), statistics.median(theirs[case])
        print(f"| {case} | {mine:.0f} | {its:.0f} | {best[case]} | {mine / its:.2f} |")
    if options.out:
        options.out.write_text(json.dumps(
            {"kvasir": ours, "llama.cpp": theirs, "formats": best, "first_round": first,
             "threads": options.threads, "model": options.model.name}, indent=1))


if __name__ == "__main__":
    main()
