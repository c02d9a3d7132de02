#include "engine/training/question_branch.h"

#include <numeric>

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

std::vector<int> countedFrom(int first, int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

/// Of a prompt and the branches after it.
std::vector<TokenId> idsOf(std::span<const TokenId> prompt, std::span<const QuestionBranch> branches) {
  std::vector<TokenId> ids(prompt.begin(), prompt.end());
  for (const QuestionBranch& branch : branches)
    ids.insert(ids.end(), branch.tokens.begin(), branch.tokens.end());
  return ids;
}

/// Additive mask [rows, rows] that hides what comes after a row.
at::Tensor causalMask(std::int64_t rows) { return at::full({rows, rows}, -1e30f, at::kFloat).triu(1); }

}  // namespace

std::optional<QuestionBranch> makeBranch(const LoadedModel& model, std::string_view question,
                                         std::string_view answer) {
  QuestionBranch branch;
  branch.tokens = frameQuestion(model, question);
  branch.questionTokens = static_cast<int>(branch.tokens.size());
  branch.targets = plainTokens(model, answer);
  branch.tokens.insert(branch.tokens.end(), branch.targets.begin(), branch.targets.end());
  branch.targets.push_back(endOf(model));
  branch.words = question;
  if (static_cast<int>(branch.tokens.size()) > kChunkTokens) return std::nullopt;
  return branch;
}

std::optional<QuestionBranch> makeBranch(const LoadedModel& model, const StoredReading& reading,
                                         int budgetTokens, std::string_view question, std::string_view answer) {
  std::optional<QuestionBranch> branch = makeBranch(model, question, answer);
  if (branch) placeAfter(model, reading, budgetTokens, *branch);
  return branch;
}

void placeAfter(const LoadedModel& model, const StoredReading& reading, int budgetTokens,
                QuestionBranch& branch) {
  const c10::InferenceMode engineSide(true);
  const Method& method = findMethod(reading.method());
  ChunkWishes wishes;
  if (method.judge == Judge::Score) wishes.paragraphs = questionParagraphs(model, reading, branch.words);
  branch.run = std::make_unique<TextRun>(model,
                                         TextRun::Settings{method, budgetTokens, nullptr, [] {},
                                                           std::move(wishes), nullptr, true, reading.tokens()},
                                         &reading.file());
  branch.run->cache().adopt(reading.finishedRuns());
  branch.run->cache().startTail();
  branch.run->cache().open(static_cast<int>(branch.tokens.size()));
}

std::optional<TextEnd> endOfText(const LoadedModel& model, std::string_view text) {
  const std::vector<Token> tokens = model.tokenizer->encode(text);
  const auto isWithinCharacter = [&](std::size_t byte) {
    return byte < text.size() && (static_cast<unsigned char>(text[byte]) & 0xC0u) == 0x80u;
  };
  std::size_t first = tokens.size() - std::min<std::size_t>(kChunkTokens + 1, tokens.size() / 2);
  while (first < tokens.size() && isWithinCharacter(tokens[first].start)) ++first;
  if (first + 2 > tokens.size()) return std::nullopt;
  TextEnd end{tokens[first].start, {}, std::string(text.substr(tokens[first].start))};
  for (; first < tokens.size(); ++first) end.tokens.push_back(tokens[first].id);
  return end;
}

QuestionBranch plainBranch(const TextEnd& end) {
  QuestionBranch branch;
  branch.tokens.assign(end.tokens.begin(), end.tokens.end() - 1);
  branch.questionTokens = static_cast<int>(branch.tokens.size());
  branch.targets.assign(end.tokens.begin() + 1, end.tokens.end());
  branch.words = end.words;
  return branch;
}

BranchForward::BranchForward(const LoadedModel& model)
    : model_(model),
      frozen_(model, "Adapters"),
      table_(ropeFrequencies(model.shape, false), model.shape.ropeMagnitude) {}

at::Tensor BranchForward::product(int layer, Adapter::Projection projection, const at::Tensor& x,
                                  const Adapter::Layer& changes) const {
  const auto at = static_cast<std::size_t>(projection);
  const at::ScalarType type = frozen_.type();
  return at::linear(x, frozen_.layer(layer).projections[at]) +
         at::linear(at::linear(x, changes[at].down.to(type)), changes[at].up.to(type));
}

