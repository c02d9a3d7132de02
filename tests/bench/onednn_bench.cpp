// What oneDNN reaches for products of the default model's shapes on one thread, beside `multiply` and
// `multiplyInBytes` of kernels_bench.cpp: weights that it has laid out for itself before.
#include <benchmark/benchmark.h>

#include "engine/torch.h"

namespace {

/// Arguments as of `multiply`: rows, columns, rows of x.
void oneDnn(benchmark::State& state, at::ScalarType type) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  const std::int64_t rows = state.range(0), columns = state.range(1), count = state.range(2);
  const at::Tensor weights = at::randn({rows, columns}).to_mkldnn(type),
                   x = at::randn({count, columns}).to_mkldnn(type);
  for (auto _ : state) benchmark::DoNotOptimize(at::mkldnn_linear(x, weights));
  state.counters["products"] =
      benchmark::Counter(double(rows * columns * count), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(oneDnn, float32, at::kFloat)
    ->Args({3072, 576, 512})
    ->Args({576, 1536, 512})
    ->Args({3072, 768, 512})
    ->Args({3072, 576, 1});
BENCHMARK_CAPTURE(oneDnn, bf16, at::kBFloat16)
    ->Args({3072, 576, 512})
    ->Args({576, 1536, 512})
    ->Args({3072, 768, 512})
    ->Args({3072, 576, 1});

}  // namespace
