#include "engine/passage_prompt.h"

#include <numeric>
#include <optional>

#include "engine/answer.h"

namespace kvasir {
namespace {

constexpr int kAnswerTokens = 128;  // of the budget, kept for the answer, or a quarter of it if that is more
constexpr int kStepTokens = 1024;

void mark(std::vector<char>& tokens, const std::vector<Run>& chunks, const std::vector<int>& marked) {
  for (const int chunk : marked) {
    if (chunk < 0 || chunk >= static_cast<int>(chunks.size())) continue;
    const Run run = chunks[static_cast<std::size_t>(chunk)];
    std::fill(tokens.begin() + run.begin, tokens.begin() + run.end, 1);
  }
}

/// How prompts are read, whatever the document was read with.
Method promptMethod(Method method) {
  const Method& dense = findMethod("full");
  method.policy = dense.policy;
  method.codec = dense.codec;
  method.positions = dense.positions;
  return method;
}

/// Whether the adapter acts on a prompt itself and not only on what comes after it.
bool readsAdapted(const LoadedModel& model, Weights weights) {
  return weights == Weights::Adapted && model.adapter && model.adapter->actsOnPrompts();
}

/// Reads a prompt into a store, and tells its chunks.
std::vector<Run> readPrompt(const LoadedModel& model, TextRun::Settings settings, const Prompt& prompt,
                            MemoryChunks& store) {
  TextRun run(model, std::move(settings), &store);
  std::size_t done = 0;
  for (std::size_t next = 0; next < prompt.sizes.size();) {
    const int first = run.cache().chunks();
    int count = 0;
    for (; next < prompt.sizes.size() && (count == 0 || count + prompt.sizes[next] <= kStepTokens); ++next) {
      run.cache().open(prompt.sizes[next]);
      count += prompt.sizes[next];
    }
    run.pass().read(std::span(prompt.tokens).subspan(done, static_cast<std::size_t>(count)), first,
                    Outputs::LastRow);
    done += static_cast<std::size_t>(count);
  }
  return run.cache().runs();
}

/// Looks at the prompt's chunks, told of the document's.
std::vector<AnswerLook> looksOf(std::vector<AnswerLook> looks, const Prompt& prompt) {
  for (AnswerLook& look : looks) {
    std::vector<AnswerLook::Share> shares;
    std::ranges::sort(look.shares, {}, [](const auto& share) { return std::pair(share.layer, share.chunk); });
    for (AnswerLook::Share share : look.shares) {
      share.chunk = prompt.owners[static_cast<std::size_t>(share.chunk)];
      if (share.chunk < 0) continue;
      if (!shares.empty() && shares.back().layer == share.layer && shares.back().chunk == share.chunk)
        shares.back().mass += share.mass;
      else
        shares.push_back(share);
    }
    look.shares = std::move(shares);
  }
  return looks;
}

/// What a tap saw of the prompt's chunks, told of the document's.
EvidenceMap mapOf(const EvidenceMap& seen, const Prompt& prompt, const std::vector<float>& scores,
                  int chunkCount) {
  EvidenceMap map;
  map.layers = seen.layers;
  map.heads = seen.heads;
  map.chunks = chunkCount;
  const auto layers = static_cast<std::size_t>(map.layers), heads = static_cast<std::size_t>(map.heads),
             chunks = static_cast<std::size_t>(chunkCount), parts = static_cast<std::size_t>(seen.chunks);
  map.mass.resize(layers * chunks);
  map.attended.resize(layers * chunks);
  map.headMass.resize(layers * heads * chunks);
  while (map.scores.size() < layers * chunks) map.scores.insert(map.scores.end(), scores.begin(), scores.end());
  for (std::size_t layer = 0; layer < layers; ++layer) {
    for (std::size_t part = 0; part < parts; ++part) {
      if (prompt.owners[part] < 0) continue;
      const auto chunk = static_cast<std::size_t>(prompt.owners[part]);
      map.attended[layer * chunks + chunk] = 1;
      map.mass[layer * chunks + chunk] += seen.mass[layer * parts + part];
      for (std::size_t head = 0; head < heads; ++head)
        map.headMass[(layer * heads + head) * chunks + chunk] +=
            seen.headMass[(layer * heads + head) * parts + part];
    }
  }
  return map;
}

/// Passes on that work goes on, but not what a step says or how far it is.
class StepListener : public Listener {
 public:
  explicit StepListener(Listener& listener) : listener_(listener) {}
  void progress(const Progress&) override { listener_.progress({Stage::Retrieving, 0, 0, 0}); }

