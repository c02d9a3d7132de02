#include "engine/training/retriever_context.h"

#include "engine/text_run.h"

namespace kvasir {
namespace {

constexpr int kStepTokens = 1024;
constexpr double kEachLayersShare = 0.2;  // of the loss of questions
constexpr int kSeenAnyway = 3;  // chunks of the budget that are not retrieved: first, last, the question's own

/// A copy that gradients may pass through: what the engine computes may not be remembered for them.
at::Tensor kept(const at::Tensor& states) {
  const c10::InferenceMode noInference(false);
  return at::empty(states.sizes(), states.scalar_type()).copy_(states);
}

struct Tokens {
  std::vector<TokenId> ids;
  std::vector<RetrieverLesson::Stretch> places;  ///< bytes of each; empty for the frame
};

Tokens tokensOf(const LoadedModel& model, const std::string& text) {
  Tokens tokens;
  tokens.ids = framePrefix(model);
  tokens.places.resize(tokens.ids.size());
  for (const Token& token : model.tokenizer->encode(text)) {
    tokens.ids.push_back(token.id);
    tokens.places.push_back({token.start, token.end});
  }
  return tokens;
}

bool meet(const RetrieverLesson::Stretch& a, const RetrieverLesson::Stretch& b) {
  return a.start < b.end && b.start < a.end;
}

/// Bytes of each chunk's text.
std::vector<RetrieverLesson::Stretch> chunkPlaces(const Tokens& tokens) {
  std::vector<RetrieverLesson::Stretch> places;
  for (std::size_t first = 0; first < tokens.ids.size(); first += kChunkTokens) {
    RetrieverLesson::Stretch place;
    for (std::size_t i = first; i < std::min(tokens.ids.size(), first + kChunkTokens); ++i) {
      if (tokens.places[i].start == tokens.places[i].end) continue;
      if (place.end == 0) place.start = tokens.places[i].start;
      place.end = tokens.places[i].end;
    }
    places.push_back(place);
  }
  return places;
}

/// The document that holds a chunk's middle.
int documentOf(const RetrieverLesson::Stretch& place, const std::vector<RetrieverLesson::Stretch>& documents) {
  const std::size_t middle = (place.start + place.end) / 2;
  for (std::size_t i = 0; i < documents.size(); ++i)
    if (documents[i].start <= middle && middle < documents[i].end) return static_cast<int>(i);
  return -1;
}

/// Mean over rows of the loss of each row's gold columns. scores: [rows, columns]. isGold, isOther: the same
/// shape, of kBool; columns that are neither do not count. Rows without gold or others are left out.
at::Tensor contrast(const at::Tensor& scores, const at::Tensor& isGold, const at::Tensor& isOther) {
  const at::Tensor isUsed = isGold.any(1).logical_and(isOther.any(1));
  const at::Tensor rows = isUsed.nonzero().flatten();
  if (rows.numel() == 0) return at::zeros({});
  const at::Tensor own = scores.index_select(0, rows), gold = isGold.index_select(0, rows).to(at::kFloat);
  const at::Tensor others = at::logsumexp(own.masked_fill(isOther.index_select(0, rows).logical_not(), -1e9),
                                          std::vector<std::int64_t>{1}, true);
  const at::Tensor losses = at::logaddexp(own, others) - own;
  return ((losses * gold).sum(1) / gold.sum(1)).mean();
}

at::Tensor boolean(const std::vector<std::vector<char>>& rows, std::size_t columns) {
  at::Tensor table =
      at::zeros({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, at::kBool);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t column = 0; column < columns; ++column)
      table.data_ptr<bool>()[row * columns + column] = rows[row][column] != 0;
  return table;
}

/// Whether a question is judged, by what of its chunks is gold: there is some, and some that is not.
bool isJudged(const std::vector<char>& isGold) {
  const auto gold = std::ranges::count_if(isGold, [](char chunk) { return chunk != 0; });
  return gold > 0 && gold < std::ssize(isGold);
}

/// How many of the questions that are judged see all their gold chunks: the first and the last always, the best
/// others.
int countFound(const at::Tensor& scores, const std::vector<std::vector<char>>& isGold, int retrieved) {
  int found = 0;
  const auto columns = static_cast<std::size_t>(scores.size(1));
  const at::Tensor exact = scores.detach().contiguous();
  for (std::size_t row = 0; row < isGold.size(); ++row) {
    if (!isJudged(isGold[row])) continue;
    const float* own = exact.const_data_ptr<float>() + row * columns;
    std::vector<std::size_t> order;
    for (std::size_t column = 1; column + 1 < columns; ++column) order.push_back(column);
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return own[a] > own[b]; });
    bool isWhole = true;
    for (std::size_t place = static_cast<std::size_t>(retrieved); place < order.size(); ++place)
      isWhole = isWhole && !isGold[row][order[place]];
    found += isWhole;
  }
  return found;
}

