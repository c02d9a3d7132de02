#!/usr/bin/env python3
"""The program with the default model as a user has it: how soon Ctrl-C ends it, how soon it answers what is read, and that its
own memory does not grow with the document. Prints the figures; ends with 1 where one is beyond its bound.

  real_reading.py --cli build/ci/app/kvasir-cli --sample resources/sample/opm_report_2014.pdf
"""
import argparse, json, signal, subprocess, sys, tempfile, time
from pathlib import Path

QUESTION = "How many performance measures does the strategic plan have?"
SENTENCES = 1200  # of the longer text: some 40,000 tokens
QUOTED = "the performance measures of the strategic plan"
failures = []


def hold(what, figure, bound, unit):
    print(f"{what}: {figure:.2f} {unit} (bound {bound:g})", flush=True)
    if figure > bound:
        failures.append(what)


def anonymous_mb(process):
    """Memory that is the process's own, not a file's."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except FileNotFoundError:
        return 0
    return next((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("RssAnon")), 0)


def start(*words):
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def reading_peak(options, library, file):
    process, peak = start(options.cli, "read", file, "--library", library, "--quiet"), 0
    while process.poll() is None:
        peak = max(peak, anonymous_mb(process))
        time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(process.stderr.read())
    return peak


def stopped_after(options, library, seconds):
    process = start(options.cli, "read", options.sample, "--library", library)
    time.sleep(seconds)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate()
    if process.returncode not in (1, -signal.SIGINT):  # the latter before the program has begun
        sys.exit(f"stopped after {seconds} s it ended with {process.returncode}")
    return time.monotonic() - sent


def ask(options, library, question, *more):
    """What --json says of the answer."""
    answer, errors = start(options.cli, "ask", options.sample, question, "--library", library, "--json", *more).communicate()
    if not answer:
        sys.exit(errors)
    return json.loads(answer)


def quote(options, library, *more):
    """An answer that quotes its document, and how many of its tokens were guessed."""
    answer = ask(options, library, f"Quote the sentence about {QUOTED}.", "--method", "retrolm", "--max-tokens", "80", *more)
    return (answer["answer"], answer["log_probability"], answer["tokens"]["answer"]), answer["guesses"]


def text_of(folder, sentences):
    file = folder / f"{sentences}.txt"
    file.write_text("\n\n".join(f"Entry {i} of the log: the {i * 7 % 31}th ship came in at {i * 13 % 24} o'clock with "
                                f"{i * 17 % 97} barrels of oil, and left with {i * 5 % 89} sacks." for i in range(sentences)))
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--sample", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and their children, ignore it
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for seconds in (0.2, 1, 3):
            hold(f"Ctrl-C after {seconds} s", stopped_after(options, folder / "stopped", seconds), 0.2, "s")
        subprocess.run([options.cli, "read", options.sample, "--library", folder / "read", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        seconds = ask(options, folder / "read", QUESTION)["seconds"]
        hold("reading what is read", seconds["read"], 0, "s")
        hold("first token of a document that is read", seconds["first_token"], 1, "s")
        (guessed, guesses), (plain, _) = quote(options, folder / "read"), quote(options, folder / "read", "--no-guesses")
        if guessed != plain:
            sys.exit(f"With guesses it says {guessed}, without {plain}")
        print(f"Of {guessed[2]} tokens of a quotation {guesses['tried']} were guessed, {guesses['right']} rightly")
        short, long = (reading_peak(options, folder / "grown", text_of(folder, count)) for count in (SENTENCES // 4, SENTENCES))
        hold("memory of its own, of a text four times as long", long / short, 1.25, "times")
    if failures:
        sys.exit("Beyond its bound: " + "; ".join(failures))


if __name__ == "__main__":
    main()
