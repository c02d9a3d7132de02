// Products of WeightMatrix: on the weights' own levels, or by LibTorch where that is better.
#include <ATen/cpu/Utils.h>

#include "engine/model/weights.h"
#include "engine/torch.h"
#include "kernels/products.h"
#include "kernels/rounding.h"

namespace kvasir {

bool multipliesBfloat16() {
  static const bool does = [] {
    const auto capabilities = at::cpu::get_cpu_capabilities();
    return std::ranges::any_of(std::array{"avx512_bf16", "amx_bf16", "bf16"}, [&](const char* name) {
      const auto found = capabilities.find(name);
      return found != capabilities.end() && found->second.isBool() && found->second.toBool();
    });
  }();
  return does;
}

namespace {

// With so few rows a product reads weights more than it multiplies, and the levels are the fewest bytes.
constexpr std::int64_t kFewRows = 16;

/// Panels of one piece of a product with one row: small enough that threads which start late find some left,
/// large enough that taking it costs nothing beside it.
std::int64_t pieceOf(const PanelMatrix& matrix, const Team& team) {
  constexpr std::int64_t kLeastWeights = 1 << 15, kPiecesEach = 4;
  const std::int64_t least = kLeastWeights / (std::int64_t{matrix.columns} * PanelMatrix::kRows);
  return std::max({std::int64_t{1}, least, matrix.panels() / (kPiecesEach * team.threads())});
}

template <class Value>
RowRounding<Value> roundInto(const Value* x, int columns, int blockSize, std::int64_t count,
                             ProductMemory& memory) {
  const auto blocks = static_cast<std::size_t>(count * (columns / blockSize));
  memory.levels.resize(static_cast<std::size_t>(count * columns));
  memory.scales.resize(blocks);
  memory.sums.resize(blocks);
  return {x, memory.levels.data(), memory.scales.data(), memory.sums.data(), columns, blockSize};
}

template <class Out>
PanelProduct<Out> productOf(const PanelMatrix& matrix, const ProductMemory& x, std::int64_t count, Out* y,
                            std::int64_t stride) {
  return {matrix, x.levels.data(), x.scales.data(), x.sums.data(), static_cast<int>(count), y, stride};
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
  for (const Block& block : stored_->blocks) {
    const PanelMatrix matrix = block.panels.matrix();
    if (matrix.blockSize != rounded) {
      const auto rounding = roundInto(in, columns_, matrix.blockSize, count, memory);
      at::parallel_for(0, count, 16,
                       [&](std::int64_t begin, std::int64_t end) { roundRows(rounding, begin, end); });
      rounded = matrix.blockSize;
    }
    const auto product = productOf(matrix, memory, count, out, rows_);
    at::parallel_for(0, matrix.panels(), 1,
                     [&](std::int64_t begin, std::int64_t end) { multiplyPanels(product, begin, end); });
    out += block.rows;
  }
  return y;
}

at::Tensor WeightMatrix::multiply(const at::Tensor& x, DenseForm form) const {
  const auto product = [&] {
    if (form == DenseForm::Float32) return at::linear(x, dense(form));
    const bool isFast = multipliesBfloat16();
    if (isQuantised() && (!isFast || x.size(0) <= kFewRows)) return multiplyLevels(x);
    if (isFast) return at::linear(x, dense(form));
    return at::linear(x.to(at::kFloat), dense(DenseForm::Float32)).to(x.scalar_type());
  };
  at::Tensor y = product();
  if (change_) y.add_(change_->up.multiply(change_->down.multiply(x, form), form));
  return y;
}

void WeightMatrix::multiply(const float* x, float* y, DenseForm form, Team& team, ProductMemory& memory) const {
  multiplyStored(x, y, form, team, memory);
  if (!change_) return;
  memory.inner.resize(static_cast<std::size_t>(change_->down.rows()));
  memory.added.resize(static_cast<std::size_t>(rows_));
  change_->down.multiply(x, memory.inner.data(), form, team, memory);
  change_->up.multiply(memory.inner.data(), memory.added.data(), form, team, memory);
  for (std::size_t i = 0; i < memory.added.size(); ++i) y[i] += memory.added[i];
}

void WeightMatrix::multiplyStored(const float* x, float* y, DenseForm form, Team& team,
                                  ProductMemory& memory) const {
  int rounded = 0;  // the block size that x is rounded for
  for (const Block& block : stored_->blocks) {
    const PanelMatrix matrix = block.panels.matrix();
    if (block.plain.defined()) {
      const at::Tensor input = at::from_blob(const_cast<float*>(x), {columns_}, at::kFloat);
      const at::Tensor result = at::mv(block.plain, input.to(block.plain.scalar_type())).to(at::kFloat);
      std::copy_n(result.data_ptr<float>(), block.rows, y);
    } else if (form == DenseForm::Float32) {
      const ExactProduct product{matrix, x, y};
      team.share(matrix.panels(), pieceOf(matrix, team),
                 [&](std::int64_t begin, std::int64_t end) { multiplyExactly(product, begin, end); });
    } else {
      if (matrix.blockSize != rounded) roundRows(roundInto(x, columns_, matrix.blockSize, 1, memory), 0, 1);
      rounded = matrix.blockSize;
      const auto product = productOf(matrix, memory, 1, y, rows_);
      team.share(matrix.panels(), pieceOf(matrix, team),
                 [&](std::int64_t begin, std::int64_t end) { multiplyPanels(product, begin, end); });
    }
    y += block.rows;
  }
}

}  // namespace kvasir
