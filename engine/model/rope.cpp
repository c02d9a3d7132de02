#include "engine/model/rope.h"

#include "kernels/rotate.h"

namespace kvasir {

void RopeTable::grow(int positions) {
  std::size_t have = cosines_.size() / half();
  if (static_cast<std::size_t>(positions) <= have) return;
  const std::size_t want = (static_cast<std::size_t>(positions) + 1023) / 1024 * 1024;
  cosines_.resize(want * half());
  sines_.resize(want * half());
  for (; have < want; ++have)
    for (std::size_t i = 0; i < half(); ++i) {
      const double angle = static_cast<double>(have) * frequencies_[i];
      cosines_[have * half() + i] = static_cast<float>(std::cos(angle));
      sines_[have * half() + i] = static_cast<float>(std::sin(angle));
    }
}

std::vector<double> ropeFrequencies(const ModelShape& shape, bool isLocal) {
  const double base = isLocal && shape.localRopeBase > 0 ? shape.localRopeBase : shape.ropeBase;
  const int half = shape.headDimension / 2;
  std::vector<double> frequencies(static_cast<std::size_t>(half));
  for (int i = 0; i < half; ++i) {
    double frequency = std::pow(base, -2.0 * i / shape.headDimension);
    if (!isLocal) frequency /= shape.ropeDivisor;
    if (!shape.ropeFactors.empty()) frequency /= static_cast<double>(shape.ropeFactors[static_cast<std::size_t>(i)]);
    frequencies[static_cast<std::size_t>(i)] = frequency;
  }
  return frequencies;
}

namespace {

template <class Value>
void rotateHeads(const at::Tensor& in, at::Tensor& out, RowPositions positions, const RopeTable& table) {
  const std::int64_t heads = in.size(0);
  Rotation<Value> rotation;
  rotation.rows = static_cast<int>(in.size(1));
  rotation.half = static_cast<int>(table.half());
  rotation.cosines = table.cosines(positions.first);
  rotation.sines = table.sines(positions.first);
  rotation.tableStep = positions.step * rotation.half;
  for (std::int64_t head = 0; head < heads; ++head) {
    rotation.in = static_cast<const Value*>(in.const_data_ptr()) + head * in.stride(0);
    rotation.out = static_cast<Value*>(out.mutable_data_ptr()) + head * out.stride(0);
    rotateRows(rotation);
  }
}

}  // namespace

void rotate(const at::Tensor& in, at::Tensor out, RowPositions positions, const RopeTable& table) {
  if (in.scalar_type() == at::kFloat) return rotateHeads<float>(in, out, positions, table);
  rotateHeads<std::uint16_t>(in, out, positions, table);
}

}  // namespace kvasir
