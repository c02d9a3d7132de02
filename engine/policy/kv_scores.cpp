#include "engine/policy/kv_scores.h"

namespace kvasir {
namespace {

/// [heads, rows, d] of query heads as [kvHeads, group · rows, d].
at::Tensor byKvHead(const at::Tensor& rows, int kvHeads) { return rows.reshape({kvHeads, -1, rows.size(2)}); }

/// Scores of one chunk's keys for rotated queries, hidden where a key comes after its query: [kvHeads, group ·
/// rows, keys].
at::Tensor chunkScores(const at::Tensor& queries, int firstQuery, float scale, int kvHeads, const Run& chunk,
                       const at::Tensor& keys) {
  at::Tensor scores = at::bmm(byKvHead(queries, kvHeads), keys.transpose(1, 2)) * scale;
  const std::int64_t rows = queries.size(1);
  if (chunk.end <= firstQuery + 1) return scores;
  const at::Tensor places = at::arange(chunk.begin, chunk.end).unsqueeze(0);
  const at::Tensor hidden = places > at::arange(firstQuery, firstQuery + rows).unsqueeze(1);  // [rows, keys]
  return scores.masked_fill(hidden.repeat({queries.size(0) / kvHeads, 1}).unsqueeze(0),
                            -std::numeric_limits<float>::infinity());
}

}  // namespace

at::Tensor attentionReceived(const at::Tensor& queries, int firstQuery, float scale, int kvHeads,
                             const KeySource& keys) {
  const auto scoresOf = [&](int chunk) {
    return chunkScores(queries, firstQuery, scale, kvHeads, keys.chunks[static_cast<std::size_t>(chunk)],
                       keys.read(chunk).keys);
  };
  at::Tensor logSums;
  for (int chunk = 0; chunk < std::ssize(keys.chunks); ++chunk) {
    const at::Tensor sums = at::logsumexp(scoresOf(chunk), 2, true);
    logSums = logSums.defined() ? at::logaddexp(logSums, sums) : sums;
  }
  std::vector<at::Tensor> received;
  for (int chunk = 0; chunk < std::ssize(keys.chunks); ++chunk)
    received.push_back((scoresOf(chunk) - logSums).exp().sum(1));
  return at::cat(received, 1);
}

at::Tensor pooled(const at::Tensor& scores, int neighbours, Pool pool) {
  return pool == Pool::Mean ? at::avg_pool1d(scores, neighbours, 1, neighbours / 2)
                            : at::max_pool1d(scores, neighbours, 1, neighbours / 2);
}

at::Tensor keyDifference(int kvHeads, const KeySource& keys) {
  const auto directions = [&](int chunk) {
    const at::Tensor own = keys.read(chunk).keys;
    return own / own.norm(2, 2, true).clamp_min(1e-12);
  };
  at::Tensor anchor;
  for (int chunk = 0; chunk < std::ssize(keys.chunks); ++chunk) {
    const at::Tensor sum = directions(chunk).sum(1);
    anchor = anchor.defined() ? anchor + sum : sum;
  }
  anchor = anchor / anchor.norm(2, 1, true).clamp_min(1e-12);
  std::vector<at::Tensor> scores;
  for (int chunk = 0; chunk < std::ssize(keys.chunks); ++chunk)
    scores.push_back(-at::bmm(directions(chunk), anchor.view({kvHeads, -1, 1})).squeeze(2));
  return at::cat(scores, 1);
}

void QueryMoments::add(const at::Tensor& queries) {
  if (queries.size(1) == 0) return;
  const at::Tensor rows = queries.to(at::kDouble);
  const at::Tensor sums = rows.sum(1), products = at::bmm(rows.transpose(1, 2), rows);
  sums_ = sums_.defined() ? sums_ + sums : sums;
  products_ = products_.defined() ? products_ + products : products;
  count_ += static_cast<double>(queries.size(1));
}

namespace {

/// The mean rotation of positions [first, first + span), as a matrix for columns whose pairs are halves.
at::Tensor meanRotation(int first, int span, const std::vector<double>& frequencies) {
  const auto half = static_cast<std::int64_t>(frequencies.size());
  at::Tensor rotation = at::zeros({2 * half, 2 * half}, at::kDouble);
  for (std::int64_t i = 0; i < half; ++i) {
    double cosine = 0, sine = 0;
    for (int position = first; position < first + span; ++position) {
      cosine += std::cos(position * frequencies[static_cast<std::size_t>(i)]) / span;
      sine += std::sin(position * frequencies[static_cast<std::size_t>(i)]) / span;
    }
    rotation[i][i] = cosine;
    rotation[i][i + half] = -sine;
    rotation[i + half][i] = sine;
    rotation[i + half][i + half] = cosine;
  }
  return rotation;
}

}  // namespace

at::Tensor QueryMoments::expectedAttention(int first, int span, float scale, int kvHeads,
                                           const std::vector<double>& frequencies,
                                           const KeySource& keys) const {
  const at::Tensor own = sums_ / count_;
  const at::Tensor spread = products_ / count_ - at::bmm(own.unsqueeze(2), own.unsqueeze(1));
  const at::Tensor rotation = meanRotation(first, span, frequencies);
  const at::Tensor mean = at::matmul(own, rotation.t()).to(at::kFloat);
  const at::Tensor covariance = at::matmul(at::matmul(rotation, spread), rotation.t()).to(at::kFloat);
  const std::int64_t group = mean.size(0) / kvHeads;
  std::vector<at::Tensor> logs, lengths;
  for (int chunk = 0; chunk < std::ssize(keys.chunks); ++chunk) {
    const KvTensors kv = keys.read(chunk);
    const at::Tensor rows = kv.keys.repeat_interleave(group, 0);  // [heads, tokens, dimension]
    const at::Tensor linear = at::bmm(rows, mean.unsqueeze(2)).squeeze(2);
    const at::Tensor square = (at::bmm(rows, covariance) * rows).sum(2);
    logs.push_back(linear * scale + square * (scale * scale / 2));
    lengths.push_back(kv.values.norm(2, 2));
  }
  const at::Tensor weights = at::softmax(at::cat(logs, 1), 1).view({kvHeads, group, -1}).mean(1);
  return weights * at::cat(lengths, 1);
}

}  // namespace kvasir
