// A token's attention in parts, some keys of one KV head each, which threads take and then join.
#include "engine/token_attention.h"

#include "engine/threads.h"
#include "kernels/attend.h"
#include "kernels/attend_packed.h"

namespace kvasir {
namespace {

/// Keys and values of all KV heads, both equally far apart.
struct KvSource {
  const std::byte *keys = nullptr, *values = nullptr;  ///< of the first head; null: they are packed
  std::int64_t headBytes = 0, rowBytes = 0;
  at::ScalarType type = at::kFloat;

  KvPlace at(int kvHead, int row) const {
    if (!keys) return {};
    const std::int64_t place = kvHead * headBytes + row * rowBytes;
    return {keys + place, values + place, type};
  }
};

std::int64_t bytesOf(std::int64_t values, at::ScalarType type) {
  return values * static_cast<std::int64_t>(c10::elementSize(type));
}
KvSource sourceOf(const GatheredKv& gathered, int dimension) {
  const at::ScalarType type = gathered.type();
  return {gathered.keyRows<std::byte>(), gathered.valueRows<std::byte>(), bytesOf(gathered.headStride(), type),
          bytesOf(dimension, type), type};
}

struct PartShape {
  int kvHeads, group, dimension;

  int heads() const { return kvHeads * group; }
  std::size_t floats() const { return static_cast<std::size_t>(group * (dimension + 2)); }
};

/// How a part is weighed and where its weights go.
struct TokenWeights {
  float scale;
  PartShape shape;
  float* weights;  ///< [heads, stride]
  std::int64_t stride;

  template <class Value>
  void attendAs(const TokenPart& part) const {
    TokenAttention<Value> attention;
    attention.dimension = shape.dimension;
    attention.keys = static_cast<const Value*>(part.place.keys);
    attention.values = static_cast<const Value*>(part.place.values);
    attention.count = part.count;
    fill(attention, part);
    kvasir::attendToken(attention);
  }
  /// Queries of a part, and where what it gives goes.
  template <class Attention>
  void fill(Attention& attention, const TokenPart& part) const {
    attention.queries = part.queries;
    attention.group = shape.group;
    attention.scale = scale;
    attention.weights = weights + part.kvHead * shape.group * stride + part.weightsAt;
    attention.weightStride = stride;
    attention.output = part.output;
    attention.largest = part.largest;
    attention.sum = part.sum;
  }
  void attend(const TokenPart& part) const {
    if (part.place.type == at::kFloat)
      attendAs<float>(part);
    else
      attendAs<std::uint16_t>(part);
  }
};

/// A part for each KV head, in turn, of the source's rows from `row` on; all parts of a token are added so.
void addHeads(const float* queries, const PartShape& shape, const KvSource& source, int row, int count,
              std::int64_t weightsAt, std::vector<TokenPart>& parts) {
  for (int head = 0; head < shape.kvHeads; ++head)
    parts.push_back(
        {queries + head * shape.group * shape.dimension, head, count, weightsAt, source.at(head, row)});
}

/// Of each chunk that stayed packed, which every query sees whole.
void addPacked(const GatheredKv& gathered, const float* queries, const PartShape& shape,
               std::vector<TokenPart>& parts) {
  std::int64_t first = 0;
  for (const GatheredKv::PackedChunk& chunk : gathered.packedChunks()) {
    addHeads(queries, shape, {}, 0, chunk.placed.keys(), first, parts);
    first += chunk.placed.keys();
  }
}

/// Keys of one group that are in place, from one on: what a token attends to of it.
struct TokenGroup {
  const GatheredKv& gathered;
  const float* queries;  ///< rotated for it
  int from;
  std::int64_t weightsAt;  ///< of its first key in place

