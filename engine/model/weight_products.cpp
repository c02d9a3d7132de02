// Products of WeightMatrix: on the weights' own levels, by LibTorch where that is better, or on a device.
#include <memory>
#include <optional>

#include "engine/model/weights.h"
#include "engine/threads.h"
#include "engine/torch.h"
#include "kernels/block_products.h"
#include "kernels/processor.h"
#include "kernels/products.h"
#include "kernels/rounding.h"

namespace kvasir {
namespace {

// With so few rows a product reads weights more than it multiplies, and the levels are the fewest bytes.
constexpr std::int64_t kFewRows = 16;

/// Panels that a thread takes at least, so that small products are not divided.
std::int64_t grainOf(const PanelMatrix& matrix, std::int64_t count) {
  return std::max<std::int64_t>(1, kLeastProducts / (count * matrix.columns * PanelMatrix::kRows));
}

template <class Value>
RowRounding<Value> roundInto(const Value* x, int columns, int blockSize, std::int64_t count,
                             ProductMemory& memory) {
  memory.levels.resize(static_cast<std::size_t>(count * columns));
  memory.scales.resize(static_cast<std::size_t>(count));
  memory.sums.resize(static_cast<std::size_t>(count * (columns / blockSize)));
  return {x, memory.levels.data(), memory.scales.data(), memory.sums.data(), columns, blockSize};
}

/// Rows of bf16 in blocks of 8-bit levels.
class BlockLevels {
 public:
  /// Rounds them on at's threads.
  BlockLevels(const std::uint16_t* x, int columns, int blockSize, std::int64_t count) {
    const auto numbers = static_cast<std::size_t>(count * columns);
    const std::size_t blocks = numbers / static_cast<std::size_t>(blockSize);
    levels_ = std::make_unique_for_overwrite<std::int8_t[]>(2 * numbers);
    hasFine_ = std::make_unique_for_overwrite<std::uint8_t[]>(blocks);
    scales_ = std::make_unique_for_overwrite<float[]>(2 * blocks);
    rounding_ = {
        x,       levels_.get(), levels_.get() + numbers, hasFine_.get(), scales_.get(), scales_.get() + blocks,
        columns, blockSize};
    at::parallel_for(0, count, 16,
                     [&](std::int64_t begin, std::int64_t end) { roundBlocks(rounding_, begin, end); });
  }

  int blockSize() const { return rounding_.blockSize; }

  /// y[count, stride]: their products with a matrix of 4 bits in such blocks.
  void multiply(const PanelMatrix& matrix, std::int64_t count, std::uint16_t* y, std::int64_t stride) const {
    BlockProduct<std::uint16_t> product;
    product.matrix = matrix;
    product.levels = rounding_.levels;
    product.fine = rounding_.fine;
    product.hasFine = rounding_.hasFine;
    product.scales = rounding_.scales;
    product.sums = rounding_.sums;
    product.count = static_cast<int>(count);
    product.y = y;
    product.stride = stride;
    at::parallel_for(0, matrix.panels(), grainOf(matrix, count),
                     [&](std::int64_t begin, std::int64_t end) { multiplyBlocks(product, begin, end); });
  }

