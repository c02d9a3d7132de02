#include "engine/answer.h"

#include "engine/generation.h"
#include "engine/question.h"

namespace kvasir {

namespace {

/// The share of a chunk that a layer could not see. at: the place of both in the map.
double hiddenShare(const EvidenceMap& map, std::size_t at) {
  if (!map.attended[at]) return 1;
  return map.seenShare.empty() ? 0 : 1 - static_cast<double>(map.seenShare[at]);
}

}  // namespace

std::optional<double> estimateCoverage(const EvidenceMap& map, int heads, float scale,
                                       const std::function<bool(int layer)>& isLocal) {
  double sum = 0;
  int counted = 0;
  for (int layer = 0; layer < map.layers; ++layer) {
    if (isLocal(layer)) continue;
    const auto row = static_cast<std::size_t>(layer * map.chunks);
    double best = -std::numeric_limits<double>::infinity();
    bool isWhole = true;
    for (std::size_t i = row; i < row + static_cast<std::size_t>(map.chunks); ++i) {
      const bool isHidden = hiddenShare(map, i) > 0;
      if (isHidden) isWhole = false;
      if (isHidden && std::isnan(map.scores[i])) return std::nullopt;
      if (!std::isnan(map.scores[i])) best = std::max<double>(best, map.scores[i]);
    }
    ++counted;
    if (isWhole) {
      sum += 1;
      continue;
    }
    double attendedMass = 0, attendedGuess = 0, missedGuess = 0;
    for (std::size_t i = row; i < row + static_cast<std::size_t>(map.chunks); ++i) {
      if (std::isnan(map.scores[i])) continue;
      const double guess = std::exp((map.scores[i] - best) * scale / heads), hidden = hiddenShare(map, i);
      attendedGuess += (1 - hidden) * guess;
      missedGuess += hidden * guess;
      if (map.attended[i]) attendedMass += map.mass[i];
    }
    sum += attendedGuess > 0 ? 1 / (1 + missedGuess * attendedMass / attendedGuess) : 0;
  }
  return counted ? std::optional(sum / counted) : std::nullopt;
}

std::span<const float> lastScores(const std::vector<float>& scores, int chunks) {
  const auto count = static_cast<std::size_t>(chunks);
  std::span<const float> row;
  for (std::size_t end = scores.size(); end >= count && count > 0; end -= count) {
    row = std::span(scores).subspan(end - count, count);
    if (!std::ranges::all_of(row, [](float score) { return std::isnan(score); })) return row;
  }
  return row;
}

std::vector<EvidenceChunk> rankEvidence(const EvidenceMap& map, const std::vector<ChunkRange>& chunks,
                                        Judge judge) {
  std::vector<EvidenceChunk> evidence;
  const std::span<const float> scores = lastScores(map.scores, map.chunks),
                               words = lastScores(map.words, map.chunks);
  for (int chunk = 0; chunk < map.chunks; ++chunk) {
    const ChunkRange& range = chunks[static_cast<std::size_t>(chunk)];
    if (range.start == range.end) continue;
    EvidenceChunk found;
    found.chunk = chunk;
    found.start = range.start;
    found.end = range.end;
    found.document = range.document;
    for (int layer = 0; layer < map.layers; ++layer) {
      const auto at = static_cast<std::size_t>(layer * map.chunks + chunk);
      found.mass += map.mass[at] / map.layers;
      found.layers += map.attended[at];
    }
    const float score = scores[static_cast<std::size_t>(chunk)];
    found.score = judge == Judge::Attention ? found.mass : std::isnan(score) ? 0 : score;
    const float shared =
        words.empty() ? std::numeric_limits<float>::quiet_NaN() : words[static_cast<std::size_t>(chunk)];
    if (judge == Judge::Score && !std::isnan(shared)) found.parts = ScoreParts{found.score - shared, shared};
    if (found.layers > 0) evidence.push_back(found);
  }
  std::ranges::stable_sort(evidence,
                           [](const EvidenceChunk& a, const EvidenceChunk& b) { return a.score > b.score; });
  return evidence;
}

void addBytes(std::vector<std::pair<std::size_t, std::size_t>>& bytes, const StoredToken& token) {
  if (token.start == token.end) return;  // of the prompt's frame
  if (bytes.empty() || bytes.back().second < token.start) bytes.emplace_back(token.start, token.end);
  bytes.back().second = std::max<std::size_t>(bytes.back().second, token.end);
}

std::vector<AnswerStep::LookedAt> lookedAt(const std::vector<ChunkRange>& chunks,
                                           const std::vector<int>& some) {
  std::vector<AnswerStep::LookedAt> places;
  for (const int chunk : some) {
    const ChunkRange& range = chunks[static_cast<std::size_t>(chunk)];
    places.push_back({chunk, range.start, range.end, range.document});
  }
  return places;
}

std::vector<AnswerStep::LookedAt> mostAttended(const EvidenceMap& map, const std::vector<ChunkRange>& chunks,
                                               std::size_t most) {
  std::vector<int> best;
  for (const EvidenceChunk& chunk : rankEvidence(map, chunks, Judge::Attention))
    if (best.size() < most) best.push_back(chunk.chunk);
  return lookedAt(chunks, best);
}

ChunkTexts chunkTexts(const LoadedModel& model, const ChunkedReading& reading) {
  ChunkTexts texts;
  std::size_t bytes = 0;
  for (int chunk = 0; chunk < reading.finished(); ++chunk) {
    const ChunkRange& range = reading.chunks()[static_cast<std::size_t>(chunk)];
    if (chunk > 0 && range.document != reading.chunks()[static_cast<std::size_t>(chunk - 1)].document) {
      texts.chunks.back() += "\n\n";  // a paragraph ends where its document does
      bytes += 2;
    }
    std::string& text = texts.chunks.emplace_back();
    for (int token = range.firstToken; token < range.firstToken + range.tokens; ++token) {
      const StoredToken& stored = reading.storedTokens()[static_cast<std::size_t>(token)];
      texts.tokenStarts.push_back(bytes + text.size());
      if (stored.start != stored.end) text += model.tokenizer->bytesOf(stored.id);
    }
    bytes += text.size();
  }
  return texts;
}

std::vector<ScoredParagraph> questionParagraphs(const LoadedModel& model, const ChunkedReading& reading,
                                                std::string_view question) {
  return scoreParagraphs(chunkTexts(model, reading).chunks, question);
}

FullAttention lookFully(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                        std::string_view answer, Listener& listener) {
  const Method& method = findMethod(reading.method());
  if (readsPassages(method))
    throw std::runtime_error("The method " + reading.method() +
                             " reads only the passages it finds, so full attention cannot be shown.");
  if (reading.isForgetful())
    throw std::runtime_error("The method " + reading.method() +
                             " forgets what it has read, so full attention cannot be shown.");
  EvidenceTap tap(model.shape.layers, model.shape.heads, reading.frames());
  const PolicySettings settings{model.kvShape(),      model.shape.heads,    reading.budgetTokens(), {},
                                model.whitened.get(), model.bookmarks.get()};
  const auto breathe = [&] { listener.progress({Stage::Retrieving, 0, 0, 0}); };
  TextRun run(model,
              {method,
               0,
               &tap,
               breathe,
               {},
               fullPolicyOver(method.makePolicy(settings)->needs().extras),
               isQuestion(question)},
              &reading.store());
  const at::Tensor last = run.readAfter(reading.finishedRuns(), frameQuestion(model, question));
  const AskSettings asFirst;
  const Script script = plainTokens(model, answer);
  Answer again;
  const Said said =
      sayAnswer(model, run.pass(), last, reading.tokenIds(), {asFirst, script, listener, Clock::now()}, again);
  return {tap.map(reading.finished()), placeLooks(tap.looks(reading.finished()), said, again.text)};
}

namespace {

std::vector<PartlySeen> partsOf(const EvidenceTap& tap, const ChunkedReading& reading) {
  std::vector<PartlySeen> parts;
  for (const EvidenceTap::Part& part : tap.parts(reading.finished())) {
    parts.push_back({part.layer, part.chunk, {}});
    for (const Run& run : part.tokens)
      for (int token = run.begin; token < run.end; ++token)
        addBytes(parts.back().bytes, reading.storedTokens()[static_cast<std::size_t>(token)]);
  }
  return parts;
}

Answer answerBy(const Script& script, const LoadedModel& model, const ChunkedReading& reading,
                std::string_view question, const AskSettings& settings, Listener& listener) {
  const Clock::time_point start = Clock::now();
  const Method& method = findMethod(settings.method);
  if (reading.method() != settings.method)
    throw std::runtime_error("The document was read for the method " + reading.method() + ", not for " +
                             settings.method + "; read it for that method first.");
  if (trimmed(std::string(question)).empty()) throw std::runtime_error("The question is empty.");
  requireBudget(model, method, settings.budgetTokens);
  if (method.sees != Sees::WholeDocument && settings.budgetTokens > reading.budgetTokens() &&
      reading.isForgetful())
    throw std::runtime_error(
        "The document was read with a smaller budget, and what fell out of it is gone; read it again.");
  return method.answers.answer(model, reading, question, {settings, script, listener, start});
}

}  // namespace

Answer answerFromReading(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                         const Asking& asking) {
  const AskSettings& settings = asking.settings;
  const Method& method = findMethod(settings.method);
  Answer answer;
  EvidenceTap tap(model.shape.layers, model.shape.heads, reading.frames());
  const auto breathe = [&] { asking.listener.progress({Stage::Retrieving, 0, 0, 0}); };
  ChunkWishes wishes{settings.pinnedChunks, settings.blockedChunks, {}};
  if (method.judge == Judge::Score) wishes.paragraphs = questionParagraphs(model, reading, question);
  TextRun run(model,
              {method, settings.budgetTokens, &tap, breathe, std::move(wishes), nullptr, isQuestion(question),
               reading.tokens()},
              &reading.store());
  const std::vector<TokenId> tokens = frameQuestion(model, question);
  answer.questionTokens = static_cast<int>(tokens.size());
  const at::Tensor last = run.readAfter(reading.finishedRuns(), tokens);
  const Said said = sayAnswer(model, run.pass(), last, reading.tokenIds(), asking, answer);
  answer.looks = placeLooks(tap.looks(reading.finished()), said, answer.text);
  answer.map = tap.map(reading.finished());
  answer.parts = partsOf(tap, reading);
  answer.evidence = rankEvidence(answer.map, reading.chunks(), method.judge);
  if (method.judge == Judge::Attention)
    answer.coverage = estimateCoverage(answer.map, model.shape.heads, model.shape.attentionScale,
                                       [&](int layer) { return model.shape.isLocal(layer); });
  answer.attendedTokens = run.pass().attendedTokens();
  answer.kvBytesInMemory = run.bytesInMemory() + tap.bytes() + reading.bytesInMemory();
  answer.totalSeconds = secondsSince(asking.start);
  return answer;
}

Answer answerQuestion(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                      const AskSettings& settings, Listener& listener) {
  return answerBy(std::nullopt, model, reading, question, settings, listener);
}

Answer retraceAnswer(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                     std::string_view said, const AskSettings& settings, Listener& listener) {
  Answer answer = answerBy(plainTokens(model, said), model, reading, question, settings, listener);
  answer.stoppedByLimit = false;
  return answer;
}

}  // namespace kvasir
