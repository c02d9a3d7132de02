#!/usr/bin/env python3
"""Whether an answer holds as much memory as the engine says: each method in a process of its own, as a Markdown table.

  memory_versus_engine.py --build build/ci --text book.txt [--model FILE] [--methods full,whitened] [--tokens 32768]

Without --model, a synthetic model that has 16 layers and little to compute. What is measured, and when, is said at the head of
memory_held.cpp. Ends with 1 where a method's figures are further apart than --within, or one fails.
"""
import argparse, json, os, subprocess, sys, tempfile
from pathlib import Path


def methods_of(build):
    done = subprocess.run([build / "app/kvasir-cli", "methods", "--json"], capture_output=True, text=True, check=True)
    return [row["name"] for row in json.loads(done.stdout)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True, help="plain text; begun again where it is too short")
    parser.add_argument("--model", default="synthetic")
    parser.add_argument("--models", default=os.environ.get("KVASIR_MODELS", str(Path.home() / ".cache/kvasir/models")),
                        help="where the sentence embedder lies")
    parser.add_argument("--methods", help="all unless set")
    parser.add_argument("--tokens", type=int, default=32768)
    parser.add_argument("--budget", type=int, default=2048)
    parser.add_argument("--within", type=float, default=0.02)
    parser.add_argument("--keep", type=Path, help="a folder for what was read, to be asked again")
    options = parser.parse_args()
    methods = options.methods.split(",") if options.methods else methods_of(options.build)
    failed = []
    print("| method | counted MB | process grew by MB | apart | stays after it MB | on disk MB |\n|---|---|---|---|---|---|",
          flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for method in methods:
            kept = options.keep or Path(folder)
            kept.mkdir(parents=True, exist_ok=True)
            file = kept / f"{method}-{options.tokens}.kv"
            command = [options.build / "tests/bench/memory_held", options.model, options.text, method, options.tokens,
                       options.budget, file, options.models]
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            if not options.keep:
                file.unlink(missing_ok=True)
            if done.returncode != 0:
                print(f"| {method} | {done.stderr.strip()} | | | | |", flush=True)
                if "carries no factors" not in done.stderr:  # longrope, with most models
                    failed.append(method)
                continue
            row = json.loads(done.stdout)
            apart = row["counted"] / row["grown"] - 1
            if abs(apart) > options.within:
                failed.append(method)
            print(f"| {method} | {row['counted'] / 1e6:.2f} | {row['grown'] / 1e6:.2f} | {apart:+.1%} | "
                  f"{row['left'] / 1e6:.2f} | {row['on_disk'] / 1e6:.0f} |", flush=True)
    if failed:
        sys.exit("not within {:.0%}: {}".format(options.within, ", ".join(failed)))


if __name__ == "__main__":
    main()
