// Times of the kernels, on one thread, at the default model's shapes. Counters are products of two numbers and
// bytes of weights a second.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "kernels/attend.h"
#include "kernels/cases.h"
#include "kernels/host_backend.h"

namespace kvasir {
namespace {

using benchmark::Counter;
using benchmark::State;
using cases::Levels, cases::Matrix, cases::Offsets;

void countEach(State& state, double products, double bytes = 0) {
  state.counters["products"] = Counter(products, Counter::kIsIterationInvariantRate);
  if (bytes > 0) state.counters["bytes"] = Counter(bytes, Counter::kIsIterationInvariantRate);
}

/// Arguments: rows, columns, rows of x.
void multiply(State& state, Matrix::Kind kind) {
  const auto rows = static_cast<int>(state.range(0)), columns = static_cast<int>(state.range(1));
  const auto count = static_cast<int>(state.range(2));
  const Matrix matrix(rows, columns, kind);
  cases::Rounded<float> x{count, columns, kind.blockSize};
  roundRows(x.argument(), 0, count);
  std::vector<float> y(std::size_t(count) * rows);
  const PanelProduct<float> product{
      matrix.packed.matrix(), x.levels.data(), x.scales.data(), x.sums.data(), count, y.data(), rows};
  for (auto _ : state) {
    multiplyPanels(product, 0, product.matrix.panels());
    benchmark::ClobberMemory();
  }
  countEach(state, double(rows) * columns * count, double(matrix.packed.bytes()));
}
BENCHMARK_CAPTURE(multiply, q4_1, Matrix::Kind{32, Levels::Nibbles, Offsets::Some})
    ->Args({960, 576, 1})
    ->Args({3072, 576, 1})
    ->Args({576, 1536, 1})
    ->Args({3072, 576, 2})
    ->Args({3072, 576, 4})
    ->Args({3072, 576, 8})
    ->Args({3072, 576, 512})
    ->Args({576, 1536, 512});
BENCHMARK_CAPTURE(multiply, q4_0, Matrix::Kind{32, Levels::SignedNibbles})
    ->Args({3072, 576, 1})
    ->Args({3072, 576, 512});
BENCHMARK_CAPTURE(multiply, q8_0, Matrix::Kind{32})->Args({49152, 576, 1})->Args({3072, 576, 512});
BENCHMARK_CAPTURE(multiply, q6_k, Matrix::Kind{16, Levels::Bytes, Offsets::None, cases::Scales::Floats})
    ->Args({3072, 768, 1})
    ->Args({3072, 768, 512});

/// The same on 8-bit levels of x.
void multiplyInBytes(State& state, Matrix::Kind kind) {
  const auto rows = static_cast<int>(state.range(0)), columns = static_cast<int>(state.range(1));
  const auto count = static_cast<int>(state.range(2));
  const Matrix matrix(rows, columns, kind);
  cases::RoundedBlocks<float> x{count, columns, kind.blockSize};
  x.in = cases::randomValues<float>(std::int64_t{count} * columns, 3, 3);
  roundBlocks(x.argument(), 0, count);
  std::vector<float> y(std::size_t(count) * rows);
  const BlockProduct<float> product{matrix.packed.matrix(),
                                    x.levels.data(),
                                    x.fine.data(),
                                    x.hasFine.data(),
                                    x.scales.data(),
                                    x.sums.data(),
                                    count,
                                    y.data(),
                                    rows};
  for (auto _ : state) {
    multiplyBlocks(product, 0, product.matrix.panels());
    benchmark::ClobberMemory();
  }
  countEach(state, double(rows) * columns * count, double(matrix.packed.bytes()));
}
BENCHMARK_CAPTURE(multiplyInBytes, q4_1, Matrix::Kind{32, Levels::Nibbles, Offsets::Some})
    ->Args({3072, 576, 16})
    ->Args({3072, 576, 512})
    ->Args({576, 1536, 512});

/// Arguments: rows, columns.
void roundToLevels(State& state) {
  cases::Rounded<float> x{static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), 32};
  const RowRounding<float> rounding = x.argument();
  for (auto _ : state) {
    roundRows(rounding, 0, x.rows);
    benchmark::ClobberMemory();
  }
  countEach(state, double(x.rows) * x.columns);
}
BENCHMARK(roundToLevels)->Args({1, 576})->Args({512, 1536});

/// Keys of a KV head, or its values. Arguments: tokens, dimension, bits.
template <LevelGroups (*kGroups)(int, int, int)>
cases::Grouped<std::uint16_t> grouped(const State& state) {
  return cases::Grouped<std::uint16_t>(kGroups(
      static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2))));
}

template <LevelGroups (*kGroups)(int, int, int)>
void packToLevels(State& state) {
  cases::Grouped<std::uint16_t> numbers = grouped<kGroups>(state);
  const LevelPacking<std::uint16_t> packing = numbers.packing();
  for (auto _ : state) {
    packLevels(packing);
    benchmark::ClobberMemory();
  }
  countEach(state, double(numbers.numbers.size()));
}
BENCHMARK(packToLevels<cases::keysOf>)->Args({128, 64, 4})->Args({128, 64, 2});
BENCHMARK(packToLevels<cases::valuesOf>)->Args({128, 64, 4})->Args({128, 64, 2});

