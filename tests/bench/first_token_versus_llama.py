#!/usr/bin/env python3
"""Measures the first token of a new question to a text that was read before: kvasir-cli beside llama.cpp, which restores the prompt it
saved (llama-completion --prompt-cache).

  first_token_versus_llama.py BOOK.txt --cli build/release/app/kvasir-cli --llama $(tests/bench/build_llama.sh) --model MODEL.gguf

Of each length both read the same beginning of the book. Then both are asked by turns, each time in a new process, and medians count: of
Kvasir what `ask --json` says came between the loaded model and the first token; of llama.cpp what its process takes longer than
one that is asked at an empty context. It reads a long text for minutes; --extrapolate gives its time there by the line through the
longest two lengths that were measured.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUESTIONS = ["Who is the first person that is named?", "Where does the story begin?", "What does the narrator want?"]
LETTERS_A_TOKEN = 4.2  # of English prose: lengths are told by Kvasir's own count


def run(command):
    """Seconds it took, and what it said."""
    start = time.monotonic()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed: {done.stderr.strip()[-800:]}")
    return time.monotonic() - start, done.stdout


class Kvasir:
    def __init__(self, options, folder, book):
        self.command = [options.cli, "ask", book]
        self.rest = ["--model", options.model, "--threads", options.threads, "--library", folder / "library", "--max-tokens", "1", "--json",
                     "--quiet"]

    def ask(self, question, method):
        """Seconds to the first token, and the text's tokens."""
        result = json.loads(run([*self.command, question, "--method", method, *self.rest])[1])
        return result["seconds"]["first_token"], result["tokens"]["document"]


class Llama:
    def __init__(self, options, folder, book):
        self.saved, self.asked, self.text = folder / "saved", folder / "asked.txt", book.read_text(encoding="utf-8")
        self.command = [options.llama / "llama-completion", "-m", options.model, "-t", options.threads, "-fa", "on", "-no-cnv",
                        "--no-warmup", "--no-display-prompt", "-n", "1", "-c", "0" if options.context is None else options.context]
        run([*self.command, "-f", book, "--prompt-cache", self.saved])

    def ask(self, question):
        self.asked.write_text(f"{self.text}\n\n{question}\n", encoding="utf-8")
        restored, _ = run([*self.command, "-f", self.asked, "--prompt-cache", self.saved, "--prompt-cache-ro"])
        empty, _ = run([*self.command, "-p", question])
        return restored - empty


def measure(options, letters):
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        book = folder / "book.txt"
        book.write_text(options.book.read_text(encoding="utf-8")[:letters], encoding="utf-8")
        kvasir = Kvasir(options, folder, book)
        tokens = kvasir.ask(QUESTIONS[0], options.methods[0])[1]
        for method in options.methods[1:]:
            kvasir.ask(QUESTIONS[0], method)
        print(f"{tokens} tokens: llama.cpp reads them", file=sys.stderr)
        llama = Llama(options, folder, book)
        seconds = {}
        for question in QUESTIONS:
            for method in options.methods:
                seconds.setdefault(method, []).append(kvasir.ask(question, method)[0])
            seconds.setdefault("llama.cpp", []).append(llama.ask(question))
        return tokens, {name: statistics.median(figures) for name, figures in seconds.items()}


def main():
    numbers = lambda text: [int(part) for part in text.split(",") if part]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--llama", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=["retrolm", "reread"])
    parser.add_argument("--lengths", type=numbers, default=[4096, 8192, 16384])
    parser.add_argument("--extrapolate", type=numbers, default=[131072])
    parser.add_argument("--threads", default="2")
    parser.add_argument("--context", help="llama.cpp's, in tokens, where a text is longer than the model was trained on")
    parser.add_argument("--work", type=Path, help="a folder with room for llama.cpp's saved prompts")
    options = parser.parse_args()
    rows = [measure(options, round(tokens * LETTERS_A_TOKEN)) for tokens in options.lengths]
    print("| tokens | " + " | ".join(options.methods) + " | llama.cpp, restored | ratios |\n|---|" + "---|" * (len(options.methods) + 2))
    for tokens, seconds in rows:
        ratios = ", ".join(f"{seconds['llama.cpp'] / seconds[method]:.1f}" for method in options.methods)
        print(f"| {tokens:,} | " + " | ".join(f"{seconds[method]:.2f}" for method in options.methods) +
              f" | {seconds['llama.cpp']:.2f} | {ratios} |")
    (n, first), (m, second) = [(tokens, seconds["llama.cpp"]) for tokens, seconds in rows[-2:]]
    for tokens in options.extrapolate:
        print(f"| {tokens:,} | " + "– | " * len(options.methods) + f"{second + (second - first) * (tokens - m) / (m - n):.2f}, extrapolated | – |")


if __name__ == "__main__":
    main()
