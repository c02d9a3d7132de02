#!/usr/bin/env python3
"""Measures kvasir-cli beside llama.cpp: same model, same threads, rounds in turn, medians.

llama.cpp is measured at its best: a first round tries the file as shipped and requantised ones, each with and without flash
attention. Each case keeps what came near the fastest there (prompts longer than 2,048 the format that was fastest at 2,048), goes on
with all of that, as a machine may swing, and counts the one with the highest median. Prompts of --once are read one time by each, as they take many minutes: not by
`full`, and by llama.cpp as it read the longest of the others; tokens after a context of --depth likewise one time, as each generates fastest
at none. For those of --extrapolate its time is taken from its own
curve, a n + b n² through what it was measured at. Prints a Markdown table; --out also writes every figure as JSON.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

FORMATS = ["Q4_0", "Q8_0", "BF16"]
LONGEST_TRIED = 2048
NEAR = 0.85  # of the fastest


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout)


def case_name(kind, tokens, depth=0):
    return f"{kind} {tokens}" + (f" after {depth}" if depth else "")


def describe(setting):
    return setting[0] + (", flash attention" if setting[1] == "1" else "")


def measure_kvasir(options, prompts, generate, depths=()):
    """By method and case."""
    figures = {}
    for method in options.methods:
        command = [options.cli, "bench", "--model", options.model, "--threads", options.threads, "--method", method, "--depth",
                   ",".join(map(str, depths)) or "0", "--json"]
        command += (["--prompt", ",".join(map(str, prompts))] if prompts else []) + (["--generate", generate] if generate != "0" else [])
        figures.update({(method, case_name(row["kind"], row["tokens"], row.get("depth", 0))): row["tokens_per_second"]
                        for row in run_json(command)["results"]})
    return figures


def measure_llama(options, model, prompts, generate, flash, depths=(), warms_up=True):
    """By case. It warms up by all it measures, which takes twice as long."""
    rows = run_json([
        options.llama / "llama-bench", "-m", model, "-t", options.threads, "-r", "1", "-o", "json", "-fa", flash,
        "-p", ",".join(map(str, prompts)) or "0", "-n", generate] + (["-d", ",".join(map(str, depths))] if depths else []) +
        ([] if warms_up else ["--no-warmup"]))
    return {case_name("read", row["n_prompt"]) if row["n_prompt"] else case_name("generate", row["n_gen"], row.get("n_depth", 0)):
            row["avg_ts"] for row in rows}


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


def near_fastest(figures):
    return [setting for setting, speed in figures.items() if speed >= NEAR * max(figures.values())]


def generated(options):
    """The case of generating at an empty context, where it is asked for."""
    return [case_name("generate", options.generate)] if options.generate != "0" else []


def settings_to_keep(options):
    """For each case the (format, flash)s that llama.cpp is about as fast with as with any, the files, and all figures of this first
    round."""
    files = {"as shipped": options.model, **{name: requantise(options, name) for name in FORMATS}}
    short = [tokens for tokens in options.prompt if tokens <= LONGEST_TRIED] or [LONGEST_TRIED]
    first = {}
    for name, file in files.items():
        for flash in ("0", "1"):
            print(f"llama.cpp, {name}, flash attention {flash}", file=sys.stderr)
            first[name, flash] = measure_llama(options, file, short, options.generate, flash)
    of_case = lambda case: {setting: figures[case] for setting, figures in first.items()}
    wanted = generated(options) + [case_name("read", tokens) for tokens in options.prompt if tokens in short]
    kept = {case: near_fastest(of_case(case)) for case in wanted}
    middle = of_case(case_name("read", short[-1]))
    name = max(middle, key=middle.get)[0]
    for case, tokens in [(case_name("read", tokens), tokens) for tokens in options.prompt if tokens not in short]:
        kept[case] = near_fastest({(name, flash): measure_llama(options, files[name], [tokens], "0", flash)[case] for flash in ("0", "1")})
    return files, kept, first


def measure_kept(options, files, kept):
    """One round of llama.cpp: every case with each of its settings."""
    figures = {}
    for setting in sorted({setting for settings in kept.values() for setting in settings}):
        mine = [case for case, settings in kept.items() if setting in settings]
        prompts = [int(case.split()[1]) for case in mine if case.startswith("read")]
        generate = options.generate if any(case.startswith("generate") for case in mine) else "0"
        measured = measure_llama(options, files[setting[0]], prompts, generate, setting[1])
        figures.update({(case, setting): figure for case, figure in measured.items()})
    return figures


def extrapolated(points, tokens):
    """Tokens a second at `tokens`, from (tokens, tokens a second): seconds are a n + b n², by least squares of what a token takes."""
    costs = [(n, 1 / speed) for n, speed in points]
    middle = sum(n for n, _ in costs) / len(costs), sum(cost for _, cost in costs) / len(costs)
    slope = (sum((n - middle[0]) * (cost - middle[1]) for n, cost in costs) / sum((n - middle[0]) ** 2 for n, _ in costs))
    return 1 / (middle[1] + slope * (tokens - middle[0]))


def main():
    numbers = lambda text: [int(part) for part in text.split(",") if part]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True, help="kvasir-cli")
    parser.add_argument("--llama", type=Path, required=True, help="folder of llama.cpp's programs")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--cache", type=Path, required=True, help="where requantised models are kept")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=["full", "retrolm"], help="full,retrolm")
    parser.add_argument("--prompt", type=numbers, default=[512, 2048, 8192], help="512,2048,8192")
    parser.add_argument("--once", type=numbers, default=[], help="32768")
    parser.add_argument("--extrapolate", type=numbers, default=[], help="131072")
    parser.add_argument("--generate", default="64", help="64; 0: not measured")
    parser.add_argument("--depth", type=numbers, default=[], help="32768")
    parser.add_argument("--out", type=Path, help="JSON of every figure")
    options = parser.parse_args()

    files, kept, first = settings_to_keep(options)
    ours, theirs = {}, {}
    add = lambda to, figures: [to.setdefault(case, []).append(figure) for case, figure in figures.items()]
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        add(ours, measure_kvasir(options, options.prompt, options.generate))
        add(theirs, measure_kept(options, files, kept))
    middles = {key: statistics.median(figures) for key, figures in theirs.items()}
    best = {case: max(settings, key=lambda setting: middles[case, setting]) for case, settings in kept.items()}
    its = {case: middles[case, setting] for case, setting in best.items()}
    notes = {case: describe(setting) for case, setting in best.items()}
    longest = best[case_name("read", options.prompt[-1])]
    options.methods = [method for method in options.methods if method != "full"] or options.methods  # it takes long
    if options.once:
        print("once", file=sys.stderr)
        add(ours, measure_kvasir(options, options.once, "0"))
        its.update(measure_llama(options, files[longest[0]], options.once, "0", longest[1], warms_up=False))
        notes.update({case_name("read", tokens): describe(longest) for tokens in options.once})
    if options.depth and options.generate != "0":
        print("after a context", file=sys.stderr)
        fastest = best[generated(options)[0]]
        add(ours, measure_kvasir(options, [], options.generate, options.depth))
        its.update(measure_llama(options, files[fastest[0]], [], options.generate, fastest[1], options.depth, warms_up=False))
        notes.update({case_name("generate", options.generate, depth): describe(fastest) for depth in options.depth})
    curve = [(tokens, its[case_name("read", tokens)]) for tokens in options.prompt + options.once]
    if options.extrapolate:
        add(ours, measure_kvasir(options, options.extrapolate, "0"))
    for tokens in options.extrapolate:
        its[case_name("read", tokens)] = extrapolated(curve, tokens)
        notes[case_name("read", tokens)] = "extrapolated"

    print(f"Tokens a second, {options.threads} threads, medians of {options.rounds} rounds in turn.\n")
    print("| case | method | kvasir | llama.cpp | its format | ratio |\n|---|---|---|---|---|---|")
    after = [case_name("generate", options.generate, depth) for depth in options.depth] if options.generate != "0" else []
    for case in [case_name("read", tokens) for tokens in options.prompt + options.once + options.extrapolate] + generated(options) + after:
        for (method, mine_of), figures in ours.items():
            if mine_of == case:
                mine = statistics.median(figures)
                print(f"| {case} | {method} | {mine:.0f} | {its[case]:.0f} | {notes[case]} | {mine / its[case]:.2f} |")
    if options.out:
        options.out.write_text(json.dumps(
            {"kvasir": {f"{method}, {case}": figures for (method, case), figures in ours.items()},
             "llama.cpp": {f"{case}, {describe(setting)}": figures for (case, setting), figures in theirs.items()}, "counted": its,
             "settings": notes, "first_round": {describe(setting): figures for setting, figures in first.items()},
             "threads": options.threads, "model": options.model.name}, indent=1))


if __name__ == "__main__":
    main()