template <LevelGroups (*kGroups)(int, int, int)>
void unpackFromLevels(State& state) {
  cases::Grouped<std::uint16_t> numbers = grouped<kGroups>(state);
  packLevels(numbers.packing());
  const LevelUnpacking<std::uint16_t> unpacking = numbers.unpacking(numbers.numbers.data());
  for (auto _ : state) {
    unpackLevels(unpacking);
    benchmark::ClobberMemory();
  }
  countEach(state, double(numbers.numbers.size()));
}
BENCHMARK(unpackFromLevels<cases::keysOf>)->Args({128, 64, 4})->Args({128, 64, 2});
BENCHMARK(unpackFromLevels<cases::valuesOf>)->Args({128, 64, 4})->Args({128, 64, 2});

/// Arguments: chunks, floats of an entry.
void scoreAll(State& state) {
  const auto count = static_cast<int>(state.range(0)), width = static_cast<int>(state.range(1));
  cases::ScoredChunks chunks{count, width, width};
  const ChunkScores argument = chunks.argument();
  for (auto _ : state) {
    scoreChunks(argument, 0, count);
    benchmark::ClobberMemory();
  }
  countEach(state, double(count) * width, double(count) * width * sizeof(float));
}
BENCHMARK(scoreAll)->Args({1024, 576});

/// A chunk of three query heads reading. Arguments: dimension, keys.
template <class Value>
void attendChunk(State& state) {
  const auto dimension = static_cast<int>(state.range(0)), keys = static_cast<int>(state.range(1));
  cases::AttendedRows<Value> rows{3 * 128, dimension, keys};
  const BlockAttention<Value> attention = rows.argument();
  for (auto _ : state) {
    attendRows(attention, 0, rows.rows);
    benchmark::ClobberMemory();
  }
  countEach(state, 2.0 * rows.rows * dimension * keys);
}
BENCHMARK(attendChunk<std::uint16_t>)->Args({64, 256})->Args({64, 2048})->Args({64, 8192})->Args({256, 2048});
BENCHMARK(attendChunk<float>)->Args({64, 2048});

/// What its keys received of them. Arguments: dimension, keys.
template <class Value>
void receiveOfChunk(State& state) {
  const auto dimension = static_cast<int>(state.range(0)), keys = static_cast<int>(state.range(1));
  cases::Received<Value> received{{3 * 128, dimension, keys}, 3};
  const ReceivedAttention<Value> attention = received.argument();
  for (auto _ : state) {
    receiveAttention(attention, 0, keys);
    benchmark::ClobberMemory();
  }
  countEach(state, double(received.rows.rows) * dimension * keys);
}
BENCHMARK(receiveOfChunk<std::uint16_t>)->Args({64, 2048})->Args({64, 8192});

/// One token's queries of a KV head. Arguments: dimension, keys.
template <class Value>
void attendOne(State& state) {
  const cases::Attended<Value> attended{3, static_cast<int>(state.range(0)), static_cast<int>(state.range(1))};
  TokenAttention<Value> attention = attended.argument();
  cases::AttentionResult result(attention);
  result.pointFrom(attention);
  for (auto _ : state) {
    attendToken(attention);
    benchmark::ClobberMemory();
  }
  countEach(state, 2.0 * attended.group * attended.dimension * attended.count);
}
BENCHMARK(attendOne<std::uint16_t>)->Args({64, 2048})->Args({64, 32768})->Args({256, 2048});

/// The same of one packed chunk. Arguments: dimension, keys, bits.
void attendOnePacked(State& state) {
  const cases::PackedAttended attended{3, static_cast<int>(state.range(0)), static_cast<int>(state.range(1)),
                                       static_cast<int>(state.range(2))};
  PackedAttention attention = attended.argument();
  cases::AttentionResult result(attention);
  result.pointFrom(attention);
  for (auto _ : state) {
    attendPacked(attention);
    benchmark::ClobberMemory();
  }
  countEach(state, 2.0 * attended.group * attended.dimension * attended.count);
}
BENCHMARK(attendOnePacked)->Args({64, 128, 4})->Args({64, 128, 2})->Args({256, 128, 4});

/// Arguments: tokens, width.
void gateAll(State& state) {
  const cases::Gate<std::uint16_t> gate{static_cast<int>(state.range(0)), static_cast<int>(state.range(1)),
                                        RowGate<std::uint16_t>::Activation::Silu};
  std::vector<std::uint16_t> out(gate.in.size() / 2);
  const RowGate<std::uint16_t> argument = gate.argument(out.data());
  for (auto _ : state) {
    gateRows(argument, 0, gate.rows);
    benchmark::ClobberMemory();
  }
  countEach(state, double(gate.rows) * gate.width);
}
BENCHMARK(gateAll)->Args({1, 1536})->Args({512, 1536});

}  // namespace
}  // namespace kvasir

/// google-benchmark's options, and before them --instructions=NAME, as `kvasir-cli devices` lists them.
int main(int count, char** words) {
  constexpr std::string_view kInstructions = "--instructions=";
  if (count > 1 && std::string_view(words[1]).starts_with(kInstructions)) {
    try {
      kvasir::useInstructions(words[1] + kInstructions.size());
    } catch (const std::runtime_error& error) {
      std::cerr << error.what() << std::endl;
      return 2;
    }
    std::rotate(words + 1, words + 2, words + count);
    --count;
  }
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