/// [chunks, chunks]: whether two chunks are of one document, or of two, and neither sees the other anyway.
std::pair<at::Tensor, at::Tensor> readingPairs(const std::vector<int>& documents, int recent) {
  const auto chunks = static_cast<std::int64_t>(documents.size());
  at::Tensor same = at::zeros({chunks, chunks}, at::kBool), other = same.clone();
  for (std::int64_t a = 0; a < chunks; ++a)
    for (std::int64_t b = 1; b < a - recent; ++b) {
      const int mine = documents[static_cast<std::size_t>(a)], its = documents[static_cast<std::size_t>(b)];
      if (mine < 0 || its < 0) continue;
      (mine == its ? same : other).data_ptr<bool>()[a * chunks + b] = true;
    }
  return {same, other};
}

}  // namespace

RetrieverContext hearLesson(const LoadedModel& model, const RetrieverLesson& lesson, int budgetTokens,
                            Listener& listener) {
  const c10::InferenceMode engineSide(true);
  const Method& method = findMethod(kHeardBy);
  const auto breathe = [&] { listener.progress({Stage::Reading, 0, 0, 0}); };
  const Tokens tokens = tokensOf(model, lesson.text);
  RetrieverContext context;
  const HearStates hearChunk = [&](int layer, const Block&, const at::Tensor& states) {
    context.chunks[layer].push_back(kept(states));
  };
  ChunkWishes wishes;
  wishes.hear = &hearChunk;
  MemoryChunks memory(TextRun::fileHeader(model, method, budgetTokens, 0).slotBytes);
  std::vector<Run> chunks;
  {
    TextRun run(model, {method, budgetTokens, nullptr, breathe, wishes}, &memory);
    run.read(tokens.ids, kStepTokens);
    chunks = run.cache().runs();
  }
  const std::vector<RetrieverLesson::Stretch> places = chunkPlaces(tokens);
  for (const RetrieverLesson::Stretch& place : places)
    context.documents.push_back(documentOf(place, lesson.documents));
  for (const RetrieverLesson::Item& item : lesson.items) {
    std::vector<char>& isGold = context.isGold.emplace_back();
    for (const RetrieverLesson::Stretch& place : places)
      isGold.push_back(std::ranges::any_of(item.gold, [&](const auto& gold) { return meet(gold, place); }));
    std::map<int, at::Tensor> heard;  // the last block's, where a question is longer than a chunk
    const HearStates hearQuestion = [&](int layer, const Block&, const at::Tensor& states) {
      heard[layer] = kept(states);
    };
    wishes.hear = &hearQuestion;
    TextRun run(model, {method, budgetTokens, nullptr, breathe, wishes, nullptr, true}, &memory);
    run.readAfter(chunks, frameQuestion(model, item.question));
    for (const auto& [layer, states] : heard) context.questions[layer].push_back(states);
  }
  return context;
}

RetrieverScore scoreContext(const Bookmarks& bookmarks, const RetrieverContext& context,
                            const RetrieverSettings& settings) {
  RetrieverScore score;
  score.questions = static_cast<int>(std::ranges::count_if(context.isGold, isJudged));
  if (score.questions == 0) return score;
  const std::size_t chunks = context.documents.size();
  const at::Tensor isGold = boolean(context.isGold, chunks), isOther = isGold.logical_not();
  const auto [same, other] = readingPairs(context.documents, settings.budgetTokens / kChunkTokens / 4);
  at::Tensor asked = at::zeros({}), read = at::zeros({}), each = at::zeros({}), weights = at::zeros({});
  for (const int layer : bookmarks.layers()) {
    std::vector<at::Tensor> entries, queries;
    for (const at::Tensor& states : context.chunks.at(layer))
      entries.push_back(bookmarks.chunkEntry(layer, states));
    for (const at::Tensor& states : context.questions.at(layer))
      queries.push_back(bookmarks.questionEntry(layer, states));
    const at::Tensor keys = at::stack(entries), weight = bookmarks.weight(layer);
    const at::Tensor cosines = at::mm(at::stack(queries), keys.t());
    asked = asked + weight * cosines;
    read = read + weight * at::mm(keys, keys.t());
    weights = weights + weight;
    each = each + contrast(cosines / settings.temperature, isGold, isOther);
  }
  const double layers = static_cast<double>(bookmarks.layers().size());
  const at::Tensor scores = asked / weights;
  const at::Tensor ofQuestions =
      (1 - kEachLayersShare) * contrast(scores / settings.temperature, isGold, isOther) +
      kEachLayersShare * each / layers;
  const at::Tensor ofReading = contrast(read / weights / settings.temperature, same, other);
  score.loss = (1 - settings.readingShare) * ofQuestions + settings.readingShare * ofReading;
  score.whollyFound = countFound(scores, context.isGold, settings.budgetTokens / kChunkTokens - kSeenAnyway);
  return score;
}

}  // namespace kvasir
