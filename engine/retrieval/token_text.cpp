#include "engine/retrieval/token_text.h"

#include "engine/loaded_model.h"
#include "engine/model/sentences.h"

namespace kvasir {
namespace {

constexpr int kMostWidening = 64;  // tokens a passage gains on either side of its chunk at most

/// A run of text cut evenly into runs of `most` tokens or fewer.
void addPieces(Run run, int most, std::vector<Run>& pieces) {
  const int tokens = run.end - run.begin, count = (tokens + most - 1) / most;
  for (int i = 0; i < count; ++i)
    pieces.push_back({run.begin + tokens * i / count, run.begin + tokens * (i + 1) / count});
}

/// Sentences between `begin` and `end`, which lie in one document.
void addSentences(const std::vector<int>& starts, Run document, int least, int most,
                  std::vector<Run>& sentences) {
  std::vector<Run> whole;
  int begin = document.begin;
  const auto close = [&](int end) {
    if (end - begin < least) return;
    whole.push_back({begin, end});
    begin = end;
  };
  for (auto at = std::ranges::upper_bound(starts, document.begin); at != starts.end() && *at < document.end;
       ++at)
    close(*at);
  if (begin < document.end) {
    const bool isRest = document.end - begin < least && !whole.empty();
    if (isRest)
      whole.back().end = document.end;
    else
      whole.push_back({begin, document.end});
  }
  for (const Run& run : whole) addPieces(run, most, sentences);
}

}  // namespace

std::string_view TokenText::textOf(Run run) const {
  const std::size_t first = bytes[static_cast<std::size_t>(run.begin)];
  return std::string_view(text).substr(first, bytes[static_cast<std::size_t>(run.end)] - first);
}

int TokenText::tokenAt(std::size_t byte) const {
  const auto after = std::ranges::upper_bound(bytes, byte);
  if (after == bytes.begin()) return 0;
  const auto holding = std::prev(after);
  const std::string_view before = std::string_view(text).substr(*holding, byte - *holding);
  const bool isBlank = before.find_first_not_of(" \t\r\n") == std::string_view::npos;
  // Of tokens without text that begin at the same byte, the first.
  if (isBlank) return static_cast<int>(std::ranges::lower_bound(bytes, *holding) - bytes.begin());
  return static_cast<int>(after - bytes.begin());
}

const std::vector<std::size_t>& TokenText::sentences() const {
  if (!sentences_) sentences_ = sentenceStarts(text);
  return *sentences_;
}

TokenText tokenTextOf(const LoadedModel& model, const std::vector<StoredToken>& tokens,
                      std::vector<Run> chunks) {
  TokenText made;
  made.chunks = std::move(chunks);
  for (const StoredToken& token : tokens) {
    made.bytes.push_back(made.text.size());
    made.isText.push_back(token.start != token.end);
    if (made.isText.back()) made.text += model.tokenizer->bytesOf(token.id);
  }
  made.bytes.push_back(made.text.size());
  return made;
}

std::vector<Run> chunkPassages(const TokenText& text) {
  const std::vector<std::size_t>& starts = text.sentences();
  const auto isText = [&](int token) { return text.isText[static_cast<std::size_t>(token)] != 0; };
  std::vector<Run> passages;
  for (const Run& chunk : text.chunks) {
    int begin = chunk.begin, end = chunk.end;
    while (begin < end && !isText(begin)) ++begin;
    // The sentence that holds the first byte begins at or before it; the one that holds the last ends after it.
    const auto next = std::ranges::upper_bound(starts, text.bytes[static_cast<std::size_t>(begin)]);
    const int sentence = text.tokenAt(next == starts.begin() ? 0 : *std::prev(next));
    const auto closing = std::ranges::lower_bound(starts, text.bytes[static_cast<std::size_t>(end)]);
    const int last = closing == starts.end() ? end : text.tokenAt(*closing);
    const int lowest = std::max(begin - kMostWidening, sentence),
              highest = std::min({text.tokens(), end + kMostWidening, last});
    while (begin > lowest && isText(begin - 1)) --begin;
    while (end < highest && isText(end)) ++end;
    passages.push_back({begin, end});
  }
  return passages;
}

std::vector<Run> sentencesOf(const TokenText& text, int least, int most) {
  std::vector<int> starts;
  for (const std::size_t byte : text.sentences()) starts.push_back(text.tokenAt(byte));
  std::vector<Run> sentences;
  for (int begin = 0; begin < text.tokens();) {
    int end = begin;
    while (end < text.tokens() && text.isText[static_cast<std::size_t>(end)]) ++end;
    if (end > begin) addSentences(starts, {begin, end}, least, most, sentences);
    begin = std::max(end, begin + 1);
  }
  return sentences;
}

}  // namespace kvasir
