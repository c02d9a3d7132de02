#!/bin/sh
# Builds llama.cpp's own programs, to measure beside: from the pinned source package on PyPI, once, about 12 minutes on 2
# cores. Prints the folder that holds llama-bench, llama-quantize, llama-tokenize and the others.
set -eu
version=0.3.36
sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
cache="${KVASIR_PEERS:-$HOME/.cache/kvasir-peers}"
archive="$cache/llama_cpp_python-$version.tar.gz"
source="$cache/llama_cpp_python-$version/vendor/llama.cpp"
bin="$source/build/bin"
whole="$source/build/whole"
if [ ! -f "$whole" ]; then
  mkdir -p "$cache"
  if [ ! -f "$archive" ]; then
    python3 -m pip download -q --no-deps --no-binary llama-cpp-python -d "$cache" "llama-cpp-python==$version" >&2
  fi
  if ! echo "$sha256  $archive" | sha256sum --check --quiet >&2; then
    rm -f "$archive"
    echo "llama-cpp-python $version is not the file that was measured with; it was removed" >&2
    exit 1
  fi
  tar -xzf "$archive" -C "$cache"
  # Its AMX kernels, built by Debian 12's compiler, end in an illegal instruction on processors that have AMX.
  flags=""
  if grep -q amx_tile /proc/cpuinfo; then flags="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"; fi
  cmake -S "$source" -B "$source/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" -DLLAMA_CURL=OFF \
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_UI=OFF >&2
  cmake --build "$source/build" --parallel "${KVASIR_JOBS:-$(nproc)}" --target llama-bench llama-completion \
    llama-perplexity llama-server llama-tokenize llama-quantize >&2
  touch "$whole"
fi
echo "$bin"
