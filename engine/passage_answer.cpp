#include "engine/passage_answer.h"

#include <numeric>

#include "engine/answer.h"
#include "engine/model/sentences.h"
#include "engine/question.h"

namespace kvasir {
namespace {

constexpr int kMostWidening = 64;    // tokens a passage gains on either side of its chunk at most
constexpr int kAnswerTokens = 128;   // of the budget, kept for the answer at most
constexpr int kIndexedAtOnce = 256;  // passages
constexpr std::uint64_t kNoKv = 64;  // bytes of a slot that holds no keys and values: a slot has some
constexpr int kStepTokens = 1024;

std::vector<Run> chunksOf(std::size_t tokens) {
  const auto total = static_cast<int>(tokens);
  std::vector<Run> chunks;
  for (int first = 0; first < total; first += kChunkTokens)
    chunks.push_back({first, std::min(first + kChunkTokens, total)});
  return chunks;
}

bool isIn(const std::vector<int>& list, int chunk) { return std::ranges::find(list, chunk) != list.end(); }

/// Of the document's tokens, those of the best passages that fit `room`. Pinned chunks come first, nothing of
/// blocked ones.
std::vector<char> chooseTokens(const std::vector<Run>& chunks, const std::vector<Run>& passages,
                               const std::vector<float>& scores, const AskSettings& settings, int room) {
  std::vector<int> order(passages.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int a, int b) {
    const bool isPinnedA = isIn(settings.pinnedChunks, a), isPinnedB = isIn(settings.pinnedChunks, b);
    if (isPinnedA != isPinnedB) return isPinnedA;
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  int tokens = 0;
  for (const Run& run : passages) tokens = std::max(tokens, run.end);
  std::vector<char> isChosen(static_cast<std::size_t>(tokens)), isBlocked(static_cast<std::size_t>(tokens));
  for (const int chunk : settings.blockedChunks) {
    if (chunk < 0 || chunk >= static_cast<int>(chunks.size())) continue;
    const Run run = chunks[static_cast<std::size_t>(chunk)];
    std::fill(isBlocked.begin() + run.begin, isBlocked.begin() + run.end, 1);
  }
  for (const int chunk : order) {
    const Run run = passages[static_cast<std::size_t>(chunk)];
    std::vector<std::size_t> more;
    for (int token = run.begin; token < run.end; ++token) {
      const auto at = static_cast<std::size_t>(token);
      if (!isChosen[at] && !isBlocked[at]) more.push_back(at);
    }
    if (isIn(settings.blockedChunks, chunk) || static_cast<int>(more.size()) > room) continue;
    room -= static_cast<int>(more.size());
    for (const std::size_t at : more) isChosen[at] = 1;
  }
  return isChosen;
}

/// A prompt's chunks and the chunk of the document each stands for, -1 for the frame.
struct Prompt {
  std::vector<TokenId> tokens;
  std::vector<int> sizes, owners;

  void add(std::span<const TokenId> more, int owner) {
    for (std::size_t at = 0; at < more.size(); at += kChunkTokens) {
      sizes.push_back(static_cast<int>(std::min<std::size_t>(kChunkTokens, more.size() - at)));
      owners.push_back(owner);
    }
    tokens.insert(tokens.end(), more.begin(), more.end());
  }
  int parts() const { return static_cast<int>(sizes.size()); }
};

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
    run.pass().read(std::span(prompt.tokens).subspan(done, static_cast<std::size_t>(count)), first);
    done += static_cast<std::size_t>(count);
  }
  std::vector<Run> chunks;
  for (int chunk = 0; chunk < run.cache().chunks(); ++chunk) chunks.push_back(run.cache().chunk(chunk));
  return chunks;
}

/// Tokens of the budget that passages may take beside the frame, the question and the answer.
int roomForPassages(const AskSettings& settings, int others) {
  const int room = settings.budgetTokens - others - std::min(settings.maxTokens, kAnswerTokens);
  if (room < kChunkTokens)
    throw std::runtime_error("The budget leaves no room for a passage beside this question; give a budget of " +
                             std::to_string(settings.budgetTokens - room + 2 * kChunkTokens) + " or more.");
  return room;
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
EvidenceMap mapOf(const EvidenceMap& seen, const Prompt& prompt, const std::vector<float>& scores) {
  EvidenceMap map;
  map.layers = seen.layers;
  map.heads = seen.heads;
  map.chunks = static_cast<int>(scores.size());
  const auto layers = static_cast<std::size_t>(map.layers), heads = static_cast<std::size_t>(map.heads),
             chunks = scores.size(), parts = static_cast<std::size_t>(seen.chunks);
  map.mass.resize(layers * chunks);
  map.attended.resize(layers * chunks);
  map.headMass.resize(layers * heads * chunks);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    map.scores.insert(map.scores.end(), scores.begin(), scores.end());
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

}  // namespace

std::vector<Run> passagesOf(const LoadedModel& model, const std::vector<StoredToken>& tokens,
                            const std::vector<Run>& chunks) {
  std::string text;
  std::vector<std::size_t> at;  // byte of the text where each token begins
  for (const StoredToken& token : tokens) {
    at.push_back(text.size());
    if (token.start != token.end) text += model.tokenizer->bytesOf(token.id);
  }
  at.push_back(text.size());
  const std::vector<std::size_t> starts = sentenceStarts(text);
  const auto firstToken = [&](std::size_t byte) {
    return static_cast<int>(std::ranges::lower_bound(at, byte) - at.begin());
  };
  const auto isText = [&](int token) {
    const StoredToken& stored = tokens[static_cast<std::size_t>(token)];
    return stored.start != stored.end;
  };
  const auto total = static_cast<int>(tokens.size());
  std::vector<Run> passages;
  for (const Run& chunk : chunks) {
    int begin = chunk.begin, end = chunk.end;
    while (begin < end && !isText(begin)) ++begin;
    // The sentence that holds the first byte begins at or before it; the one that holds the last ends after it.
    const auto next = std::ranges::upper_bound(starts, at[static_cast<std::size_t>(begin)]);
    const int sentence = firstToken(next == starts.begin() ? 0 : *std::prev(next));
    const auto closing = std::ranges::lower_bound(starts, at[static_cast<std::size_t>(end)]);
    const int last = closing == starts.end() ? end : firstToken(*closing);
    const int lowest = std::max(begin - kMostWidening, sentence),
              highest = std::min({total, end + kMostWidening, last});
    while (begin > lowest && isText(begin - 1)) --begin;
    while (end < highest && isText(end)) ++end;
    passages.push_back({begin, end});
  }
  return passages;
}

std::vector<std::string> passageTexts(const LoadedModel& model, const std::vector<StoredToken>& tokens,
                                      const std::vector<Run>& passages) {
  std::vector<std::string> texts;
  for (const Run& run : passages) {
    std::string& text = texts.emplace_back();
    for (int token = run.begin; token < run.end; ++token)
      text += model.tokenizer->bytesOf(tokens[static_cast<std::size_t>(token)].id);
  }
  return texts;
}

ChunkFileHeader passageFileHeader(const LoadedModel& model, const Method& method, int chunks) {
  ChunkFileHeader header;
  header.slotBytes = kNoKv;
  header.chunks = static_cast<std::uint32_t>(chunks);
  header.layers = 1;
  header.indexFloats = static_cast<std::uint32_t>(method.passages.make(model.findEmbedder())->indexFloats());
  return header;
}

void indexPassages(const LoadedModel& model, const Method& method, ChunkFile& file, Listener& listener) {
  const auto retriever = method.passages.make(model.findEmbedder());
  const std::vector<std::string> texts =
      passageTexts(model, file.tokens(), passagesOf(model, file.tokens(), chunksOf(file.tokens().size())));
  const int chunks = static_cast<int>(texts.size()), floats = retriever->indexFloats();
  const auto started = std::chrono::steady_clock::now();
  const int before = file.finished();
  for (int first = before; first < chunks; first += kIndexedAtOnce) {
    const int count = std::min(kIndexedAtOnce, chunks - first);
    const auto breathe = [&] {
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
      const double speed = (first - before) * kChunkTokens / std::max(1e-3, seconds.count());
      listener.progress({Stage::Reading, std::int64_t{first} * kChunkTokens,
                         static_cast<std::int64_t>(file.tokens().size()), speed});
    };
    breathe();
    const std::vector<float> entries = retriever->index(
        std::span(texts).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), breathe);
    for (int i = 0; i < count; ++i) {
      file.slot(first + i);
      if (floats > 0)
        file.writeIndex(
            0, first + i,
            std::span(entries).subspan(static_cast<std::size_t>(i) * static_cast<std::size_t>(floats),
                                       static_cast<std::size_t>(floats)));
    }
    file.finish(first + count);
  }
}

Answer answerFromPassages(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                          const Asking& asking) {
  const AskSettings& settings = asking.settings;
  const Method& method = findMethod(settings.method);
  const std::vector<StoredToken>& stored = reading.storedTokens();
  const std::vector<Run> chunks = reading.finishedRuns(), passages = passagesOf(model, stored, chunks);
  const auto breathe = [&] { asking.listener.progress({Stage::Retrieving, 0, 0, 0}); };
  const auto retriever = method.passages.make(model.findEmbedder());
  std::vector<float> index(passages.size() * static_cast<std::size_t>(retriever->indexFloats()));
  if (!index.empty()) reading.store().readIndex(0, static_cast<int>(passages.size()), index);
  const std::vector<float> scores = retriever->scores(passageTexts(model, stored, passages), index, question);

  const std::vector<TokenId> frame = framePrefix(model), asked = frameQuestion(model, question);
  const int room = roomForPassages(settings, static_cast<int>(frame.size() + asked.size()));
  Prompt prompt;
  prompt.add(frame, -1);
  const std::vector<char> isChosen = chooseTokens(chunks, passages, scores, settings, room);
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    std::vector<TokenId> tokens;
    for (int token = chunks[chunk].begin; token < chunks[chunk].end; ++token)
      if (isChosen[static_cast<std::size_t>(token)])
        tokens.push_back(stored[static_cast<std::size_t>(token)].id);
    prompt.add(tokens, static_cast<int>(chunk));
  }
  MemoryChunks memory(TextRun::fileHeader(model, method, settings.budgetTokens, prompt.parts()).slotBytes);
  const std::vector<Run> read =
      readPrompt(model, {method, settings.budgetTokens, nullptr, breathe}, prompt, memory);

  EvidenceTap tap(model.shape.layers, model.shape.heads, {{0, static_cast<int>(frame.size())}});
  TextRun run(model, {method, settings.budgetTokens, &tap, breathe, {}, nullptr, isQuestion(question)},
              &memory);
  run.cache().adopt(read);
  run.cache().startTail();
  Answer answer;
  answer.questionTokens = static_cast<int>(asked.size());
  const at::Tensor last = run.read(asked, static_cast<int>(asked.size()) + kChunkTokens);
  const Said said = sayAnswer(model, run.pass(), last, asking, answer);
  answer.looks = placeLooks(looksOf(tap.looks(prompt.parts()), prompt), said, answer.text);
  answer.map = mapOf(tap.map(prompt.parts()), prompt, scores);
  answer.evidence = rankEvidence(answer.map, reading.chunks(), method.judge);
  answer.attendedTokens = run.pass().attendedTokens();
  answer.kvBytesInMemory = run.bytesInMemory() + memory.bytes() + tap.bytes() + reading.bytesInMemory();
  answer.totalSeconds = secondsSince(asking.start);
  return answer;
}

}  // namespace kvasir