BranchForward::BlockHeads BranchForward::headsOf(int layer, const at::Tensor& projected) const {
  const ModelShape& shape = model_.shape;
  const FrozenModel::Layer& frozen = frozen_.layer(layer);
  return {frozen_.heads(projected, 0, shape.heads, frozen.queryNorm),
          frozen_.heads(projected, shape.heads, shape.kvHeads, frozen.keyNorm),
          frozen_.heads(projected, shape.heads + shape.kvHeads, shape.kvHeads, {})};
}

at::Tensor BranchForward::byKvHead(const at::Tensor& queries, const Angles& angles) const {
  return rotated(queries, angles)
      .reshape({model_.shape.kvHeads, model_.shape.group() * queries.size(1), model_.shape.headDimension})
      .to(frozen_.type());
}

at::Tensor BranchForward::attend(const BlockHeads& block, const Angles& angles,
                                 const std::vector<Seen>& before) const {
  const ModelShape& shape = model_.shape;
  const std::int64_t tokens = block.queries.size(1);
  const at::Tensor queries = byKvHead(block.queries, angles);
  const at::Tensor keys = rotated(block.keys, angles).to(queries.scalar_type());
  std::vector<at::Tensor> scores, values;
  for (const Seen& seen : before) {
    scores.push_back(
        at::bmm(seen.queries.defined() ? seen.queries : queries, seen.keys.transpose(1, 2)).to(at::kFloat));
    values.push_back(seen.values);
  }
  scores.push_back(at::bmm(queries, keys.transpose(1, 2)).to(at::kFloat) +
                   causalMask(tokens).repeat({shape.group(), 1}));
  values.push_back(block.values.to(queries.scalar_type()));
  const at::Tensor weights =
      at::softmax(at::cat(scores, 2) * shape.attentionScale, 2).to(queries.scalar_type());
  return at::bmm(weights, at::cat(values, 1))
      .reshape({shape.heads, tokens, shape.headDimension})
      .transpose(0, 1)
      .reshape({tokens, -1});
}

at::Tensor BranchForward::attendReading(int layer, QuestionBranch& branch, const BlockHeads& own,
                                        const at::Tensor& normed) {
  KvCache& cache = branch.run->cache();
  const PositionScheme& positions = branch.run->positions();
  const int tokens = static_cast<int>(branch.tokens.size()), chunk = cache.chunks() - 1;
  const Block block{chunk, cache.chunk(chunk).begin, tokens}, asked{chunk, block.first, branch.questionTokens};
  AttendedGroups groups;
  {
    const c10::InferenceMode engineSide(true);
    const at::ScalarType type = typeOf(model_.form);
    cache.write(layer, chunk,
                {own.keys.detach().to(type).contiguous(), own.values.detach().to(type).contiguous()});
    const at::Tensor asking = own.queries.detach().narrow(1, 0, branch.questionTokens).to(type).contiguous();
    const at::Tensor states = normed.detach().narrow(0, 0, branch.questionTokens).to(type);
    const Selection selection = branch.run->policy().select(
        layer, asked, {asking, rotateFar(asking, asked, positions, table_), states, true}, cache);
    arrangeGroups(selection, block, positions, layer, cache, table_, groups);
  }
  std::vector<int> farPlaces;
  for (const int token : countedFrom(block.first, tokens)) farPlaces.push_back(positions.farQuery(token));
  const Angles angles = anglesAt(table_, countedFrom(block.first - groups.nearOrigin, tokens));
  const at::ScalarType type = frozen_.type();
  std::vector<Seen> before;
  if (groups.far.count() > 0)
    before.push_back({ordinary(groups.far.keysInPlace(), type), ordinary(groups.far.valuesInPlace(), type),
                      byKvHead(own.queries, anglesAt(table_, farPlaces))});
  if (const int near = groups.view.own; near > 0)
    before.push_back({ordinary(groups.near.keysInPlace().narrow(1, 0, near), type),
                      ordinary(groups.near.valuesInPlace().narrow(1, 0, near), type)});
  return attend(own, angles, before);
}

