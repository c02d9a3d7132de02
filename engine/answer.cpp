#include "engine/answer.h"

#include "engine/passage_answer.h"

namespace kvasir {
namespace {

// So many tokens said a second time are a loop, not a phrase that comes back.
constexpr std::ptrdiff_t kRepeatTokens = 16;

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool endsAnswer(const Tokenizer& tokenizer, TokenId token) {
  const auto& ends = tokenizer.vocabulary().ends;
  return std::ranges::find(ends, token) != ends.end();
}

/// Bytes of tokens as whole UTF-8 characters: what is cut short waits for the next token.
class TextAssembler {
 public:
  std::string add(const std::string& bytes) {
    pending_ += bytes;
    std::size_t whole = pending_.size();
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, whole); ++back) {
      const auto lead = static_cast<unsigned char>(pending_[whole - back]);
      if ((lead & 0xC0) == 0x80) continue;  // a following byte
      const std::size_t needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
      if (needed > back) whole -= back;
      break;
    }
    std::string text = pending_.substr(0, whole);
    pending_.erase(0, whole);
    return text;
  }

 private:
  std::string pending_;
};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Whether the last tokens stood, all of them, in the answer before.
bool endsInRepeat(const std::vector<TokenId>& answer) {
  const auto tail = answer.end() - std::min<std::ptrdiff_t>(kRepeatTokens, std::ssize(answer));
  return std::ssize(answer) > kRepeatTokens &&
         std::search(answer.begin(), answer.end() - 1, tail, answer.end()) != answer.end() - 1;
}

/// What is left of a text cut at `end`: its whole sentences, or all of it where it has none.
std::string wholeSentences(const std::string& text, std::size_t end) {
  const std::string kept = text.substr(0, end);
  const std::size_t last = kept.find_last_of(".!?\n");
  return last == std::string::npos ? kept : kept.substr(0, last + 1);
}

}  // namespace

void generateAnswer(const LoadedModel& model, ForwardPass& pass, const at::Tensor& lastRow,
                    const AskSettings& settings, Listener& listener, Clock::time_point start, Answer& answer) {
  Sampler sampler(settings.sampling);
  TextAssembler assembler;
  const at::Tensor first = pass.logits(lastRow).contiguous();
  std::span<const float> logits(first.data_ptr<float>(), static_cast<std::size_t>(first.size(1)));
  answer.stoppedByLimit = true;
  std::vector<TokenId> said;
  std::vector<std::size_t> starts;  // byte of the text before each token
  for (int count = 0; count < settings.maxTokens; ++count) {
    const TokenId token = sampler.pick(logits);
    if (count == 0) answer.firstTokenSeconds = secondsSince(start);
    answer.logProbability += logProbability(logits, token);
    if (endsAnswer(*model.tokenizer, token)) {
      answer.stoppedByLimit = false;
      break;
    }
    ++answer.answerTokens;
    said.push_back(token);
    starts.push_back(answer.text.size());
    const std::string text = assembler.add(model.tokenizer->bytesOf(token));
    answer.text += text;
    if (!text.empty()) listener.answerText(text);
    const double speed = count > 0 ? count / (secondsSince(start) - answer.firstTokenSeconds) : 0;
    listener.progress({Stage::Answering, count + 1, settings.maxTokens, speed});
    if (settings.repeats == Repeats::Stop && endsInRepeat(said)) {
      answer.text = wholeSentences(answer.text, starts[said.size() - kRepeatTokens]);
      answer.stoppedByLimit = false;
      answer.stoppedByRepeat = true;
      break;
    }
    if (count + 1 < settings.maxTokens) logits = pass.generate(token);
  }
  answer.text = trimmed(answer.text);
}

std::optional<double> estimateCoverage(const EvidenceMap& map, int heads, float scale) {
  double sum = 0;
  int counted = 0;
  for (int layer = 0; layer < map.layers; ++layer) {
    const auto row = static_cast<std::size_t>(layer * map.chunks);
    double best = -std::numeric_limits<double>::infinity();
    bool isWhole = true;
    for (std::size_t i = row; i < row + static_cast<std::size_t>(map.chunks); ++i) {
      if (!map.attended[i]) isWhole = false;
      if (!map.attended[i] && std::isnan(map.scores[i])) return std::nullopt;
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
      const double guess = std::exp((map.scores[i] - best) * scale / heads);
      (map.attended[i] ? attendedGuess : missedGuess) += guess;
      if (map.attended[i]) attendedMass += map.mass[i];
    }
    sum += attendedGuess > 0 ? 1 / (1 + missedGuess * attendedMass / attendedGuess) : 0;
  }
  return counted ? std::optional(sum / counted) : std::nullopt;
}

