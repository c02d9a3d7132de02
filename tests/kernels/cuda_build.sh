#!/usr/bin/env bash
# The CUDA kernels compile, warnings being errors, and their check starts: for the oldest architecture and the first with bf16
# on tensor cores, because all take minutes.
# usage: cuda_build.sh SOURCE_FOLDER BUILD_FOLDER
set -euo pipefail
cd "$1"
cmake --preset cuda -B "$2" "-DCMAKE_CUDA_ARCHITECTURES=75-real;80-real" -DKVASIR_ENGINE=OFF -DKVASIR_WINDOW=OFF -DKVASIR_WERROR=ON
cmake --build "$2" --target kvasir_kernels_cuda cuda_check
"$2/tests/kernels/cuda_check" "$2/app"
