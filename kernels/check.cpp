#include "kernels/check.h"

#include <chrono>
#include <cmath>
#include <stdexcept>

#include "kernels/cases.h"

namespace kvasir {
namespace {

using cases::Matrix;
using Half = std::uint16_t;

void require(Failure failure) {
  if (failure) throw std::runtime_error(failure);
}

/// A copy of numbers in the device's memory.
template <class Value>
class DeviceArray {
 public:
  template <class Values>
  DeviceArray(const KernelBackend& backend, const Values& values) : backend_(backend), size_(values.size()) {
    if (size_ == 0) return;
    require(backend.allocate(bytes(), &memory_));
    if (const Failure failure = backend.copyIn(memory_, values.data(), bytes())) {
      const std::runtime_error error(failure);
      backend.release(memory_);
      throw error;
    }
  }
  ~DeviceArray() {
    if (memory_) backend_.release(memory_);
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  Value* data() const { return static_cast<Value*>(memory_); }

  std::vector<Value> read() const {
    std::vector<Value> values(size_);
    if (size_ > 0) require(backend_.copyOut(values.data(), memory_, bytes()));
    return values;
  }

 private:
  std::size_t bytes() const { return size_ * sizeof(Value); }

  const KernelBackend& backend_;
  std::size_t size_;
  void* memory_ = nullptr;
};

/// A packed matrix on the device.
struct DeviceMatrix {
  DeviceMatrix(const KernelBackend& backend, const PackedPanels& packed)
      : words(backend, packed.words),
        scales(backend, packed.scales),
        offsets(backend, packed.offsets),
        halfScales(backend, packed.halfScales),
        halfOffsets(backend, packed.halfOffsets),
        matrix(packed.shape) {
    matrix.words = words.data();
    matrix.scales = scales.data();
    matrix.offsets = offsets.data();
    matrix.halfScales = halfScales.data();
    matrix.halfOffsets = halfOffsets.data();
  }

  DeviceArray<std::uint32_t> words;
  DeviceArray<float> scales, offsets;
  DeviceArray<Half> halfScales, halfOffsets;
  PanelMatrix matrix;
};

/// One kernel's check: launches it, holds results against the reference, and keeps the worst.
class Trial {
 public:
  Trial(const KernelBackend& backend, KernelCheck& check) : backend(backend), check_(check) {}

