#include "engine/training/question_branch.h"

#include "engine/answer.h"

namespace kvasir {
namespace {

/// A copy that can stand in a differentiable expression: what the engine holds was made in inference mode.
at::Tensor ordinary(const at::Tensor& tensor, at::ScalarType type) { return tensor.to(type, false, true); }

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
  branch.run = std::make_unique<TextRun>(model,
                                         TextRun::Settings{method, budgetTokens, nullptr, [] {},
                                                           std::move(wishes), nullptr, true, reading.tokens()},
                                         &reading.file());
  branch.run->cache().adopt(reading.finishedRuns());
  branch.run->cache().startTail();
  branch.run->cache().open(static_cast<int>(branch.tokens.size()));
  return branch;
}

BranchForward::BranchForward(const LoadedModel& model)
    : model_(model), frozen_(model, "Adapters"), table_(ropeFrequencies(model.shape, false)) {}

at::Tensor BranchForward::product(int layer, Adapter::Projection projection, const at::Tensor& x,
                                  const Adapter::Layer& changes) const {
  const auto at = static_cast<std::size_t>(projection);
  const at::ScalarType type = frozen_.type();
  return at::linear(x, frozen_.layer(layer).projections[at]) +
         at::linear(at::linear(x, changes[at].down.to(type)), changes[at].up.to(type));
}

at::Tensor BranchForward::attend(int layer, QuestionBranch& branch, const at::Tensor& projected,
                                 const at::Tensor& normed) {
  const ModelShape& shape = model_.shape;
  const FrozenModel::Layer& frozen = frozen_.layer(layer);
  KvCache& cache = branch.run->cache();
  const int tokens = static_cast<int>(branch.tokens.size()), chunk = cache.chunks() - 1;
  const Block block{chunk, cache.chunk(chunk).begin, tokens}, asked{chunk, block.first, branch.questionTokens};
  const at::Tensor queries = frozen_.heads(projected, 0, shape.heads, frozen.queryNorm);
  const at::Tensor keys = frozen_.heads(projected, shape.heads, shape.kvHeads, frozen.keyNorm);
  const at::Tensor values = frozen_.heads(projected, shape.heads + shape.kvHeads, shape.kvHeads, {});

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
    return rows.reshape({shape.kvHeads, std::int64_t{group} * tokens, shape.headDimension}).to(frozen_.type());
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
  const at::ScalarType type = frozen_.type();
  std::vector<TokenId> ids;
  for (const QuestionBranch& branch : branches)
    ids.insert(ids.end(), branch.tokens.begin(), branch.tokens.end());
  at::Tensor x = frozen_.embed(ids);
  for (int layer = 0; layer < model_.shape.layers; ++layer) {
    const FrozenModel::Layer& frozen = frozen_.layer(layer);
    const Adapter::Layer& changes = adapter[static_cast<std::size_t>(layer)];
    const at::Tensor normed = frozen_.norm(x, frozen.attentionNorm).to(type);
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
    x = frozen_.add(x, product(layer, Adapter::Output, at::cat(attended), changes), frozen.postAttentionNorm);
    const at::Tensor gateUp =
        product(layer, Adapter::GateUp, frozen_.norm(x, frozen.feedForwardNorm).to(type), changes);
    x = frozen_.add(x, product(layer, Adapter::Down, frozen_.gated(gateUp), changes),
                    frozen.postFeedForwardNorm);
  }
  std::vector<at::Tensor> losses;
  std::int64_t end = 0;
  for (const QuestionBranch& branch : branches) {
    const auto targets = static_cast<std::int64_t>(branch.targets.size());
    end += static_cast<std::int64_t>(branch.tokens.size());
    losses.push_back(frozen_.loss(x.narrow(0, end - targets, targets), branch.targets));
  }
  return at::stack(losses).mean();
}

}  // namespace kvasir