 private:
  Listener& listener_;
};

}  // namespace

std::vector<char> chooseTokens(const std::vector<Run>& chunks, const std::vector<ScoredPassage>& passages,
                               const AskSettings& settings, int room, float worth) {
  const int tokens = chunks.empty() ? 0 : chunks.back().end;
  std::vector<ScoredPassage> wanted;
  for (const int chunk : settings.pinnedChunks)
    if (chunk >= 0 && chunk < static_cast<int>(chunks.size()))
      wanted.push_back({chunks[static_cast<std::size_t>(chunk)], chunks[static_cast<std::size_t>(chunk)], 0});
  const auto pinned = std::ssize(wanted);
  wanted.insert(wanted.end(), passages.begin(), passages.end());
  std::ranges::stable_sort(wanted.begin() + pinned, wanted.end(), std::ranges::greater(),
                           &ScoredPassage::score);
  std::vector<char> isChosen(static_cast<std::size_t>(tokens)), isBlocked(static_cast<std::size_t>(tokens));
  mark(isBlocked, chunks, settings.blockedChunks);
  const auto isAllBlocked = [&](Run run) {
    return std::all_of(isBlocked.begin() + run.begin, isBlocked.begin() + std::min(run.end, tokens),
                       [](char blocked) { return blocked != 0; });
  };
  std::optional<float> best;
  for (std::ptrdiff_t place = 0; place < std::ssize(wanted); ++place) {
    const ScoredPassage& passage = wanted[static_cast<std::size_t>(place)];
    if (isAllBlocked(passage.judged)) continue;
    if (place >= pinned && !best) best = passage.score;
    if (worth > 0 && best && *best > 0 && passage.score < worth * *best) break;
    std::vector<std::size_t> more;
    for (int token = passage.tokens.begin; token < std::min(passage.tokens.end, tokens); ++token) {
      const auto at = static_cast<std::size_t>(token);
      if (!isChosen[at] && !isBlocked[at]) more.push_back(at);
    }
    if (static_cast<int>(more.size()) > room) continue;
    room -= static_cast<int>(more.size());
    for (const std::size_t at : more) isChosen[at] = 1;
  }
  return isChosen;
}

int promptTokens(const LoadedModel& model, int budgetTokens) {
  return reachOf(budgetTokens, model.shape.trainedTokens);
}

int roomForPassages(const LoadedModel& model, const AskSettings& settings, std::size_t asked) {
  const auto roomOf = [&](int tokens) {
    return tokens - static_cast<int>(framePrefix(model).size() + asked) -
           std::min(settings.maxTokens, std::max(kAnswerTokens, tokens / 4));
  };
  const int most = promptTokens(model, settings.budgetTokens);
  if (roomOf(most) >= kChunkTokens) return roomOf(most);
  int needed = most;
  while (roomOf(needed) < 2 * kChunkTokens) needed += kChunkTokens;  // the answer's part grows with it
  if (promptTokens(model, needed) < needed)
    throw std::runtime_error("The model was trained on texts of " + std::to_string(model.shape.trainedTokens) +
                             " tokens, which leaves no room for a passage beside this question; ask a shorter "
                             "one, or choose a method that reads no passages anew.");
  throw std::runtime_error("The budget leaves no room for a passage beside this question; give a budget of " +
                           std::to_string(needed) + " or more.");
}

void Prompt::add(std::span<const TokenId> more, int owner) {
  for (std::size_t at = 0; at < more.size(); at += kChunkTokens) {
    sizes.push_back(static_cast<int>(std::min<std::size_t>(kChunkTokens, more.size() - at)));
    owners.push_back(owner);
  }
  tokens.insert(tokens.end(), more.begin(), more.end());
}

Prompt emptyPrompt(const LoadedModel& model) {
  Prompt prompt;
  prompt.add(framePrefix(model), -1);
  prompt.frame = static_cast<int>(prompt.tokens.size());
  return prompt;
}

Prompt promptOf(const LoadedModel& model, const ChunkedReading& reading, const std::vector<char>& isChosen,
                std::string_view notes) {
  Prompt prompt = emptyPrompt(model);
  int owner = 0;
  for (const Run& chunk : reading.finishedRuns()) {
    std::vector<TokenId> tokens;
    Prompt::Part part;
    int textTokens = 0;
    for (int token = chunk.begin; token < chunk.end; ++token) {
      const StoredToken& stored = reading.storedTokens()[static_cast<std::size_t>(token)];
      if (stored.start == stored.end) continue;
      ++textTokens;
      if (!isChosen[static_cast<std::size_t>(token)]) continue;
      addBytes(part.bytes, stored);
      tokens.push_back(stored.id);
    }
    part.share = static_cast<double>(tokens.size()) / std::max(1, textTokens);
    prompt.chunks.push_back(part);
    prompt.add(tokens, owner++);
  }
  if (!notes.empty()) prompt.add(plainTokens(model, notes), -1);
  return prompt;
}

ReadPrompt::ReadPrompt(const LoadedModel& model, const AskSettings& settings, Prompt prompt, Weights weights,
                       std::function<void()> breathe)
    : model_(model),
      method_(promptMethod(findMethod(settings.method))),
      budgetTokens_(settings.budgetTokens),
      prompt_(std::move(prompt)),
      weights_(weights),
      breathe_(std::move(breathe)),
      memory_(std::make_unique<MemoryChunks>(TextRun::fileHeader(model, method_, budgetTokens_, 0).slotBytes)),
      chunks_(readPrompt(
          model, {method_, budgetTokens_, nullptr, breathe_, {}, nullptr, readsAdapted(model, weights_)},
          prompt_, *memory_)) {}

std::unique_ptr<TextRun> ReadPrompt::goOn(EvidenceTap* tap) const {
  auto run = std::make_unique<TextRun>(
      model_,
      TextRun::Settings{method_, budgetTokens_, tap, breathe_, {}, nullptr, weights_ == Weights::Adapted},
      memory_.get());
  run->cache().adopt(chunks_);
  run->cache().startTail();
  return run;
}

double ReadPrompt::logProbability(std::span<const TokenId> asked, std::span<const TokenId> said) const {
  std::vector<TokenId> tokens(asked.begin(), asked.end());
  tokens.insert(tokens.end(), said.begin(), said.end());
  const auto run = goOn();
  std::vector<at::Tensor> hidden;
  for (std::size_t at = 0; at < tokens.size(); at += kChunkTokens) {
    const std::size_t count = std::min<std::size_t>(kChunkTokens, tokens.size() - at);
    const int chunk = run->cache().open(static_cast<int>(count));
    hidden.push_back(run->pass().read(std::span(tokens).subspan(at, count), chunk, Outputs::All));
  }
  // The row before a token tells how likely it is.
  const at::Tensor logits =
      run->pass().logits(at::cat(hidden).narrow(0, std::ssize(asked) - 1, std::ssize(said))).contiguous();
  double sum = 0;
  for (std::size_t i = 0; i < said.size(); ++i)
    sum +=
        kvasir::logProbability({logits.const_data_ptr<float>() + static_cast<std::int64_t>(i) * logits.size(1),
                                static_cast<std::size_t>(logits.size(1))},
                               said[i]);
  attended_ = std::max(attended_, run->pass().attendedTokens());
  return sum;
}

Answer answerAfter(const LoadedModel& model, const ReadPrompt& read, const ChunkedReading& reading,
                   const std::vector<float>& scores, std::string_view question, const Asking& asking,
                   const std::vector<float>& words) {
  const Prompt& prompt = read.prompt();
  EvidenceTap tap(model.shape.layers, model.shape.heads, {{0, prompt.frame}});
  const auto run = read.goOn(&tap);
  const std::vector<TokenId> asked = frameQuestion(model, question);
  Answer answer;
  answer.questionTokens = static_cast<int>(asked.size());
  const at::Tensor last = run->read(asked, static_cast<int>(asked.size()) + kChunkTokens);
  AskSettings settings = asking.settings;  // an answer ends where the budget does, or the trained length
  settings.maxTokens = std::clamp(
      promptTokens(model, settings.budgetTokens) - static_cast<int>(prompt.tokens.size() + asked.size()), 1,
      settings.maxTokens);
  const Said said = sayAnswer(model, run->pass(), last, std::span<const TokenId>(prompt.tokens),
                              {settings, asking.script, asking.listener, asking.start}, answer);
  answer.looks = placeLooks(looksOf(tap.looks(prompt.parts()), prompt), said, answer.text);
  answer.map = mapOf(tap.map(prompt.parts()), prompt, scores, reading.finished());
  answer.map.words = words;
  answer.evidence = rankEvidence(answer.map, reading.chunks(), findMethod(settings.method).judge);
  for (EvidenceChunk& chunk : answer.evidence) {
    const Prompt::Part& part = prompt.chunks[static_cast<std::size_t>(chunk.chunk)];
    chunk.start = part.bytes.front().first;
    chunk.end = part.bytes.back().second;
    chunk.readShare = part.share;
    if (part.share < 1) answer.parts.push_back({PartlySeen::kEveryLayer, chunk.chunk, part.bytes});
  }
  answer.attendedTokens = run->pass().attendedTokens();
  answer.kvBytesInMemory = run->bytesInMemory() + read.bytes() + tap.bytes() + reading.bytesInMemory();
  answer.totalSeconds = secondsSince(asking.start);
  return answer;
}

std::string write(const LoadedModel& model, TextRun& run, std::span<const TokenId> asked, int most,
                  const Asking& asking) {
  StepListener listener(asking.listener);
  AskSettings settings = asking.settings;
  settings.maxTokens = most;
  settings.repeats = Repeats::Stop;
  const Script nothing;
  Answer said;
  const at::Tensor last = run.read(asked, static_cast<int>(asked.size()) + kChunkTokens);
  sayAnswer(model, run.pass(), last, {}, {settings, nothing, listener, asking.start}, said);
  return said.text;
}

}  // namespace kvasir
