#include "engine/model/rope.h"

#include <cassert>

#include "kernels/rotate.h"

namespace kvasir {

void RopeTable::grow(int positions) {
  std::size_t have = cosines_.size() / half();
  if (static_cast<std::size_t>(positions) <= have) return;
  const std::size_t want = (static_cast<std::size_t>(positions) + 1023) / 1024 * 1024;
  for (std::vector<float>* values : {&cosines_, &sines_}) {
    values->reserve(want * half());  // not twice as much, as a vector grows by itself
    values->resize(want * half());
  }
  for (; have < want; ++have)
    for (std::size_t i = 0; i < half(); ++i) {
      const double angle = static_cast<double>(have) * frequencies_[i];
      cosines_[have * half() + i] = static_cast<float>(magnitude_ * std::cos(angle));
      sines_[have * half() + i] = static_cast<float>(magnitude_ * std::sin(angle));
    }
}

std::vector<double> ropeFrequencies(const ModelShape& shape, bool isLocal) {
  const double base = isLocal && shape.localRopeBase > 0 ? shape.localRopeBase : shape.ropeBase;
  const int half = shape.headDimension / 2;
  std::vector<double> frequencies(static_cast<std::size_t>(half));
  for (int i = 0; i < half; ++i) {
    double frequency = std::pow(base, -2.0 * i / shape.headDimension);
    if (!isLocal) frequency /= shape.ropeDivisor;
    if (!shape.ropeFactors.empty())
      frequency /= static_cast<double>(shape.ropeFactors[static_cast<std::size_t>(i)]);
    frequencies[static_cast<std::size_t>(i)] = frequency;
  }
  return frequencies;
}

int stretchScale(const ModelShape& shape, RopeStretch stretch, int tokens) {
  if (stretch == RopeStretch::None) return 1;
  if (stretch == RopeStretch::LongRope) {
    if (shape.originalTokens == 0 || tokens <= shape.originalTokens) return 1;
    return std::max(2, (shape.trainedTokens + shape.originalTokens - 1) / shape.originalTokens);
  }
  int scale = 1;
  while (std::int64_t{scale} * shape.trainedTokens < tokens) scale *= 2;
  return scale;
}

namespace {

/// YaRN, §3.2: pair i turns so often within the trained length that it keeps its frequency (1), or so seldom
/// that it is interpolated (0), or something between.
double yarnKept(const ModelShape& shape, int i, StretchNumbers numbers) {
  constexpr double kPi = 3.14159265358979323846;
  const int dimension = shape.headDimension;
  const auto pairThatTurns = [&](double turns) {
    return dimension * std::log(shape.trainedTokens / (turns * 2 * kPi)) / (2 * std::log(shape.ropeBase));
  };
  const double low = std::max(0.0, std::floor(pairThatTurns(numbers.fast)));
  const double high = std::min(dimension - 1.0, std::ceil(pairThatTurns(numbers.slow)));
  return 1 - std::clamp((i - low) / std::max(0.001, high - low), 0.0, 1.0);
}

}  // namespace

RopeTable stretchedTable(const ModelShape& shape, RopeStretch stretch, int scale, StretchNumbers numbers) {
  if (stretch == RopeStretch::LongRope && shape.longRopeFactors.empty())
    throw std::runtime_error("This model carries no factors for LongRoPE; choose the method yarn instead.");
  std::vector<double> frequencies = ropeFrequencies(shape, false);
  if (scale == 1) return RopeTable(frequencies, shape.ropeMagnitude);
  double magnitude = shape.ropeMagnitude;
  if (stretch == RopeStretch::Yarn || stretch == RopeStretch::NtkAware)
    magnitude *= numbers.sharpening * std::log(scale) + 1;
  const int dimension = shape.headDimension;
  for (int i = 0; i < dimension / 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double& frequency = frequencies[at];
    const double kept = stretch == RopeStretch::Yarn ? yarnKept(shape, i, numbers) : 0;
    if (stretch == RopeStretch::Interpolated || stretch == RopeStretch::Yarn)
      frequency = (1 - kept) * frequency / scale + kept * frequency;
    if (stretch == RopeStretch::NtkAware)
      frequency *= std::pow(std::pow(scale, dimension / (dimension - 2.0)), -2.0 * i / dimension);
    if (stretch == RopeStretch::LongRope)
      frequency *= static_cast<double>(shape.ropeFactors[at]) / static_cast<double>(shape.longRopeFactors[at]);
  }
  return RopeTable(frequencies, magnitude);
}

namespace {

template <class Value>
void rotateHeads(HeadRows in, HeadRows out, std::int64_t rows, RowPositions positions, const RopeTable& table) {
  Rotation<Value> rotation;
  rotation.rows = static_cast<int>(rows);
  rotation.half = static_cast<int>(table.half());
  rotation.cosines = table.cosines(positions.first);
  rotation.sines = table.sines(positions.first);
  rotation.tableStep = positions.step * rotation.half;
  for (std::int64_t head = 0; head < in.tensor.size(0); ++head) {
    rotation.in = static_cast<const Value*>(in.tensor.const_data_ptr()) + in.offset(head);
    rotation.out = static_cast<Value*>(out.tensor.mutable_data_ptr()) + out.offset(head);
    rotateRows(rotation);
  }
}

template <class Value>
void rotateRowsEach(const at::Tensor& in, at::Tensor& out, const at::Tensor& positions,
                    const RopeTable& table) {
  const auto at = positions.accessor<std::int64_t, 2>();
  Rotation<Value> rotation;
  rotation.rows = 1;
  rotation.half = static_cast<int>(table.half());
  for (std::int64_t head = 0; head < in.size(0); ++head)
    for (std::int64_t row = 0; row < in.size(1); ++row) {
      const auto position = static_cast<int>(at[head][row]);
      rotation.cosines = table.cosines(position);
      rotation.sines = table.sines(position);
      rotation.in = static_cast<const Value*>(in.const_data_ptr()) + head * in.stride(0) + row * in.size(2);
      rotation.out = static_cast<Value*>(out.mutable_data_ptr()) + head * out.stride(0) + row * out.size(2);
      rotateRows(rotation);
    }
}

}  // namespace

void rotateEach(const at::Tensor& in, at::Tensor out, const at::Tensor& positions, const RopeTable& table) {
  if (in.scalar_type() == at::kFloat) return rotateRowsEach<float>(in, out, positions, table);
  rotateRowsEach<std::uint16_t>(in, out, positions, table);
}

void rotate(HeadRows in, HeadRows out, std::int64_t rows, RowPositions positions, const RopeTable& table) {
  if (positions.group > 1) {
    assert(positions.step == 1 && "neighbours are grouped");
    for (std::int64_t row = 0; row < rows;) {
      const auto position = positions.first + static_cast<int>(row);
      const std::int64_t count =
          std::min<std::int64_t>(positions.group - position % positions.group, rows - row);
      rotate({in.tensor, in.first + row}, {out.tensor, out.first + row}, count, {position / positions.group, 0},
             table);
      row += count;
    }
    return;
  }
  if (in.tensor.scalar_type() == at::kFloat) return rotateHeads<float>(in, out, rows, positions, table);
  rotateHeads<std::uint16_t>(in, out, rows, positions, table);
}

}  // namespace kvasir
