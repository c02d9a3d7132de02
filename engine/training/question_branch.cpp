#include "engine/training/question_branch.h"

#include "engine/answer.h"
#include "kernels/processor.h"

namespace kvasir {
namespace {

/// A copy that can stand in a differentiable expression: what the engine holds was made in inference mode.
at::Tensor ordinary(const at::Tensor& tensor) { return tensor.defined() ? tensor.clone() : tensor; }
at::Tensor ordinary(const at::Tensor& tensor, at::ScalarType type) { return tensor.to(type, false, true); }

/// Cosines and sines of rows, [rows, half] each.
struct Angles {
  at::Tensor cosines, sines;
};
Angles anglesAt(RopeTable& table, const std::vector<int>& positions) {
  const auto half = static_cast<std::int64_t>(table.half()), rows = static_cast<std::int64_t>(positions.size());
  Angles angles{at::empty({rows, half}, at::kFloat), at::empty({rows, half}, at::kFloat)};
  table.grow(*std::ranges::max_element(positions) + 1);
  for (std::int64_t row = 0; row < rows; ++row) {
    const int position = positions[static_cast<std::size_t>(row)];
    std::copy_n(table.cosines(position), half, angles.cosines.data_ptr<float>() + row * half);
    std::copy_n(table.sines(position), half, angles.sines.data_ptr<float>() + row * half);
  }
  return angles;
}

/// [heads, rows, dimension], float32: pairs stand as halves.
at::Tensor rotated(const at::Tensor& heads, const Angles& angles) {
  const auto& [cosines, sines] = angles;
  const std::int64_t half = heads.size(2) / 2;
  const at::Tensor first = heads.narrow(2, 0, half), second = heads.narrow(2, half, half);
  return at::cat({first * cosines - second * sines, first * sines + second * cosines}, 2);
}

/// The token that ends an answer in the model's own conversations.
TokenId endOf(const LoadedModel& model) {
  const std::vector<TokenId>& ends = model.tokenizer->vocabulary().ends;
  if (ends.empty()) throw std::runtime_error(model.info.name + " has no token that ends an answer.");
  for (const TokenId token : encodeTemplate(*model.tokenizer, model.chat.answerClose))
    if (std::ranges::find(ends, token) != ends.end()) return token;
  return ends.front();
}

/// Additive mask [rows, rows] that hides what comes after a row.
at::Tensor causalMask(std::int64_t rows) { return at::full({rows, rows}, -1e30f, at::kFloat).triu(1); }

}  // namespace

std::optional<QuestionBranch> makeBranch(const LoadedModel& model, const StoredReading& reading,
                                         int budgetTokens, std::string_view question, std::string_view answer) {
  QuestionBranch branch;
  branch.tokens = frameQuestion(model, question);
  branch.questionTokens = static_cast<int>(branch.tokens.size());
  branch.targets = plainTokens(model, answer);
  branch.tokens.insert(branch.tokens.end(), branch.targets.begin(), branch.targets.end());
  branch.targets.push_back(endOf(model));
  if (static_cast<int>(branch.tokens.size()) > kChunkTokens) return std::nullopt;
  const c10::InferenceMode engineSide(true);
  const Method& method = findMethod(reading.method());
  ChunkWishes wishes;
  if (method.judge == Judge::Score) wishes.paragraphs = questionParagraphs(model, reading, question);
  branch.run = std::make_unique<TextRun>(
      model, TextRun::Settings{method, budgetTokens, nullptr, [] {}, std::move(wishes), nullptr, true},
      &reading.file());
  branch.run->cache().adopt(reading.finishedRuns());
  branch.run->cache().startTail();
  branch.run->cache().open(static_cast<int>(branch.tokens.size()));
  return branch;
}

BranchForward::BranchForward(const LoadedModel& model)
    : model_(model),
      form_(multipliesBfloat16() ? model.form : DenseForm::Float32),
      table_(ropeFrequencies(model.shape, false)) {
  for (int layer = 0; layer < model.shape.layers; ++layer)
    if (model.shape.isLocal(layer))
      throw std::runtime_error("Adapters cannot be trained for " + model.info.name +
                               ": some of its layers see only a window of the text.");
  embedding_ = ordinary(model.weights.embedding.dense(form_));
  head_ = model.weights.head.rows() ? ordinary(model.weights.head.dense(form_)) : embedding_;
  finalNorm_ = ordinary(model.weights.finalNorm);
  for (const LayerWeights& weights : model.weights.layers) {
    FrozenLayer& layer = layers_.emplace_back();
    layer.attentionNorm = ordinary(weights.attentionNorm);
    layer.feedForwardNorm = ordinary(weights.feedForwardNorm);
    layer.queryNorm = ordinary(weights.queryNorm);
    layer.keyNorm = ordinary(weights.keyNorm);
    layer.postAttentionNorm = ordinary(weights.postAttentionNorm);
    layer.postFeedForwardNorm = ordinary(weights.postFeedForwardNorm);
    for (int i = 0; i < Adapter::kProjections; ++i)
      layer.projections[static_cast<std::size_t>(i)] =
          ordinary(projectionOf(weights, static_cast<Adapter::Projection>(i)).dense(form_));
  }
}

at::Tensor BranchForward::norm(const at::Tensor& x, const at::Tensor& weight) const {
  const at::Tensor exact = x.to(at::kFloat);
  return exact * at::rsqrt(exact.square().mean(-1, true) + model_.shape.normEpsilon) * weight;
}

at::Tensor BranchForward::product(int layer, Adapter::Projection projection, const at::Tensor& x,
                                  const Adapter::Layer& changes) const {
  const auto at = static_cast<std::size_t>(projection);
  const at::ScalarType type = typeOf(form_);
  return at::linear(x, layers_[static_cast<std::size_t>(layer)].projections[at]) +
         at::linear(at::linear(x, changes[at].down.to(type)), changes[at].up.to(type));
}

at::Tensor BranchForward::attend(int layer, QuestionBranch& branch, const at::Tensor& projected,
                                 const at::Tensor& normed) {
  const ModelShape& shape = model_.shape;
  const FrozenLayer& frozen = layers_[static_cast<std::size_t>(layer)];
  KvCache& cache = branch.run->cache();
  const int tokens = static_cast<int>(branch.tokens.size()), chunk = cache.chunks() - 1;
  const Block block{chunk, cache.chunk(chunk).begin, tokens}, asked{chunk, block.first, branch.questionTokens};
  const auto heads = [&](int first, int count, const at::Tensor& headNorm) {
    const at::Tensor rows =
        projected
            .narrow(1, std::int64_t{first} * shape.headDimension, std::int64_t{count} * shape.headDimension)
            .reshape({tokens, count, shape.headDimension})
            .transpose(0, 1)
            .to(at::kFloat);
    return headNorm.defined() ? norm(rows, headNorm) : rows;
  };
  const at::Tensor queries = heads(0, shape.heads, frozen.queryNorm);
  const at::Tensor keys = heads(shape.heads, shape.kvHeads, frozen.keyNorm);
  const at::Tensor values = heads(shape.heads + shape.kvHeads, shape.kvHeads, {});

  AttendedGroups groups;
  {
    const c10::InferenceMode engineSide(true);
    const at::ScalarType type = typeOf(model_.form);
    cache.write(layer, chunk, {keys.detach().to(type).contiguous(), values.detach().to(type).contiguous()});
    const at::Tensor asking = queries.detach().narrow(1, 0, branch.questionTokens).to(type).contiguous();
    const at::Tensor states = normed.detach().narrow(0, 0, branch.questionTokens).to(type);
    const PositionScheme& positions = branch.run->positions();
    const Selection selection = branch.run->policy().select(
        layer, asked, {asking, rotateFar(asking, asked, positions, table_), states, true}, cache);
    arrangeGroups(selection, block, positions, layer, cache, table_, groups);
  }
  const int before = groups.view.own, group = shape.group();
  std::vector<int> nearPlaces, farPlaces;
  for (int token = block.first; token < block.first + tokens; ++token) {
    nearPlaces.push_back(token - groups.nearOrigin);
    farPlaces.push_back(branch.run->positions().farQuery(token));
  }
  const Angles angles = anglesAt(table_, nearPlaces);
  const auto byKvHead = [&](const at::Tensor& rows) {
    return rows.reshape({shape.kvHeads, std::int64_t{group} * tokens, shape.headDimension}).to(typeOf(form_));
  };
  const at::Tensor near = byKvHead(rotated(queries, angles));
  const at::Tensor ownKeys = rotated(keys, angles).to(near.scalar_type());
  std::vector<at::Tensor> scores, seen;
  if (groups.far.count() > 0) {
    const at::Tensor far = byKvHead(rotated(queries, anglesAt(table_, farPlaces)));
    scores.push_back(
        at::bmm(far, ordinary(groups.far.keys(), far.scalar_type()).transpose(1, 2)).to(at::kFloat));
    seen.push_back(ordinary(groups.far.values(), far.scalar_type()));
  }
  if (before > 0) {
    scores.push_back(
        at::bmm(near, ordinary(groups.near.keys().narrow(1, 0, before), near.scalar_type()).transpose(1, 2))
            .to(at::kFloat));
    seen.push_back(ordinary(groups.near.values().narrow(1, 0, before), near.scalar_type()));
  }
  scores.push_back(at::bmm(near, ownKeys.transpose(1, 2)).to(at::kFloat) +
                   causalMask(tokens).repeat({group, 1}));
  seen.push_back(values.to(near.scalar_type()));
  const at::Tensor weights = at::softmax(at::cat(scores, 2) * shape.attentionScale, 2).to(near.scalar_type());
  return at::bmm(weights, at::cat(seen, 1))
      .reshape({shape.heads, tokens, shape.headDimension})
      .transpose(0, 1)
      .reshape({tokens, -1});
}

at::Tensor BranchForward::loss(std::span<QuestionBranch> branches, const std::vector<Adapter::Layer>& adapter,
                               const std::function<void()>& breathe) {
  const ModelShape& shape = model_.shape;
  const at::ScalarType type = typeOf(form_);
  std::vector<std::int64_t> ids;
  for (const QuestionBranch& branch : branches)
    ids.insert(ids.end(), branch.tokens.begin(), branch.tokens.end());
  at::Tensor x = embedding_.index_select(0, at::tensor(ids, at::kLong)).to(at::kFloat) * shape.embeddingScale;
  for (int layer = 0; layer < shape.layers; ++layer) {
    const FrozenLayer& frozen = layers_[static_cast<std::size_t>(layer)];
    const Adapter::Layer& changes = adapter[static_cast<std::size_t>(layer)];
    const at::Tensor normed = norm(x, frozen.attentionNorm).to(type);
    const at::Tensor projected = product(layer, Adapter::QueryKeyValue, normed, changes);
    std::vector<at::Tensor> attended;
    std::int64_t first = 0;
    for (QuestionBranch& branch : branches) {
      breathe();
      const auto rows = static_cast<std::int64_t>(branch.tokens.size());
      attended.push_back(
          attend(layer, branch, projected.narrow(0, first, rows), normed.narrow(0, first, rows)));
      first += rows;
    }
    const auto add = [&](const at::Tensor& output, const at::Tensor& postNorm) {
      x = x + (postNorm.defined() ? norm(output, postNorm) : output.to(at::kFloat));
    };
    add(product(layer, Adapter::Output, at::cat(attended), changes), frozen.postAttentionNorm);
    const at::Tensor gateUp =
        product(layer, Adapter::GateUp, norm(x, frozen.feedForwardNorm).to(type), changes);
    const at::Tensor gate = gateUp.narrow(1, 0, shape.feedForward);
    const at::Tensor gated = (shape.activation == Activation::Gelu ? at::gelu(gate, "tanh") : at::silu(gate)) *
                             gateUp.narrow(1, shape.feedForward, shape.feedForward);
    add(product(layer, Adapter::Down, gated, changes), frozen.postFeedForwardNorm);
  }
  std::vector<at::Tensor> losses;
  std::int64_t end = 0;
  for (const QuestionBranch& branch : branches) {
    const auto targets = static_cast<std::int64_t>(branch.targets.size());
    end += static_cast<std::int64_t>(branch.tokens.size());
    const at::Tensor rows = norm(x.narrow(0, end - targets, targets), finalNorm_).to(type);
    const std::vector<std::int64_t> wanted(branch.targets.begin(), branch.targets.end());
    losses.push_back(at::nll_loss(at::log_softmax(at::linear(rows, head_).to(at::kFloat), 1),
                                  at::tensor(wanted, at::kLong)));
  }
  return at::stack(losses).mean();
}

}  // namespace kvasir