  int count() const { return gathered.countInPlace() - from; }
  /// The share of one of so many pieces.
  void addPiece(int piece, int pieces, const PartShape& shape, std::vector<TokenPart>& parts) const {
    const int begin = from + count() * piece / pieces, end = from + count() * (piece + 1) / pieces;
    if (begin == end) return;
    addHeads(queries, shape, sourceOf(gathered, shape.dimension), begin, end - begin, weightsAt + begin, parts);
  }
};

/// Pieces that so many keys are divided into: one for each thread, unless they would be too small.
int piecesOf(int keys, const PartShape& shape) {
  const std::int64_t products = std::int64_t{2} * keys * shape.heads() * shape.dimension;
  return static_cast<int>(std::clamp<std::int64_t>(products / kLeastProducts, 1, at::get_num_threads()));
}

void placeSums(std::vector<TokenPart>& parts, const PartShape& shape, std::vector<float>& sums) {
  sums.resize(parts.size() * shape.floats());
  float* next = sums.data();
  for (TokenPart& part : parts) {
    part.output = next;
    part.largest = part.output + shape.group * shape.dimension;
    part.sum = part.largest + shape.group;
    next += shape.floats();
  }
}

void divide(const AttendedGroups& groups, const TokenQueries& queries, const PartShape& shape,
            TokenAttentionMemory& memory) {
  const GatheredKv &near = groups.near, &far = groups.far;
  memory.parts.clear();
  memory.pieces.clear();
  addPacked(near, queries.near, shape, memory.parts);
  // Where keys are hidden none is packed.
  const TokenGroup inPlace[] = {{near, queries.near, groups.view.hidden, near.packedCount()},
                                {far, queries.far, 0, near.count()}};
  const int count = piecesOf(inPlace[0].count() + inPlace[1].count(), shape);
  for (int piece = 0; piece < count; ++piece) {
    memory.pieces.push_back(memory.parts.size());
    for (const TokenGroup& group : inPlace) group.addPiece(piece, count, shape, memory.parts);
  }
  memory.pieces.push_back(memory.parts.size());
}

/// Joins the parts of every head: attended [heads, dimension]; and the weights, if given, divided by their sum.
void joinParts(const std::vector<TokenPart>& parts, const PartShape& shape, float* weights, std::int64_t stride,
               float* attended) {
  std::fill_n(attended, shape.heads() * shape.dimension, 0.0f);
  for (int head = 0; head < shape.heads(); ++head) {
    const int query = head % shape.group;
    float largest = -std::numeric_limits<float>::infinity(), sum = 0;
    const auto first = static_cast<std::size_t>(head / shape.group),
               step = static_cast<std::size_t>(shape.kvHeads);
    for (std::size_t i = first; i < parts.size(); i += step)
      largest = std::max(largest, parts[i].largest[query]);
    for (std::size_t i = first; i < parts.size(); i += step)
      sum += parts[i].sum[query] * std::exp(parts[i].largest[query] - largest);
    for (std::size_t i = first; i < parts.size(); i += step) {
      const TokenPart& part = parts[i];
      const float factor = std::exp(part.largest[query] - largest) / sum;
      const float* output = part.output + query * shape.dimension;
      for (int d = 0; d < shape.dimension; ++d) attended[head * shape.dimension + d] += factor * output[d];
      if (!weights) continue;
      float* mine = weights + head * stride + part.weightsAt;
      for (int key = 0; key < part.count; ++key) mine[key] *= factor;
    }
  }
}

}  // namespace

void attendToken(const AttendedGroups& groups, const TokenQueries& queries, float scale, bool wantsWeights,
                 TokenAttentionMemory& memory, float* attended) {
  const GatheredKv& near = groups.near;
  const int kvHeads = near.kvHeads();
  const PartShape shape{kvHeads, queries.heads / kvHeads, queries.headDimension};
  divide(groups, queries, shape, memory);
  placeSums(memory.parts, shape, memory.partSums);
  const std::int64_t stride = near.count() + groups.far.count();
  memory.weights.resize(static_cast<std::size_t>(queries.heads * stride));
  for (int head = 0; head < queries.heads; ++head)
    std::fill_n(memory.weights.data() + head * stride, groups.view.hidden, 0.0f);
  const TokenWeights weighing{scale, shape, memory.weights.data(), stride};
  at::parallel_for(0, std::ssize(near.packedChunks()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (int head = 0; head < kvHeads; ++head) {
        PackedAttention attention = near.packedHead(near.packedChunks()[static_cast<std::size_t>(i)], head);
        weighing.fill(attention, memory.parts[static_cast<std::size_t>(i * kvHeads + head)]);
        attendPacked(attention);
      }
    }
  });
  at::parallel_for(0, std::ssize(memory.pieces) - 1, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::size_t last = memory.pieces[static_cast<std::size_t>(end)];
    for (std::size_t i = memory.pieces[static_cast<std::size_t>(begin)]; i < last; ++i)
      weighing.attend(memory.parts[i]);
  });
  joinParts(memory.parts, shape, wantsWeights ? memory.weights.data() : nullptr, stride, attended);
}

}  // namespace kvasir