std::vector<EvidenceChunk> rankEvidence(const EvidenceMap& map, const std::vector<ChunkRange>& chunks,
                                        Judge judge) {
  std::vector<EvidenceChunk> evidence;
  const auto lastRow = static_cast<std::size_t>((map.layers - 1) * map.chunks);
  for (int chunk = 0; chunk < map.chunks; ++chunk) {
    const ChunkRange& range = chunks[static_cast<std::size_t>(chunk)];
    if (range.start == range.end) continue;
    EvidenceChunk found;
    found.chunk = chunk;
    found.start = range.start;
    found.end = range.end;
    for (int layer = 0; layer < map.layers; ++layer) {
      const auto at = static_cast<std::size_t>(layer * map.chunks + chunk);
      found.mass += map.mass[at] / map.layers;
      found.layers += map.attended[at];
    }
    const float score = map.scores[lastRow + static_cast<std::size_t>(chunk)];
    found.score = judge == Judge::Attention ? found.mass : std::isnan(score) ? 0 : score;
    if (found.layers > 0) evidence.push_back(found);
  }
  std::ranges::stable_sort(evidence,
                           [](const EvidenceChunk& a, const EvidenceChunk& b) { return a.score > b.score; });
  return evidence;
}

std::vector<ScoredParagraph> questionParagraphs(const LoadedModel& model, const StoredReading& reading,
                                                std::string_view question) {
  std::vector<std::string> chunks;
  for (const ChunkRange& range : reading.chunks()) {
    std::string& text = chunks.emplace_back();
    for (int token = range.firstToken; token < range.firstToken + range.tokens; ++token) {
      const StoredToken& stored = reading.file().tokens()[static_cast<std::size_t>(token)];
      if (stored.start != stored.end) text += model.tokenizer->bytesOf(stored.id);
    }
  }
  return scoreParagraphs(chunks, question);
}

EvidenceMap lookFully(const LoadedModel& model, const StoredReading& reading, std::string_view question,
                      std::string_view answer, Listener& listener) {
  const Method& method = findMethod(reading.method());
  if (readsPassages(method))
    throw std::runtime_error("The method " + reading.method() +
                             " reads only the passages it finds, so full attention cannot be shown.");
  if (reading.file().header().ring > 0)
    throw std::runtime_error("The method " + reading.method() +
                             " forgets what it has read, so full attention cannot be shown.");
  EvidenceTap tap(model.shape.layers, model.shape.heads, static_cast<int>(framePrefix(model).size()));
  const PolicySettings settings{
      model.kvShape(), model.shape.heads, reading.budgetTokens(), {}, model.whitening.get()};
  const auto breathe = [&] { listener.progress({Stage::Retrieving, 0, 0, 0}); };
  TextRun run(
      model, {method, 0, &tap, breathe, {}, fullPolicyOver(method.policy.make(settings)->needs().extras), true},
      &reading.file());
  run.cache().adopt(reading.finishedRuns());
  run.cache().startTail();
  std::vector<TokenId> tokens = frameQuestion(model, question);
  const std::vector<TokenId> said = plainTokens(model, answer);
  tokens.insert(tokens.end(), said.begin(), said.end());
  run.read(tokens, static_cast<int>(tokens.size()) + kChunkTokens);
  return tap.map(static_cast<int>(reading.finishedRuns().size()));
}

Answer answerQuestion(const LoadedModel& model, const StoredReading& reading, std::string_view question,
                      const AskSettings& settings, Listener& listener) {
  const Clock::time_point start = Clock::now();
  const Method& method = findMethod(settings.method);
  if (reading.method() != settings.method)
    throw std::runtime_error("The document was read for the method " + reading.method() + ", not for " +
                             settings.method + "; read it for that method first.");
  if (trimmed(std::string(question)).empty()) throw std::runtime_error("The question is empty.");
  if (method.sees == Sees::Budget && settings.budgetTokens > reading.budgetTokens() &&
      reading.file().header().ring > 0)
    throw std::runtime_error(
        "The document was read with a smaller budget, and what fell out of it is gone; read it again.");
  if (readsPassages(method)) return answerFromPassages(model, reading, question, settings, listener);

  Answer answer;
  EvidenceTap tap(model.shape.layers, model.shape.heads, static_cast<int>(framePrefix(model).size()));
  const auto breathe = [&] { listener.progress({Stage::Retrieving, 0, 0, 0}); };
  ChunkWishes wishes{settings.pinnedChunks, settings.blockedChunks, {}};
  if (method.judge == Judge::Score) wishes.paragraphs = questionParagraphs(model, reading, question);
  TextRun run(model, {method, settings.budgetTokens, &tap, breathe, std::move(wishes), nullptr, true},
              &reading.file());
  run.cache().adopt(reading.finishedRuns());
  run.cache().startTail();
  const std::vector<TokenId> tokens = frameQuestion(model, question);
  answer.questionTokens = static_cast<int>(tokens.size());
  const at::Tensor last = run.read(tokens, static_cast<int>(tokens.size()) + kChunkTokens);
  generateAnswer(model, run.pass(), last, settings, listener, start, answer);

  answer.map = tap.map(static_cast<int>(reading.finishedRuns().size()));
  answer.evidence = rankEvidence(answer.map, reading.chunks(), method.judge);
  if (method.judge == Judge::Attention)
    answer.coverage = estimateCoverage(answer.map, model.shape.heads, model.shape.attentionScale);
  answer.attendedTokens = run.pass().attendedTokens();
  answer.kvBytesInMemory = run.pass().bytes() + run.cache().bytesInMemory();
  answer.totalSeconds = secondsSince(start);
  return answer;
}

}  // namespace kvasir
