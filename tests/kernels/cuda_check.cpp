// Runs every kernel on the CUDA device against the reference, a line each. Exit 1 when one differs, 0
// otherwise: also when there is no device, after saying that nothing was checked.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda.h"
#include "tests/kernels/cases.h"

namespace kvasir {
namespace {

void require(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

/// A copy of numbers in the device's memory.
template <class Value>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<Value>& values) : size_(values.size()) {
    require(cudaMalloc(&memory_, std::max<std::size_t>(bytes(), 1)));
    require(cudaMemcpy(memory_, values.data(), bytes(), cudaMemcpyHostToDevice));
  }
  ~DeviceArray() { cudaFree(memory_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  Value* data() const { return size_ ? static_cast<Value*>(memory_) : nullptr; }

  /// After all the work given to the device before.
  std::vector<Value> read() const {
    std::vector<Value> values(size_);
    require(cudaDeviceSynchronize());
    require(cudaMemcpy(values.data(), memory_, bytes(), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  std::size_t bytes() const { return size_ * sizeof(Value); }

  std::size_t size_;
  void* memory_ = nullptr;
};

using cases::Matrix;

/// A packed matrix on the device.
struct DeviceMatrix {
  explicit DeviceMatrix(const PackedPanels& packed)
      : words(copyOf(packed.words)),
        scales(copyOf(packed.scales)),
        offsets(copyOf(packed.offsets)),
        halfScales(copyOf(packed.halfScales)),
        halfOffsets(copyOf(packed.halfOffsets)),
        matrix(packed.shape) {
    matrix.words = words.data();
    matrix.scales = scales.data();
    matrix.offsets = offsets.data();
    matrix.halfScales = halfScales.data();
    matrix.halfOffsets = halfOffsets.data();
  }

  template <class Value>
  static std::vector<Value> copyOf(const LineVector<Value>& values) {
    return {values.begin(), values.end()};
  }

  DeviceArray<std::uint32_t> words;
  DeviceArray<float> scales, offsets;
  DeviceArray<std::uint16_t> halfScales, halfOffsets;
  PanelMatrix matrix;
};

std::string checkMultiplyExactly(const Matrix::Kind& kind) {
  const Matrix matrix(301, 192, kind);
  const DeviceMatrix device(matrix.packed);
  const std::vector<float> x = cases::randomValues<float>(192, 3, 3);
  const DeviceArray<float> deviceX(x), y(cases::unwritten<float>(301));
  multiplyExactlyOnDevice({device.matrix, deviceX.data(), y.data()}, nullptr);
  return reference::differences(reference::multiply(matrix.asRows(), [&](int i) { return double{x[i]}; }),
                                y.read());
}

template <class Out>
std::string checkExpand(const Matrix::Kind& kind) {
  const Matrix matrix(37, 96, kind);
  const DeviceMatrix device(matrix.packed);
  const DeviceArray<Out> out(cases::unwritten<Out>(37 * 96));
  expandRowsOnDevice(device.matrix, 37, out.data(), nullptr);
  return reference::differences(reference::expand<Out>(matrix.asRows(), 0, 37), out.read());
}

/// Rounds and multiplies three rows, on the device both.
template <class Value>
std::string checkMultiplyPanels(const Matrix::Kind& kind) {
  constexpr int kCount = 3;
  const Matrix matrix(41, 96, kind);
  const DeviceMatrix device(matrix.packed);
  cases::Rounded<Value> x{kCount, 96, kind.blockSize};
  const DeviceArray<Value> in(x.in), y(cases::unwritten<Value>(kCount * 41));
  const DeviceArray<std::int16_t> levels(x.levels);
  const DeviceArray<float> scales(x.scales), sums(x.sums);
  roundRowsOnDevice(
      RowRounding<Value>{in.data(), levels.data(), scales.data(), sums.data(), 96, kind.blockSize}, kCount,
      nullptr);
  multiplyPanelsOnDevice(
      PanelProduct<Value>{device.matrix, levels.data(), scales.data(), sums.data(), kCount, y.data(), 41},
      nullptr);
  x.levels = levels.read();
  x.scales = scales.read();
  const std::vector<Value> products = y.read();
  for (int index = 0; index < kCount; ++index) {
    const auto number = [&](int i) {
      const std::size_t at = std::size_t(index) * 96 + i;
      return double{x.scales[at / kind.blockSize]} * x.levels[at];
    };
    reference::Expectations expected = reference::multiply(matrix.asRows(), number);
    for (reference::Expected& entry : expected) entry = reference::stored<Value>(entry);
    const std::string text = reference::differences(expected, products.data() + index * 41);
    if (!text.empty()) return text;
  }
  return {};
}

template <class Value>
std::string checkAttendRows(cases::Sight sight) {
  cases::AttendedRows<Value> rows{50, 64, 173, sight};
  const BlockAttention<Value> host = rows.argument();
  const DeviceArray<Value> queries(rows.queries), keys(rows.keys), values(rows.values);
  const DeviceArray<int> begins(rows.begins), ends(rows.ends);
  const DeviceArray<float> output(rows.output), largest(rows.largest), sum(rows.sum);
  BlockAttention<Value> device = host;
  device.queries = queries.data();
  device.keys = keys.data();
  device.values = values.data();
  device.begins = begins.data();
  device.ends = ends.data();
  device.output = output.data();
  device.largest = largest.data();
  device.sum = sum.data();
  attendRowsOnDevice(device, rows.rows, nullptr);
  const std::vector<float> outputs = output.read(), totals = sum.read();
  for (int row = 0; row < rows.rows; ++row) {
    std::vector<float> divided;
    for (int i = 0; i < 64; ++i) divided.push_back(outputs[row * 64 + i] / totals[row]);
    const std::string text = reference::differences(reference::attendRow(host, row).output, divided);
    if (!text.empty()) return text;
  }
  return {};
}

template <class Value>
std::string checkSights() {
  return checkAttendRows<Value>(cases::Sight::All) + checkAttendRows<Value>(cases::Sight::Causal) +
         checkAttendRows<Value>(cases::Sight::Window);
}

/// A check over all kinds of matrices as one.
std::function<std::string()> ofEveryKind(std::string (*check)(const Matrix::Kind&)) {
  return [check] {
    std::string found;
    for (const Matrix::Kind& kind : cases::everyKind()) found += check(kind);
    return found;
  };
}

template <class Out>
std::string checkNormalize(int width) {
  const cases::Norm<Out> norm{5, width};
  const DeviceArray<float> in(norm.in), weight(norm.weight);
  const DeviceArray<Out> out(cases::unwritten<Out>(norm.in.size()));
  RowNorm<Out> argument = norm.argument(out.data());
  const reference::Expectations expected = reference::normalize(argument, 0, norm.rows);
  argument.in = in.data();
  argument.weight = weight.data();
  normalizeRowsOnDevice(argument, norm.rows, nullptr);
  return reference::differences(expected, out.read());
}

template <class Value>
std::string checkGate(typename RowGate<Value>::Activation activation, float range) {
  cases::Gate<Value> gated{3, 577, activation};
  gated.in = cases::randomValues<Value>(static_cast<std::int64_t>(gated.in.size()), range, 6);
  const DeviceArray<Value> in(gated.in), out(cases::unwritten<Value>(gated.in.size() / 2));
  RowGate<Value> argument = gated.argument(out.data());
  const reference::Expectations expected = reference::gate(argument, 0, gated.rows);
  argument.in = in.data();
  gateRowsOnDevice(argument, gated.rows, nullptr);
  return reference::differences(expected, out.read());
}

template <class Value>
std::string checkGates() {
  using Activation = typename RowGate<Value>::Activation;
  std::string found;
  for (const float range : {6.0f, 200.0f})
    for (const Activation activation : {Activation::Silu, Activation::GeluTanh})
      found += checkGate<Value>(activation, range);
  return found;
}

template <class Value>
std::string checkRotate(int half, cases::Angles angles) {
  const cases::Rotated<Value> rotated(9, half, angles);
  const DeviceArray<Value> memory(rotated.in);
  const DeviceArray<float> cosines(rotated.cosines), sines(rotated.sines);
  Rotation<Value> argument = rotated.argument(memory.data());
  const reference::Expectations expected = reference::rotate(argument);
  argument.in = memory.data();
  argument.cosines = cosines.data();
  argument.sines = sines.data();
  rotateRowsOnDevice(argument, nullptr);
  return reference::differences(expected, memory.read());
}

template <class Value>
std::string checkAttend(int group, int dimension, int count, float range) {
  const cases::Attended<Value> attended{group, dimension, count, range};
  const TokenAttention<Value> onHost = attended.argument();
  cases::AttentionResult<Value> result(onHost);
  const DeviceArray<float> queries(attended.queries), weights(result.weights), output(result.output),
      largest(result.largest), sum(result.sum);
  const DeviceArray<Value> keys(attended.keys), values(attended.values);
  TokenAttention<Value> argument = onHost;
  argument.queries = queries.data();
  argument.keys = keys.data();
  argument.values = values.data();
  argument.weights = weights.data();
  argument.output = output.data();
  argument.largest = largest.data();
  argument.sum = sum.data();
  attendTokenOnDevice(argument, nullptr);
  result.weights = weights.read();
  result.output = output.read();
  result.largest = largest.read();
  result.sum = sum.read();
  return result.differences(onHost);
}

template <class Value>
std::string checkAttends() {
  return checkAttend<Value>(3, 64, 1000, 2) + checkAttend<Value>(8, 33, 7, 2) +
         checkAttend<Value>(1, 128, 1, 2) + checkAttend<Value>(4, 64, 300, 40) +
         checkAttend<Value>(2, 20, 0, 2);
}

struct Check {
  const char* name;
  std::function<std::string()> run;
};

const std::vector<Check>& checks() {
  using Half = std::uint16_t;
  static const std::vector<Check> all = {
      {"multiplyExactly", ofEveryKind(checkMultiplyExactly)},
      {"expandRows, float", ofEveryKind(checkExpand<float>)},
      {"expandRows, bf16", ofEveryKind(checkExpand<Half>)},
      {"roundRows and multiplyPanels, float", ofEveryKind(checkMultiplyPanels<float>)},
      {"roundRows and multiplyPanels, bf16", ofEveryKind(checkMultiplyPanels<Half>)},
      {"normalizeRows, float", [] { return checkNormalize<float>(17) + checkNormalize<float>(577); }},
      {"normalizeRows, bf16", [] { return checkNormalize<Half>(17) + checkNormalize<Half>(577); }},
      {"gateRows, float", checkGates<float>},
      {"gateRows, bf16", checkGates<Half>},
      {"rotateRows, float",
       [] {
         return checkRotate<float>(3, cases::Angles::One) + checkRotate<float>(32, cases::Angles::EachRow);
       }},
      {"rotateRows, bf16",
       [] { return checkRotate<Half>(3, cases::Angles::One) + checkRotate<Half>(32, cases::Angles::EachRow); }},
      {"attendToken, float", checkAttends<float>},
      {"attendToken, bf16", checkAttends<Half>},
      {"attendRows, float", checkSights<float>},
      {"attendRows, bf16", checkSights<Half>},
  };
  return all;
}

int checkAll() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0) {
    std::printf("Nothing was checked: there is no CUDA device (%s).\n", cudaGetErrorString(error));
    return 0;
  }
  int wrong = 0;
  for (const Check& check : checks()) {
    const std::string found = check.run();
    std::printf("%s: %s\n", check.name, found.empty() ? "right" : ("WRONG\n" + found).c_str());
    wrong += !found.empty();
  }
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace kvasir

int main() {
  try {
    return kvasir::checkAll();
  } catch (const std::exception& error) {
    std::printf("FAILED: %s\n", error.what());
    return 1;
  }
}