at::Tensor BranchForward::hidden(const std::vector<TokenId>& ids, const std::vector<Adapter::Layer>& adapter,
                                 const Attend& attend) {
  const at::ScalarType type = frozen_.type();
  at::Tensor x = frozen_.embed(ids);
  for (int layer = 0; layer < model_.shape.layers; ++layer) {
    const FrozenModel::Layer& frozen = frozen_.layer(layer);
    const Adapter::Layer& changes = adapter[static_cast<std::size_t>(layer)];
    const at::Tensor normed = frozen_.norm(x, frozen.attentionNorm).to(type);
    const at::Tensor attended = attend(layer, product(layer, Adapter::QueryKeyValue, normed, changes), normed);
    x = frozen_.add(x, product(layer, Adapter::Output, attended, changes), frozen.postAttentionNorm);
    const at::Tensor gateUp =
        product(layer, Adapter::GateUp, frozen_.norm(x, frozen.feedForwardNorm).to(type), changes);
    x = frozen_.add(x, product(layer, Adapter::Down, frozen_.gated(gateUp), changes),
                    frozen.postFeedForwardNorm);
  }
  return x;
}

at::Tensor BranchForward::lossOf(std::span<const QuestionBranch> branches, const at::Tensor& hidden,
                                 std::int64_t firstRow) const {
  std::vector<at::Tensor> losses;
  std::int64_t end = firstRow;
  for (const QuestionBranch& branch : branches) {
    const auto targets = static_cast<std::int64_t>(branch.targets.size());
    end += static_cast<std::int64_t>(branch.tokens.size());
    losses.push_back(frozen_.loss(hidden.narrow(0, end - targets, targets), branch.targets));
  }
  return at::stack(losses).mean();
}

at::Tensor BranchForward::loss(std::span<QuestionBranch> branches, const std::vector<Adapter::Layer>& adapter,
                               const std::function<void()>& breathe) {
  const auto attend = [&](int layer, const at::Tensor& projected, const at::Tensor& normed) {
    std::vector<at::Tensor> attended;
    std::int64_t first = 0;
    for (QuestionBranch& branch : branches) {
      breathe();
      const auto rows = static_cast<std::int64_t>(branch.tokens.size());
      attended.push_back(attendReading(layer, branch, headsOf(layer, projected.narrow(0, first, rows)),
                                       normed.narrow(0, first, rows)));
      first += rows;
    }
    return at::cat(attended);
  };
  return lossOf(branches, hidden(idsOf({}, branches), adapter, attend), 0);
}

at::Tensor BranchForward::lossAfter(std::span<const TokenId> prompt, std::span<QuestionBranch> branches,
                                    const std::vector<Adapter::Layer>& adapter,
                                    const std::function<void()>& breathe) {
  const int before = static_cast<int>(prompt.size());
  const Angles promptAngles = anglesAt(table_, countedFrom(0, before));
  std::vector<Angles> angles;
  for (const QuestionBranch& branch : branches)
    angles.push_back(anglesAt(table_, countedFrom(before, static_cast<int>(branch.tokens.size()))));
  const auto attendAll = [&](int layer, const at::Tensor& projected, const at::Tensor& /*normed*/) {
    const BlockHeads read = headsOf(layer, projected.narrow(0, 0, before));
    std::vector<at::Tensor> attended = {attend(read, promptAngles, {})};
    const at::Tensor keys = rotated(read.keys, promptAngles).to(frozen_.type()),
                     values = read.values.to(frozen_.type());
    std::int64_t first = before;
    for (std::size_t i = 0; i < branches.size(); ++i) {
      breathe();
      const auto rows = static_cast<std::int64_t>(branches[i].tokens.size());
      const BlockHeads own = headsOf(layer, projected.narrow(0, first, rows));
      attended.push_back(attend(own, angles[i], {{keys, values}}));
      first += rows;
    }
    return at::cat(attended);
  };
  return lossOf(branches, hidden(idsOf(prompt, branches), adapter, attendAll), before);
}

}  // namespace kvasir
