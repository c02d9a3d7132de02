#!/usr/bin/env python3
"""Measures kvasir-cli beside llama.cpp: same model, same threads, rounds in turn, medians.

llama.cpp is measured at its best: a first round tries the file as shipped and requantised ones, each with and without flash
attention, and each case keeps what was fastest there (prompts longer than 2,048 what was fastest at 2,048, with the flash
setting that is fastest at their own length). Prints a Markdown table; --out also writes every figure as JSON.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

FORMATS = ["Q4_0", "Q8_0", "BF16"]
LONGEST_TRIED = 2048


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout)


def case_name(kind, tokens):
    return f"{kind} {tokens}"


def describe(setting):
    return setting[0] + (", flash attention" if setting[1] == "1" else "")


def measure_kvasir(options):
    results = run_json([
        options.cli, "bench", "--model", options.model, "--threads", options.threads, "--method", "full", "--depth", "0",
        "--prompt", ",".join(map(str, options.prompt)), "--generate", options.generate, "--json"])["results"]
    return {case_name(row["kind"], row["tokens"]): row["tokens_per_second"] for row in results}


def measure_llama(options, model, prompts, generate, flash):
    rows = run_json([
        options.llama / "llama-bench", "-m", model, "-t", options.threads, "-r", "1", "-o", "json", "-fa", flash,
        "-p", ",".join(map(str, prompts)) or "0", "-n", generate])
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


def best_settings(options):
    """For each case the (format, flash) llama.cpp is fastest with, the files, and all figures of this first round."""
    files = {"as shipped": options.model, **{name: requantise(options, name) for name in FORMATS}}
    short = [tokens for tokens in options.prompt if tokens <= LONGEST_TRIED] or [LONGEST_TRIED]
    first = {}
    for name, file in files.items():
        for flash in ("0", "1"):
            print(f"llama.cpp, {name}, flash attention {flash}", file=sys.stderr)
            first[name, flash] = measure_llama(options, file, short, options.generate, flash)
    fastest = lambda case: max(first, key=lambda setting: first[setting][case])
    best = {case_name("generate", options.generate): fastest(case_name("generate", options.generate))}
    for tokens in options.prompt:
        case = case_name("read", tokens)
        if tokens in short:
            best[case] = fastest(case)
            continue
        name = fastest(case_name("read", short[-1]))[0]
        long = {flash: measure_llama(options, files[name], [tokens], "0", flash)[case] for flash in ("0", "1")}
        best[case] = (name, max(long, key=long.get))
    return files, best, first


def measure_best(options, files, best):
    """One round of llama.cpp: every case with its best setting."""
    figures = {}
    for setting in sorted(set(best.values())):
        mine = [case for case in best if best[case] == setting]
        prompts = [int(case.split()[1]) for case in mine if case.startswith("read")]
        generate = options.generate if any(case.startswith("generate") for case in mine) else "0"
        figures.update(measure_llama(options, files[setting[0]], prompts, generate, setting[1]))
    return figures


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
    files, best, first = best_settings(options)
    ours = {case: [] for case in cases}
    theirs = {case: [] for case in cases}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        mine, its = measure_kvasir(options), measure_best(options, files, best)
        for case in cases:
            ours[case].append(mine[case])
            theirs[case].append(its[case])

    print(f"Tokens a second, {options.threads} threads, medians of {options.rounds} rounds in turn.\n")
    print("| case | kvasir | llama.cpp | its format | ratio |\n|---|---|---|---|---|")
    for case in cases:
        mine, its = statistics.median(ours[case]), statistics.median(theirs[case])
        print(f"| {case} | {mine:.0f} | {its:.0f} | {describe(best[case])} | {mine / its:.2f} |")
    if options.out:
        options.out.write_text(json.dumps(
            {"kvasir": ours, "llama.cpp": theirs, "settings": {case: describe(best[case]) for case in cases},
             "first_round": {describe(setting): figures for setting, figures in first.items()},
             "threads": options.threads, "model": options.model.name}, indent=1))


if __name__ == "__main__":
    main()