 private:
  std::unique_ptr<std::int8_t[]> levels_;  // and the fine ones
  std::unique_ptr<std::uint8_t[]> hasFine_;
  std::unique_ptr<float[]> scales_;  // and the sums
  BlockRounding<std::uint16_t> rounding_;
};

template <class Out>
void multiplyAll(const PanelMatrix& matrix, const ProductMemory& x, std::int64_t count, Out* y,
                 std::int64_t stride) {
  PanelProduct<Out> product;
  product.matrix = matrix;
  product.levels = x.levels.data();
  product.scales = x.scales.data();
  product.sums = x.sums.data();
  product.count = static_cast<int>(count);
  product.y = y;
  product.stride = stride;
  at::parallel_for(0, matrix.panels(), grainOf(matrix, count),
                   [&](std::int64_t begin, std::int64_t end) { multiplyPanels(product, begin, end); });
}

}  // namespace

bool WeightMatrix::isQuantised() const {
  return std::ranges::none_of(stored_->blocks, [](const Block& block) { return block.plain.defined(); });
}

at::Tensor WeightMatrix::multiplyLevels(const at::Tensor& x) const {
  const std::int64_t count = x.size(0);
  const at::Tensor rows = x.contiguous();
  at::Tensor y = at::empty({count, rows_}, x.options());
  const auto* in = static_cast<const std::uint16_t*>(rows.const_data_ptr());
  auto* out = static_cast<std::uint16_t*>(y.mutable_data_ptr());
  ProductMemory memory;
  int rounded = 0;  // the block size that x is rounded for
  std::optional<BlockLevels> bytes;
  for (const Block& block : stored_->blocks) {
    const PanelMatrix matrix = block.panels.matrix();
    if (stored_->rounded == Rounded::To8Bits && matrix.bits == 4 && isFasterInBytes()) {
      if (!bytes || bytes->blockSize() != matrix.blockSize)
        bytes.emplace(in, columns_, matrix.blockSize, count);
      bytes->multiply(matrix, count, out, rows_);
      out += block.rows;
      continue;
    }
    if (matrix.blockSize != rounded) {
      const auto rounding = roundInto(in, columns_, matrix.blockSize, count, memory);
      at::parallel_for(0, count, 16,
                       [&](std::int64_t begin, std::int64_t end) { roundRows(rounding, begin, end); });
      rounded = matrix.blockSize;
    }
    multiplyAll(matrix, memory, count, out, rows_);
    out += block.rows;
  }
  return y;
}

Accelerator* WeightMatrix::device(DenseForm form) const {
  if (!stored_->placed || stored_->placed->form != form) return nullptr;
  if (change_ && !(change_->down.device(form) && change_->up.device(form))) return nullptr;
  return stored_->placed->device.get();
}

template <class Value>
void WeightMatrix::multiplyPlaced(const Slab& slab, Result result) const {
  const Placed& placed = *stored_->placed;
  Accelerator& device = *placed.device;
  const auto* in = reinterpret_cast<const Value*>(slab.x);
  device.run(device.kernels().multiplyDense.of<Value>(),
             DenseProduct<Value>{placed.weights.at<Value>(), rows_, columns_, in, slab.count,
                                 reinterpret_cast<Value*>(slab.y), result == Result::Added},
             0, device.stream(slab.turn));
  if (!change_) return;
  const auto numbers = static_cast<std::size_t>(slab.count) * static_cast<std::size_t>(change_->down.rows());
  std::byte* inner = device.room(Accelerator::Room::Inner, numbers * sizeof(Value), slab.turn);
  change_->down.multiplyPlaced<Value>({slab.x, inner, slab.count, slab.turn}, Result::Written);
  change_->up.multiplyPlaced<Value>({inner, slab.y, slab.count, slab.turn}, Result::Added);
}

void WeightMatrix::multiplyOnDevice(const Slab& slab) const {
  if (stored_->placed->form == DenseForm::Float32)
    multiplyPlaced<float>(slab, Result::Written);
  else
    multiplyPlaced<std::uint16_t>(slab, Result::Written);
}

template <class Value>
void WeightMatrix::multiplyPlaced(const float* x, float* y, Result result) const {
  const Placed& placed = *stored_->placed;
  Accelerator& device = *placed.device;
  device.run(device.kernels().multiplyVector.of<Value>(),
             VectorProduct<Value>{placed.weights.at<Value>(), rows_, columns_, x, y, result == Result::Added});
  if (!change_) return;
  auto* inner = device.roomOf<float>(Accelerator::Room::Inner, change_->down.rows());
  change_->down.multiplyPlaced<Value>(x, inner, Result::Written);
  change_->up.multiplyPlaced<Value>(inner, y, Result::Added);
}

at::Tensor WeightMatrix::multiplyOn(Accelerator& device, const at::Tensor& x) const {
  const at::Tensor in = x.contiguous(), y = at::empty({x.size(0), rows_}, x.options());
  forSlabs(device, {in.const_data_ptr(), in.nbytes(), y.mutable_data_ptr(), y.nbytes(), x.size(0)},
           [&](const Slab& slab) { multiplyOnDevice(slab); });
  return y;
}

at::Tensor WeightMatrix::multiply(const at::Tensor& x, DenseForm form) const {
  Accelerator* device = this->device(form);
  if (device && (x.size(0) > 1 || device->takesVector(std::int64_t{rows_} * columns_))) {
    try {
      return multiplyOn(*device, x);
    } catch (const DeviceFull&) {
      // No room for so many rows: the processor has it all.
    }
  }
  const auto product = [&] {
    if (form == DenseForm::Float32) return at::linear(x, dense(form));
    if (isQuantised() && (!multipliesBfloat16Tiles() || x.size(0) <= kFewRows)) return multiplyLevels(x);
    if (multipliesBfloat16()) return at::linear(x, dense(form));
    return at::linear(x.to(at::kFloat), dense(DenseForm::Float32)).to(x.scalar_type());
  };
  at::Tensor y = product();
  if (change_) y.add_(change_->up.multiply(change_->down.multiply(x, form), form));
  return y;
}

void WeightMatrix::multiplyOn(Accelerator& device, const float* x, float* y) const {
  auto* from = device.roomOf<float>(Accelerator::Room::Input, columns_);
  auto* to = device.roomOf<float>(Accelerator::Room::Output, rows_);
  device.copyIn(from, x, static_cast<std::size_t>(columns_) * sizeof(float));
  if (stored_->placed->form == DenseForm::Float32)
    multiplyPlaced<float>(from, to, Result::Written);
  else
    multiplyPlaced<std::uint16_t>(from, to, Result::Written);
  device.copyOut(y, to, static_cast<std::size_t>(rows_) * sizeof(float));
}

void WeightMatrix::multiply(const float* x, float* y, int count, DenseForm form, ProductMemory& memory) const {
  Accelerator* device = this->device(form);
  if (device && device->takesVector(std::int64_t{rows_} * columns_)) {
    try {
      for (int row = 0; row < count; ++row)
        multiplyOn(*device, x + std::int64_t{row} * columns_, y + std::int64_t{row} * rows_);
      return;
    } catch (const DeviceFull&) {
      // Nor for one row.
    }
  }
  multiplyStored(x, y, count, form, memory);
  if (!change_) return;
  memory.inner.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(change_->down.rows()));
  memory.added.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(rows_));
  change_->down.multiply(x, memory.inner.data(), count, form, memory);
  change_->up.multiply(memory.inner.data(), memory.added.data(), count, form, memory);
  for (std::size_t i = 0; i < memory.added.size(); ++i) y[i] += memory.added[i];
}

