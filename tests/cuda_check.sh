#!/usr/bin/env bash
# All about CUDA on a machine that has a GPU: builds the preset cuda, checks every kernel on every device, and shows
# what the program says of it. Without a GPU it builds, and says that nothing ran on one.
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
    printf '\nThe CUDA kernels were built. Nothing ran on a GPU, because none can be used here; the line at the top says why.\n' ;;
  *) if [ "$status" = 0 ]; then printf '\nEvery kernel is right on the GPU.\n'; else printf '\nKernels differ: see above.\n'; fi ;;
esac
exit "$status"