  template <class Argument>
  void launch(Launch<Argument> kernel, const Argument& argument, std::int64_t rows = 0) {
    if (!kernel) throw std::runtime_error("it is missing");
    const auto start = std::chrono::steady_clock::now();
    require(kernel(argument, rows, nullptr));
    require(backend.finish());
    check_.milliseconds +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

  template <class Value>
  void compare(const reference::Expectations& expected, const Value* actual) {
    const reference::Distance found = reference::furthest(expected, actual);
    check_.isRight = check_.isRight && found.isWithin();
    if (!found.isFurtherThan({check_.difference, check_.tolerance})) return;
    check_.difference = found.difference;
    check_.tolerance = found.tolerance;
  }
  template <class Value>
  void compare(const reference::Expectations& expected, const std::vector<Value>& actual) {
    compare(expected, actual.data());
  }

  const KernelBackend& backend;

 private:
  KernelCheck& check_;
};

template <class Value, template <class> class Argument>
Launch<Argument<Value>> of(const LaunchPair<Argument>& pair) {
  if constexpr (std::is_same_v<Value, float>) {
    return pair.floats;
  } else {
    return pair.bfloats;
  }
}

void checkMultiplyExactly(Trial& trial) {
  for (const Matrix::Kind& kind : cases::everyKind()) {
    const Matrix matrix(301, 192, kind);
    const DeviceMatrix device(trial.backend, matrix.packed);
    const std::vector<float> x = cases::randomValues<float>(192, 3, 3);
    const DeviceArray<float> deviceX(trial.backend, x), y(trial.backend, cases::unwritten<float>(301));
    trial.launch(trial.backend.kernels.multiplyExactly, ExactProduct{device.matrix, deviceX.data(), y.data()});
    trial.compare(reference::multiply(matrix.asRows(), [&](int i) { return double{x[i]}; }), y.read());
  }
}

template <class Out>
void checkExpand(Trial& trial) {
  for (const Matrix::Kind& kind : cases::everyKind()) {
    const Matrix matrix(37, 96, kind);
    const DeviceMatrix device(trial.backend, matrix.packed);
    const DeviceArray<Out> out(trial.backend, cases::unwritten<Out>(37 * 96));
    trial.launch(of<Out>(trial.backend.kernels.expandRows), Expansion<Out>{device.matrix, out.data()}, 37);
    trial.compare(reference::expand<Out>(matrix.asRows(), 0, 37), out.read());
  }
}

/// What levels stand for, and the sums kept beside them.
template <class In>
void compareRounded(Trial& trial, const cases::Rounded<In>& rounded, const RowRounding<In>& argument) {
  std::vector<float> back;
  for (std::int64_t i = 0; i < std::ssize(rounded.levels); ++i) back.push_back(rounded.back(i));
  trial.compare(reference::roundRows(argument, rounded.rows), back);
  reference::Expectations sums;
  for (std::size_t block = 0; block < rounded.sums.size(); ++block) {
    double sum = 0;
    for (int i = 0; i < rounded.blockSize; ++i) sum += rounded.levels[block * rounded.blockSize + i];
    sums.push_back({sum, 0});
  }
  trial.compare(sums, rounded.sums);
}

template <class In>
void checkRound(Trial& trial) {
  for (const int blockSize : {16, 32}) {
    for (const float range : {1e-3f, 3.0f, 1e6f}) {
      cases::Rounded<In> rounded{5, 3 * blockSize, blockSize, range};
      const DeviceArray<In> in(trial.backend, rounded.in);
      const DeviceArray<std::int16_t> levels(trial.backend, rounded.levels);
      const DeviceArray<float> scales(trial.backend, rounded.scales), sums(trial.backend, rounded.sums);
      trial.launch(
          of<In>(trial.backend.kernels.roundRows),
          RowRounding<In>{in.data(), levels.data(), scales.data(), sums.data(), rounded.columns, blockSize},
          rounded.rows);
      rounded.levels = levels.read();
      rounded.scales = scales.read();
      rounded.sums = sums.read();
      compareRounded(trial, rounded, rounded.argument());
    }
  }
}

/// Three rows, rounded by the definition.
template <class Out>
void checkPanels(Trial& trial, const Matrix::Kind& kind) {
  constexpr int kCount = 3;
  const Matrix matrix(41, 96, kind);
  cases::Rounded<float> x{kCount, 96, kind.blockSize};
  for (int row = 0; row < kCount; ++row) x.argument().roundRow(row);
  const DeviceMatrix device(trial.backend, matrix.packed);
  const DeviceArray<std::int16_t> levels(trial.backend, x.levels);
  const DeviceArray<float> scales(trial.backend, x.scales), sums(trial.backend, x.sums);
  const DeviceArray<Out> y(trial.backend, cases::unwritten<Out>(kCount * 41));
  trial.launch(
      of<Out>(trial.backend.kernels.multiplyPanels),
      PanelProduct<Out>{device.matrix, levels.data(), scales.data(), sums.data(), kCount, y.data(), 41});
  const std::vector<Out> products = y.read();
  for (int index = 0; index < kCount; ++index) {
    const auto number = [&](int i) { return double{x.scales[index]} * x.levels[std::size_t(index) * 96 + i]; };
    reference::Expectations expected = reference::multiply(matrix.asRows(), number);
    for (reference::Expected& entry : expected) entry = reference::stored<Out>(entry);
    trial.compare(expected, products.data() + index * 41);
  }
}

template <class Out>
void checkMultiplyPanels(Trial& trial) {
  for (const Matrix::Kind& kind : cases::everyKind()) checkPanels<Out>(trial, kind);
}

template <class Out>
void checkNormalize(Trial& trial) {
  for (const int width : {1, 17, 577}) {
    const cases::Norm<Out> norm{5, width};
    const DeviceArray<float> in(trial.backend, norm.in), weight(trial.backend, norm.weight);
    const DeviceArray<Out> out(trial.backend, cases::unwritten<Out>(norm.in.size()));
    RowNorm<Out> argument = norm.argument(out.data());
    const reference::Expectations expected = reference::normalize(argument, 0, norm.rows);
    argument.in = in.data();
    argument.weight = weight.data();
    trial.launch(of<Out>(trial.backend.kernels.normalizeRows), argument, norm.rows);
    trial.compare(expected, out.read());
  }
}

template <class Value>
void checkGate(Trial& trial) {
  using Activation = typename RowGate<Value>::Activation;
  for (const float range : {6.0f, 200.0f})
    for (const Activation activation : {Activation::Silu, Activation::GeluTanh}) {
      cases::Gate<Value> gated{3, 577, activation};
      gated.in = cases::randomValues<Value>(std::ssize(gated.in), range, 6);
      const DeviceArray<Value> in(trial.backend, gated.in),
          out(trial.backend, cases::unwritten<Value>(std::ssize(gated.in) / 2));
      RowGate<Value> argument = gated.argument(out.data());
      const reference::Expectations expected = reference::gate(argument, 0, gated.rows);
      argument.in = in.data();
      trial.launch(of<Value>(trial.backend.kernels.gateRows), argument, gated.rows);
      trial.compare(expected, out.read());
    }
}

/// In place, as the engine does.
template <class Value>
void checkRotate(Trial& trial) {
  for (const auto& [half, angles] : {std::pair{3, cases::Angles::One}, {32, cases::Angles::EachRow}}) {
    const cases::Rotated<Value> rotated(9, half, angles);
    const DeviceArray<Value> memory(trial.backend, rotated.in);
    const DeviceArray<float> cosines(trial.backend, rotated.cosines), sines(trial.backend, rotated.sines);
    Rotation<Value> argument = rotated.argument(memory.data());
    const reference::Expectations expected = reference::rotate(argument);
    argument.in = memory.data();
    argument.cosines = cosines.data();
    argument.sines = sines.data();
    trial.launch(of<Value>(trial.backend.kernels.rotateRows), argument);
    trial.compare(expected, memory.read());
  }
}

template <class Value>
void checkPackLevels(Trial& trial) {
  for (const LevelGroups& groups : cases::everyGroups()) {
    cases::Grouped<Value> grouped(groups);
    const DeviceArray<Value> numbers(trial.backend, grouped.numbers);
    const DeviceArray<std::uint8_t> packed(trial.backend, grouped.packed);
    trial.launch(of<Value>(trial.backend.kernels.packLevels),
                 LevelPacking<Value>{groups, numbers.data(), packed.data()});
    const std::vector<std::uint8_t> bytes = packed.read();
    trial.compare(reference::packLevels(grouped.packing()), reference::keptNumbers(groups, bytes.data()));
  }
}

/// Of what the definition packed.
template <class Value>
void checkUnpackLevels(Trial& trial) {
  for (const LevelGroups& groups : cases::everyGroups()) {
    cases::Grouped<Value> grouped(groups);
    cases::packByDefinition(grouped.packing());
    const DeviceArray<std::uint8_t> packed(trial.backend, grouped.packed);
    const DeviceArray<Value> numbers(trial.backend, cases::unwritten<Value>(std::ssize(grouped.numbers)));
    trial.launch(of<Value>(trial.backend.kernels.unpackLevels),
                 LevelUnpacking<Value>{groups, packed.data(), numbers.data()});
    trial.compare(reference::unpackLevels(grouped.unpacking(nullptr)), numbers.read());
  }
}

template <class Value>
void checkAttended(Trial& trial, const cases::Attended<Value>& attended) {
  const TokenAttention<Value> onHost = attended.argument();
  const cases::AttentionResult<Value> empty(onHost);
  const DeviceArray<float> queries(trial.backend, attended.queries), weights(trial.backend, empty.weights),
      output(trial.backend, empty.output), largest(trial.backend, empty.largest), sum(trial.backend, empty.sum);
  const DeviceArray<Value> keys(trial.backend, attended.keys), values(trial.backend, attended.values);
  TokenAttention<Value> argument = onHost;
  argument.queries = queries.data();
  argument.keys = keys.data();
  argument.values = values.data();
  argument.weights = weights.data();
  argument.output = output.data();
  argument.largest = largest.data();
  argument.sum = sum.data();
  trial.launch(of<Value>(trial.backend.kernels.attendToken), argument);
  const reference::Attention expected = reference::attend(onHost);
  const std::vector<float> written = weights.read();
  for (int query = 0; query < attended.group; ++query) {
    const auto first = expected.weights.begin() + std::int64_t{query} * attended.count;
    trial.compare({first, first + attended.count}, written.data() + query * onHost.weightStride);
  }
  trial.compare(expected.output, output.read());
  trial.compare(expected.largest, largest.read());
  trial.compare(expected.sum, sum.read());
}

template <class Value>
void checkAttendToken(Trial& trial) {
  for (const cases::Attended<Value>& attended :
       {cases::Attended<Value>{3, 64, 1000}, {8, 33, 7}, {1, 128, 1}, {4, 64, 300, 40}, {2, 20, 0}})
    checkAttended(trial, attended);
}

template <class Value>
void checkAttendRows(Trial& trial) {
  for (const cases::Sight sight : {cases::Sight::All, cases::Sight::Causal, cases::Sight::Window}) {
    cases::AttendedRows<Value> rows{50, 64, 173, sight};
    const BlockAttention<Value> onHost = rows.argument();
    const DeviceArray<Value> queries(trial.backend, rows.queries), keys(trial.backend, rows.keys),
        values(trial.backend, rows.values);
    const DeviceArray<int> begins(trial.backend, rows.begins), ends(trial.backend, rows.ends);
    const DeviceArray<float> output(trial.backend, rows.output), largest(trial.backend, rows.largest),
        sum(trial.backend, rows.sum);
    BlockAttention<Value> argument = onHost;
    argument.queries = queries.data();
    argument.keys = keys.data();
    argument.values = values.data();
    argument.begins = begins.data();
    argument.ends = ends.data();
    argument.output = output.data();
    argument.largest = largest.data();
    argument.sum = sum.data();
    trial.launch(of<Value>(trial.backend.kernels.attendRows), argument, rows.rows);
    std::vector<float> outputs = output.read();
    const std::vector<float> most = largest.read(), totals = sum.read();
    for (int row = 0; row < rows.rows; ++row) {
      for (int i = 0; i < 64; ++i) outputs[row * 64 + i] /= totals[row];
      const auto expected = reference::attendRow(onHost, row);
      const double logSum = double{most[row]} + std::log(double{totals[row]});
      trial.compare(expected.output, outputs.data() + row * 64);
      trial.compare({expected.logSum}, &logSum);
    }
  }
}

struct Row {
  const char* kernel;
  void (*check)(Trial& trial);
  void (*drop)(KernelTable& kernels);
};

constexpr Row kRows[] = {
    {"multiplyExactly", checkMultiplyExactly, [](KernelTable& k) { k.multiplyExactly = nullptr; }},
    {"expandRows, float", checkExpand<float>, [](KernelTable& k) { k.expandRows.floats = nullptr; }},
    {"expandRows, bf16", checkExpand<Half>, [](KernelTable& k) { k.expandRows.bfloats = nullptr; }},
    {"roundRows, float", checkRound<float>, [](KernelTable& k) { k.roundRows.floats = nullptr; }},
    {"roundRows, bf16", checkRound<Half>, [](KernelTable& k) { k.roundRows.bfloats = nullptr; }},
    {"multiplyPanels, float", checkMultiplyPanels<float>,
     [](KernelTable& k) { k.multiplyPanels.floats = nullptr; }},
    {"multiplyPanels, bf16", checkMultiplyPanels<Half>,
     [](KernelTable& k) { k.multiplyPanels.bfloats = nullptr; }},
    {"normalizeRows, float", checkNormalize<float>, [](KernelTable& k) { k.normalizeRows.floats = nullptr; }},
    {"normalizeRows, bf16", checkNormalize<Half>, [](KernelTable& k) { k.normalizeRows.bfloats = nullptr; }},
    {"gateRows, float", checkGate<float>, [](KernelTable& k) { k.gateRows.floats = nullptr; }},
    {"gateRows, bf16", checkGate<Half>, [](KernelTable& k) { k.gateRows.bfloats = nullptr; }},
    {"rotateRows, float", checkRotate<float>, [](KernelTable& k) { k.rotateRows.floats = nullptr; }},
    {"rotateRows, bf16", checkRotate<Half>, [](KernelTable& k) { k.rotateRows.bfloats = nullptr; }},
    {"packLevels, float", checkPackLevels<float>, [](KernelTable& k) { k.packLevels.floats = nullptr; }},
    {"packLevels, bf16", checkPackLevels<Half>, [](KernelTable& k) { k.packLevels.bfloats = nullptr; }},
    {"unpackLevels, float", checkUnpackLevels<float>, [](KernelTable& k) { k.unpackLevels.floats = nullptr; }},
    {"unpackLevels, bf16", checkUnpackLevels<Half>, [](KernelTable& k) { k.unpackLevels.bfloats = nullptr; }},
    {"attendToken, float", checkAttendToken<float>, [](KernelTable& k) { k.attendToken.floats = nullptr; }},
    {"attendToken, bf16", checkAttendToken<Half>, [](KernelTable& k) { k.attendToken.bfloats = nullptr; }},
    {"attendRows, float", checkAttendRows<float>, [](KernelTable& k) { k.attendRows.floats = nullptr; }},
    {"attendRows, bf16", checkAttendRows<Half>, [](KernelTable& k) { k.attendRows.bfloats = nullptr; }},
};

}  // namespace

std::vector<KernelCheck> checkKernels(const KernelBackend& backend, int device) {
  std::vector<KernelCheck> checks;
  for (const Row& row : kRows) {
    KernelCheck& check = checks.emplace_back();
    check.kernel = row.kernel;
    check.isRight = true;
    Trial trial(backend, check);
    try {
      require(backend.chooseDevice(device));
      row.check(trial);
    } catch (const std::runtime_error& error) {
      check.isRight = false;
      check.failure = error.what();
    }
  }
  return checks;
}

KernelTable rightKernels(const KernelTable& kernels, const std::vector<KernelCheck>& checks) {
  KernelTable right = kernels;
  for (const Row& row : kRows) {
    const bool isRight = std::any_of(checks.begin(), checks.end(), [&](const KernelCheck& check) {
      return check.kernel == row.kernel && check.isRight;
    });
    if (!isRight) row.drop(right);
  }
  return right;
}

}  // namespace kvasir