void WeightMatrix::multiplyStored(const float* x, float* y, int count, DenseForm form,
                                  ProductMemory& memory) const {
  int rounded = 0;  // the block size that x is rounded for
  for (const Block& block : stored_->blocks) {
    const PanelMatrix matrix = block.panels.matrix();
    if (!block.plain.defined() && form != DenseForm::Float32) {
      if (matrix.blockSize != rounded)
        roundRows(roundInto(x, columns_, matrix.blockSize, count, memory), 0, count);
      rounded = matrix.blockSize;
      multiplyAll(matrix, memory, count, y, rows_);
    } else {
      for (int row = 0; row < count; ++row)
        multiplyExact(block, x + std::int64_t{row} * columns_, y + std::int64_t{row} * rows_);
    }
    y += block.rows;
  }
}

void WeightMatrix::multiplyExact(const Block& block, const float* x, float* y) const {
  if (block.plain.defined()) {
    const at::Tensor input = at::from_blob(const_cast<float*>(x), {columns_}, at::kFloat);
    const at::Tensor result = at::mv(block.plain, input.to(block.plain.scalar_type())).to(at::kFloat);
    std::copy_n(result.data_ptr<float>(), block.rows, y);
    return;
  }
  const ExactProduct product{block.panels.matrix(), x, y};
  at::parallel_for(0, product.matrix.panels(), grainOf(product.matrix, 1),
                   [&](std::int64_t begin, std::int64_t end) { multiplyExactly(product, begin, end); });
}

}  // namespace kvasir
