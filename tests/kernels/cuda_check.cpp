// Runs every kernel on the CUDA device against the reference, a line each. Exit 1 when one differs, 0
// otherwise: also when there is no device, after saying that nothing was checked.
#include <cuda_runtime_api.h>

#include <cstdio>
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

using Offsets = cases::Offsets;

/// A product whose arguments lie on the device.
struct DeviceProduct {
  explicit DeviceProduct(const cases::Product& product)
      : levels(product.levels),
        scales(product.scales),
        offsets(product.offsets),
        x(product.x),
        blockSums(product.blockSums),
        y(cases::unwritten<float>(product.rows)),
        argument(product.argument()) {
    argument.levels = levels.data();
    argument.scales = scales.data();
    argument.offsets = offsets.data();
    argument.x = x.data();
    argument.blockSums = blockSums.data();
    argument.y = y.data();
  }

  DeviceArray<std::int8_t> levels;
  DeviceArray<float> scales, offsets, x, blockSums, y;
  AffineProduct argument;
};

std::string checkMultiply(int blockSize, Offsets offsets) {
  const cases::Product product(301, 18 * blockSize, blockSize, offsets);
  const DeviceProduct device(product);
  multiplyRowsOnDevice(device.argument, product.rows, nullptr);
  return reference::differences(reference::multiply(product.argument(), 0, product.rows), device.y.read());
}

std::string checkSumBlocks() {
  const std::vector<float> x = cases::randomValues<float>(576, 3, 11);
  const DeviceArray<float> device(x), sums(cases::unwritten<float>(18));
  sumBlocksOnDevice(device.data(), 576, 32, sums.data(), nullptr);
  return reference::differences(reference::sumBlocks(x, 32), sums.read());
}

template <class Out>
std::string checkExpand(Offsets offsets) {
  const cases::Product product(37, 96, 16, offsets);
  const DeviceProduct device(product);
  const DeviceArray<Out> out(cases::unwritten<Out>(37 * 96));
  expandRowsOnDevice(device.argument, product.rows, out.data(), nullptr);
  return reference::differences(reference::expand<Out>(product.argument(), 0, product.rows), out.read());
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
  std::string (*run)();
};

const std::vector<Check>& checks() {
  using Half = std::uint16_t;
  static const std::vector<Check> all = {
      {"multiplyRows, blocks of 16",
       [] { return checkMultiply(16, Offsets::Some) + checkMultiply(16, Offsets::None); }},
      {"multiplyRows, blocks of 32",
       [] { return checkMultiply(32, Offsets::Some) + checkMultiply(32, Offsets::None); }},
      {"sumBlocks", checkSumBlocks},
      {"expandRows, float",
       [] { return checkExpand<float>(Offsets::Some) + checkExpand<float>(Offsets::None); }},
      {"expandRows, bf16", [] { return checkExpand<Half>(Offsets::Some) + checkExpand<Half>(Offsets::None); }},
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
