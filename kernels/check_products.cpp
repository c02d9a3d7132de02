#include "kernels/cases.h"
#include "kernels/check_trial.h"

namespace kvasir::checks {

using cases::Matrix;

namespace {

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

}  // namespace

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
    trial.launch(trial.backend.kernels.expandRows.of<Out>(), Expansion<Out>{device.matrix, out.data()}, 37);
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
          trial.backend.kernels.roundRows.of<In>(),
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
      trial.backend.kernels.multiplyPanels.of<Out>(),
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

template <class In>
void checkRoundBlocks(Trial& trial) {
  for (const int blockSize : {16, 32}) {
    cases::RoundedBlocks<In> rounded{3, 6 * blockSize, blockSize};
    const DeviceArray<In> in(trial.backend, rounded.in);
    const DeviceArray<std::int8_t> levels(trial.backend, rounded.levels), fine(trial.backend, rounded.fine);
    const DeviceArray<std::uint8_t> hasFine(trial.backend, rounded.hasFine);
    const DeviceArray<float> scales(trial.backend, rounded.scales), sums(trial.backend, rounded.sums);
    trial.launch(trial.backend.kernels.roundBlocks.of<In>(),
                 BlockRounding<In>{in.data(), levels.data(), fine.data(), hasFine.data(), scales.data(),
                                   sums.data(), rounded.columns, blockSize},
                 rounded.rows);
    rounded.levels = levels.read();
    rounded.fine = fine.read();
    rounded.scales = scales.read();
    std::vector<float> back;
    reference::Expectations expectedSums;
    for (int row = 0; row < rounded.rows; ++row)
      for (int i = 0; i < rounded.columns; ++i) {
        const double number = rounded.back(row, i);
        back.push_back(static_cast<float>(number));
        if (i % blockSize == 0) expectedSums.emplace_back();
        expectedSums.back().value += number;
        expectedSums.back().error += 8 * reference::kUnit * std::abs(number);
      }
    trial.compare(reference::roundBlocks(rounded.argument(), rounded.rows), back);
    trial.compare(expectedSums, sums.read());
  }
}

/// Three rows, rounded by the definition.
template <class Out>
void checkBlocks(Trial& trial, const Matrix::Kind& kind) {
  constexpr int kCount = 3;
  const Matrix matrix(41, 96, kind);
  cases::RoundedBlocks<float> x{kCount, 96, kind.blockSize};
  for (int row = 0; row < kCount; ++row) x.argument().roundRow(row);
  const DeviceMatrix device(trial.backend, matrix.packed);
  const DeviceArray<std::int8_t> levels(trial.backend, x.levels), fine(trial.backend, x.fine);
  const DeviceArray<std::uint8_t> hasFine(trial.backend, x.hasFine);
  const DeviceArray<float> scales(trial.backend, x.scales), sums(trial.backend, x.sums);
  const DeviceArray<Out> y(trial.backend, cases::unwritten<Out>(kCount * 41));
  trial.launch(trial.backend.kernels.multiplyBlocks.of<Out>(),
               BlockProduct<Out>{device.matrix, levels.data(), fine.data(), hasFine.data(), scales.data(),
                                 sums.data(), kCount, y.data(), 41});
  const std::vector<Out> products = y.read();
  for (int index = 0; index < kCount; ++index) {
    reference::Expectations expected =
        reference::multiply(matrix.asRows(), [&](int i) { return x.back(index, i); });
    for (reference::Expected& entry : expected) entry = reference::stored<Out>(entry);
    trial.compare(expected, products.data() + index * 41);
  }
}

template <class Out>
void checkMultiplyBlocks(Trial& trial) {
  for (const Matrix::Kind& kind : cases::everyKind())
    if (kind.levels != cases::Levels::Bytes) checkBlocks<Out>(trial, kind);
}

/// A product of plain numbers: weights, x and what y holds lie on the device as they are given.
template <class Product, class Value, class X>
void checkPlain(Trial& trial, Launch<Product> kernel, Product product, const std::vector<Value>& weights,
                const std::vector<X>& x, const std::vector<X>& y, const reference::Expectations& expected) {
  const DeviceArray<Value> deviceWeights(trial.backend, weights);
  const DeviceArray<X> deviceX(trial.backend, x), deviceY(trial.backend, y);
  product.weights = deviceWeights.data();
  product.x = deviceX.data();
  product.y = deviceY.data();
  trial.launch(kernel, product);
  trial.compare(expected, deviceY.read());
}

template <class Value>
void checkMultiplyDense(Trial& trial) {
  for (cases::Dense<Value>& dense : cases::everyDense<Value>())
    checkPlain(trial, trial.backend.kernels.multiplyDense.of<Value>(), dense.argument(), dense.weights, dense.x,
               dense.y, reference::multiplyDense(dense.argument()));
}

template <class Value>
void checkMultiplyVector(Trial& trial) {
  for (const cases::Dense<Value>& dense : cases::everyDense<Value>()) {
    cases::DenseVector<Value> vector{dense};
    checkPlain(trial, trial.backend.kernels.multiplyVector.of<Value>(), vector.argument(), dense.weights,
               vector.x, vector.y, reference::multiplyVector(vector.argument()));
  }
}

template void checkExpand<float>(Trial& trial);
template void checkExpand<Half>(Trial& trial);
template void checkRound<float>(Trial& trial);
template void checkRound<Half>(Trial& trial);
template void checkMultiplyPanels<float>(Trial& trial);
template void checkMultiplyPanels<Half>(Trial& trial);
template void checkRoundBlocks<float>(Trial& trial);
template void checkRoundBlocks<Half>(Trial& trial);
template void checkMultiplyBlocks<float>(Trial& trial);
template void checkMultiplyBlocks<Half>(Trial& trial);
template void checkMultiplyDense<float>(Trial& trial);
template void checkMultiplyDense<Half>(Trial& trial);
template void checkMultiplyVector<float>(Trial& trial);
template void checkMultiplyVector<Half>(Trial& trial);

}  // namespace kvasir::checks
