#include "engine/model/weights.h"

#include <algorithm>
#include <cassert>
#include <future>

#include "engine/torch.h"

namespace kvasir {
namespace {

// Dense copies of all weights are kept up to this size; larger models expand a matrix at each use.
constexpr std::int64_t kMostDenseBytes = std::int64_t{3} << 30;

void checkShape(const GgufFile& file, const GgufTensor& tensor, std::vector<std::int64_t> shape) {
  if (tensor.shape == shape) return;
  throw std::runtime_error(file.name() + " is damaged: " + tensor.name + " has the wrong shape.");
}

at::Tensor loadVector(const GgufFile& file, const std::string& name, int length) {
  const GgufTensor& tensor = file.tensor(name);
  checkShape(file, tensor, {length});
  at::Tensor out = at::empty({length}, at::kFloat);
  dequantize(tensor, 0, length, out.data_ptr<float>());
  return out;
}

/// Where row r of a head stands in the file, when pairs are neighbours there and halves here.
std::int64_t fileRow(std::int64_t row, int headDimension) {
  if (headDimension == 0) return row;
  const std::int64_t head = row / headDimension, i = row % headDimension, half = headDimension / 2;
  return head * headDimension + (i < half ? 2 * i : 2 * (i - half) + 1);
}

template <class Value>
void appendRows(std::vector<Value>& to, const std::vector<Value>& from, int rows, int headDimension) {
  const std::size_t length = from.size() / static_cast<std::size_t>(rows);
  to.reserve(to.size() + from.size());
  for (int row = 0; row < rows; ++row) {
    const auto begin = from.begin() + fileRow(row, headDimension) * static_cast<std::ptrdiff_t>(length);
    to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
  }
}

/// Adds rows of the same type below those that are there.
void append(AffineBlocks& to, const AffineBlocks& from, int rows, int headDimension) {
  to.blockSize = from.blockSize;
  appendRows(to.levels, from.levels, rows, headDimension);
  appendRows(to.scales, from.scales, rows, headDimension);
  appendRows(to.offsets, from.offsets, rows, headDimension);
}

PackedPanels pack(const AffineBlocks& affine, int rows, int columns) {
  return packPanels({affine.levels.data(), affine.scales.data(),
                     affine.offsets.empty() ? nullptr : affine.offsets.data(), rows, columns,
                     affine.blockSize});
}

at::Tensor loadPlain(const GgufTensor& tensor, int rows, int columns, int headDimension) {
  at::Tensor values = at::empty({rows, columns}, at::kFloat);
  dequantize(tensor, 0, tensor.count(), values.data_ptr<float>());
  if (headDimension) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    for (int row = 0; row < rows; ++row) order[static_cast<std::size_t>(row)] = fileRow(row, headDimension);
    values = values.index_select(0, at::tensor(order, at::kLong));
  }
  return tensor.type == TensorType::BF16 ? values.to(at::kBFloat16) : values;
}

/// Symmetric 8-bit levels, a scale for every `blockSize` columns.
AffineBlocks roundToLevels(const at::Tensor& values, int blockSize) {
  constexpr float kMostLevel = 127;
  const at::Tensor blocks = values.to(at::kFloat).contiguous().view({-1, blockSize});
  const at::Tensor scales = (blocks.abs().amax(1) / kMostLevel).clamp_min(1e-30).contiguous();
  const at::Tensor levels = (blocks / scales.unsqueeze(1)).round().to(at::kChar).contiguous();
  AffineBlocks affine;
  affine.blockSize = blockSize;
  affine.levels.assign(levels.const_data_ptr<std::int8_t>(),
                       levels.const_data_ptr<std::int8_t>() + levels.numel());
  affine.scales.assign(scales.const_data_ptr<float>(), scales.const_data_ptr<float>() + scales.numel());
  return affine;
}

}  // namespace

at::ScalarType typeOf(DenseForm form) { return form == DenseForm::Float32 ? at::kFloat : at::kBFloat16; }

