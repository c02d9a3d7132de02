#!/usr/bin/env python3
"""Compares kvasir-cli's logits with llama.cpp's on the same text and model.

  logits_versus_llama.py --cli build/release/app/kvasir-cli --llama LLAMA_BIN_FOLDER --model FILE.gguf --text TEXT [--f32]

llama-perplexity saves the log-probabilities of the second half of one window of --context tokens; ours are computed over
the same tokens. With --f32 llama.cpp is given the model with its weights written out as float32, so that both programs
multiply the same numbers; without it, llama.cpp rounds activations to 8 bits as it does for quantised weights.
Prints one JSON object: greedy agreement, mean absolute difference of the top log-probability, both perplexities.
"""
import argparse, json, math, os, struct, subprocess, sys, tempfile


def requantised(llama, model, folder):
    out = os.path.join(folder, os.path.basename(model) + ".f32.gguf")
    if not os.path.exists(out):
        subprocess.run([os.path.join(llama, "llama-quantize"), "--allow-requantize", model, out, "F32"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return out


def saved_logits(path):
    """Rows of (argmax, top log-probability, log-probability of the next token) of the first window."""
    with open(path, "rb") as file:
        assert file.read(8) == b"_logits_", "not a file of llama-perplexity"
        context, vocabulary, windows = struct.unpack("<iii", file.read(12))
        tokens = struct.unpack("<%di" % (context * windows), file.read(4 * context * windows))
        first = context // 2
        rows, width = [], 2 * ((vocabulary + 1) // 2) + 4
        for position in range(first, context - 1):
            raw = file.read(2 * width)
            scale, lowest = struct.unpack("<ff", raw[:8])
            values = memoryview(raw[8:]).cast("H")
            listed = values[:vocabulary].tolist()
            top = listed.index(max(listed))
            rows.append((top, scale * listed[top] + lowest, scale * listed[tokens[position + 1]] + lowest))
    return first, tokens[:context], rows


def main():
    parser = argparse.ArgumentParser()
    for name in ("cli", "llama", "model", "text"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="exact")
    parser.add_argument("--f32", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peer = requantised(args.llama, args.model, folder) if args.f32 else args.model
        saved = os.path.join(folder, "saved")
        subprocess.run([os.path.join(args.llama, "llama-perplexity"), "-m", peer, "-f", args.text, "-c", str(args.context),
                        "--chunks", "1", "-t", str(args.threads), "-b", str(args.context), "--save-all-logits", saved],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first, tokens, theirs = saved_logits(saved)
    ours = json.loads(subprocess.run([args.cli, "logits", args.text, "--top", "1", "--json", "--quiet", "--model", args.model,
                                      "--precision", args.precision], check=True, capture_output=True).stdout)
    same, difference, our_sum, their_sum, next_difference = 0, 0.0, 0.0, 0.0, 0.0
    for i, (top, value, following) in enumerate(theirs):
        token, log_probability = ours["positions"][first + i][0]
        same += token == top
        difference += abs(log_probability - value)
        our_next = ours["next_logprobs"][first + i]
        our_sum += our_next
        their_sum += following
        next_difference += abs(our_next - following)
    n = len(theirs)
    result = {"model": os.path.basename(args.model), "llama_weights": "f32" if args.f32 else "as shipped",
              "precision": args.precision, "positions": n, "greedy_equal": round(same / n, 4),
              "mean_top_difference": round(difference / n, 4), "mean_next_difference": round(next_difference / n, 4),
              "perplexity": round(math.exp(-our_sum / n), 4), "llama_perplexity": round(math.exp(-their_sum / n), 4)}
    result["perplexity_ratio"] = round(result["perplexity"] / result["llama_perplexity"], 5)
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
