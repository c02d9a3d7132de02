#!/usr/bin/env bash
# All about CUDA on a machine that has a GPU: builds the preset cuda, checks every kernel on every device, shows what
# the program says of it, and runs the default model there and on the processor: how well it foresees a text, which
# must be the same to a part in a hundred, and how fast. Without a GPU it builds, and says that nothing ran on one.
# usage: tests/cuda_check.sh [ARCHITECTURES]   as CMake takes them, "90" or "75;90": all of the preset unless given
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v nvcc >/dev/null && [ ! -x /usr/local/cuda/bin/nvcc ]; then
  echo "Nothing was built or checked: there is no nvcc here; install CUDA Toolkit 13, or put its bin folder into PATH."
  exit 1
fi
if [ $# -gt 0 ]; then export KVASIR_CUDA_ARCHITECTURES="$1"; fi
./dev build cuda kvasir-cli kvasir_kernels_cuda cuda_check

status=0
checked="$(build/cuda/tests/kernels/cuda_check build/cuda/app)" || status=1
printf '%s\n\n' "$checked"
build/cuda/app/kvasir-cli devices --check || status=1
case "$checked" in
  "Nothing was checked."*)
    printf '\nThe CUDA kernels were built. Nothing ran on a GPU, because none can be used here; the line at the top says why.\n'
    exit "$status" ;;
esac
foresees() {  # the model's perplexity over this project's longest page, on the device $1
  build/cuda/app/kvasir-cli perplexity ARCHITECTURE.md --methods full,retrolm --lengths 2048,8192 --device "$1" --json 2>/dev/null
}
python3 - "$(foresees cuda)" "$(foresees cpu)" <<'PYTHON' || status=1
import json, sys
def wholes(text): return [row["whole"] for row in json.loads(text)["results"]]
cuda, cpu = wholes(sys.argv[1]), wholes(sys.argv[2])
worst = max(abs(a - b) / b for a, b in zip(cuda, cpu, strict=True))
print(f"\nForesight on the GPU lies within {worst:.2%} of the processor's.")
sys.exit(worst > .01)
PYTHON
for device in cuda cpu; do
  printf '\nOn %s:\n' "$device"
  build/cuda/app/kvasir-cli bench --methods full,retrolm --prompt 512,2048,8192 --generate 64 --device "$device" 2>/dev/null || status=1
done
if [ "$status" = 0 ]; then printf '\nAll is right on the GPU.\n'; else printf '\nSomething differs: see above.\n'; fi
exit "$status"