WeightMatrix::WeightMatrix(const GgufFile& file, const std::vector<Part>& parts, int columns, bool keepsDense,
                           Rounded rounded)
    : columns_(columns) {
  auto stored = std::make_shared<Stored>();
  stored->keepsDense = keepsDense;
  stored->rounded = rounded;
  AffineBlocks joined;  // neighbours of one type are one block
  int joinedRows = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const GgufTensor& tensor = file.tensor(part.tensor);
    checkShape(file, tensor, {part.rows, columns});
    rows_ += part.rows;
    const auto affine = toAffineBlocks(tensor);
    if (!affine) {
      stored->blocks.push_back({part.rows, {}, loadPlain(tensor, part.rows, columns, part.headDimension)});
      continue;
    }
    append(joined, *affine, part.rows, part.headDimension);
    joinedRows += part.rows;
    if (i + 1 < parts.size() && file.tensor(parts[i + 1].tensor).type == tensor.type) continue;
    stored->blocks.push_back({joinedRows, pack(joined, joinedRows, columns), {}});
    joined = {};
    joinedRows = 0;
  }
  stored_ = std::move(stored);
}

WeightMatrix::WeightMatrix(const at::Tensor& values, DenseForm form)
    : rows_(static_cast<int>(values.size(0))), columns_(static_cast<int>(values.size(1))) {
  auto stored = std::make_shared<Stored>();
  Block& block = stored->blocks.emplace_back();
  block.rows = rows_;
  const int blockSize = columns_ % 32 == 0 ? 32 : columns_ % 16 == 0 ? 16 : 0;
  if (form == DenseForm::Float32 || blockSize == 0)
    block.plain = values.to(at::kFloat).contiguous();
  else
    block.panels = pack(roundToLevels(values, blockSize), rows_, columns_);
  stored_ = std::move(stored);
}

WeightMatrix WeightMatrix::changedBy(LowRankChange change) const {
  WeightMatrix changed = *this;
  changed.change_ = std::make_shared<const LowRankChange>(std::move(change));
  return changed;
}

std::size_t WeightMatrix::bytes() const {
  std::size_t sum = 0;
  for (const Block& block : stored_->blocks) {
    sum += block.panels.bytes();
    if (block.plain.defined()) sum += block.plain.nbytes();
  }
  for (const at::Tensor& dense : stored_->dense)
    if (dense.defined()) sum += dense.nbytes();
  return sum;
}

void WeightMatrix::expand(const Block& block, at::Tensor out) const {
  if (block.plain.defined()) {
    out.copy_(block.plain);
    return;
  }
  const PanelMatrix matrix = block.panels.matrix();
  at::parallel_for(0, block.rows, 64, [&](std::int64_t begin, std::int64_t end) {
    if (out.scalar_type() == at::kFloat)
      expandRows(matrix, begin, end, out.data_ptr<float>() + begin * columns_);
    else
      expandRows(matrix, begin, end, static_cast<std::uint16_t*>(out.data_ptr()) + begin * columns_);
  });
}

at::Tensor WeightMatrix::expanded(DenseForm form) const {
  at::Tensor out = at::empty({rows_, columns_}, typeOf(form));
  std::int64_t row = 0;
  for (const Block& block : stored_->blocks) {
    expand(block, out.narrow(0, row, block.rows));
    row += block.rows;
  }
  return out;
}

at::Tensor WeightMatrix::dense(DenseForm form) const {
  at::Tensor& kept = stored_->dense[static_cast<int>(form)];
  if (kept.defined()) return kept;
  const at::Tensor out = expanded(form);
  if (stored_->keepsDense) kept = out;
  return out;
}

bool WeightMatrix::placeOn(const std::shared_ptr<Accelerator>& device, DenseForm form) const {
  if (change_ && !(change_->down.placeOn(device, form) && change_->up.placeOn(device, form))) return false;
  if (stored_->placed) {
    assert(stored_->placed->device == device && stored_->placed->form == form && "placed once");
    return true;
  }
  const std::int64_t count = std::int64_t{rows_} * columns_;
  try {
    DeviceMemory weights = device->hold(static_cast<std::size_t>(count) * c10::elementSize(typeOf(form)),
                                        Accelerator::kLeftByWeights);
    const at::Tensor numbers = expanded(form);
    device->copyIn(weights.at(), numbers.const_data_ptr(), numbers.nbytes());
    stored_->placed = {device, form, std::move(weights)};
  } catch (const DeviceFull&) {
    return false;
  }
  return true;
}

void WeightMatrix::row(std::int64_t index, float* out) const {
  for (const Block& block : stored_->blocks) {
    if (index >= block.rows) {
      index -= block.rows;
      continue;
    }
    if (block.plain.defined()) {
      const at::Tensor values = block.plain[index].to(at::kFloat);
      std::copy_n(values.data_ptr<float>(), columns_, out);
    } else {
      expandRows(block.panels.matrix(), index, index + 1, out);
    }
    return;
  }
}

namespace {

LayerWeights loadLayer(const GgufFile& file, const ModelShape& shape, int layer, bool keepsDense) {
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  const int queries = shape.heads * shape.headDimension, keys = shape.kvHeads * shape.headDimension;
  const int reorder = shape.pairs == PairOrder::Neighbours ? shape.headDimension : 0;
  LayerWeights weights;
  weights.attentionNorm = loadVector(file, prefix + "attn_norm.weight", shape.width);
  weights.feedForwardNorm = loadVector(file, prefix + "ffn_norm.weight", shape.width);
  if (shape.hasPostNorms) {
    weights.postAttentionNorm = loadVector(file, prefix + "post_attention_norm.weight", shape.width);
    weights.postFeedForwardNorm = loadVector(file, prefix + "post_ffw_norm.weight", shape.width);
  }
  if (shape.hasHeadNorms) {
    weights.queryNorm = loadVector(file, prefix + "attn_q_norm.weight", shape.headDimension);
    weights.keyNorm = loadVector(file, prefix + "attn_k_norm.weight", shape.headDimension);
  }
  using Parts = std::vector<WeightMatrix::Part>;
  Parts queryKeyValue = {{prefix + "attn_q.weight", queries, reorder},
                         {prefix + "attn_k.weight", keys, reorder},
                         {prefix + "attn_v.weight", keys, 0}},
        gateUp = {{prefix + "ffn_gate.weight", shape.feedForward},
                  {prefix + "ffn_up.weight", shape.feedForward}};
  if (shape.isFused) {  // in the order that they have here
    assert(reorder == 0);
    queryKeyValue = {{prefix + "attn_qkv.weight", queries + 2 * keys, 0}};
    gateUp = {{prefix + "ffn_up.weight", 2 * shape.feedForward, 0}};
  }
  weights.queryKeyValue = WeightMatrix(file, queryKeyValue, shape.width, keepsDense, Rounded::To8Bits);
  weights.output =
      WeightMatrix(file, {{prefix + "attn_output.weight", shape.width}}, queries, keepsDense, Rounded::To8Bits);
  weights.gateUp = WeightMatrix(file, gateUp, shape.width, keepsDense, Rounded::To8Bits);
  weights.down = WeightMatrix(file, {{prefix + "ffn_down.weight", shape.width}}, shape.feedForward, keepsDense,
                              Rounded::To8Bits);
  return weights;
}

}  // namespace

ModelWeights loadWeights(const GgufFile& file, const ModelShape& shape,
                         const std::function<void(int layer)>& progress) {
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : file.tensors()) parameters += tensor.count();
  const bool keepsDense = parameters * 2 <= kMostDenseBytes;
  ModelWeights weights;
  // The largest matrices by themselves, and layers as many at a time as there are threads.
  auto ends = std::async(std::launch::async, [&] {
    weights.embedding = WeightMatrix(file, {{"token_embd.weight", shape.vocabulary}}, shape.width, keepsDense,
                                     Rounded::To16Bits);
    if (file.find("output.weight"))
      weights.head =
          WeightMatrix(file, {{"output.weight", shape.vocabulary}}, shape.width, keepsDense, Rounded::To16Bits);
  });
  weights.layers.resize(static_cast<std::size_t>(shape.layers));
  for (int begin = 0, end = 0; begin < shape.layers; begin = end) {
    end = std::min(shape.layers, begin + at::get_num_threads());
    at::parallel_for(begin, end, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t layer = first; layer < last; ++layer)
        weights.layers[static_cast<std::size_t>(layer)] =
            loadLayer(file, shape, static_cast<int>(layer), keepsDense);
    });
    for (int layer = begin; layer < end; ++layer) progress(layer);
  }
  ends.get();
  weights.finalNorm = loadVector(file, "output_norm.weight", shape.width);
  return weights;
}

}  // namespace kvasir
