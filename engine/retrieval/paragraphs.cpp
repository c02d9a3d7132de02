#include "engine/retrieval/paragraphs.h"

#include <algorithm>

#include "engine/model/sentences.h"
#include "engine/retrieval/lexical_prior.h"

namespace kvasir {
namespace {

// In chunks, since the budget is: scripts differ in what a token says.
constexpr double kShortest = 0.4;  // shorter ones say little alone
constexpr double kLongest = 6;     // more would fill the budget
constexpr double kPiece = 4;       // what longer ones are cut into, about

std::size_t bytesOf(double chunks, std::size_t chunkBytes) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(chunks * static_cast<double>(chunkBytes)));
}

/// Ends of the stretches between blank lines; each takes the blank line with it.
std::vector<std::size_t> blankLineEnds(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const std::size_t next = text.find_first_not_of(" \t\r", at + 1);
    if (next == std::string_view::npos || text[next] != '\n') continue;
    at = std::min(text.find_first_not_of(" \t\r\n", next), text.size());
    ends.push_back(at);
    if (at == text.size()) return ends;
  }
  ends.push_back(text.size());
  return ends;
}

void addPieces(std::string_view text, ByteRange range, std::size_t chunkBytes, std::vector<ByteRange>& pieces) {
  if (range.end - range.start <= bytesOf(kLongest, chunkBytes)) {
    pieces.push_back(range);
    return;
  }
  const std::size_t piece = bytesOf(kPiece, chunkBytes), count = (range.end - range.start + piece - 1) / piece,
                    length = (range.end - range.start) / count;
  std::size_t start = range.start;
  for (const std::size_t sentence : sentenceStarts(text.substr(range.start, range.end - range.start))) {
    const std::size_t at = range.start + sentence;
    if (at - start < length || at >= range.end) continue;
    pieces.push_back({start, at});
    start = at;
  }
  if (start < range.end) pieces.push_back({start, range.end});
}

}  // namespace

std::vector<ByteRange> paragraphsOf(std::string_view text, std::size_t chunkBytes) {
  std::vector<ByteRange> paragraphs;
  std::size_t start = 0;
  for (const std::size_t end : blankLineEnds(text)) {
    if (end - start < bytesOf(kShortest, chunkBytes) && end < text.size()) continue;
    addPieces(text, {start, end}, chunkBytes, paragraphs);
    start = end;
  }
  return paragraphs;
}

std::vector<ScoredParagraph> scoreParagraphs(const std::vector<std::string>& chunks,
                                             std::string_view question) {
  std::string text;
  std::vector<std::size_t> ends;  // of each chunk, bytes
  for (const std::string& chunk : chunks) {
    text += chunk;
    ends.push_back(text.size());
  }
  std::vector<ScoredParagraph> scored;
  std::vector<std::string> texts;
  for (const ByteRange& range : paragraphsOf(text, text.size() / std::max<std::size_t>(1, chunks.size()))) {
    if (range.start == range.end) continue;
    // The blank line at its end may lie in a chunk of its own, which adds nothing.
    const std::size_t last =
        std::max(range.start + 1, std::min(text.find_last_not_of(" \t\r\n", range.end - 1) + 1, range.end));
    const auto holding = [&](std::size_t byte) {
      return static_cast<int>(std::ranges::upper_bound(ends, byte) - ends.begin());
    };
    scored.push_back({holding(range.start), holding(last - 1), 0, range});
    texts.push_back(text.substr(range.start, range.end - range.start));
  }
  const std::vector<float> scores = lexicalScores(texts, question);
  for (std::size_t i = 0; i < scored.size(); ++i) scored[i].score = scores[i];
  return scored;
}

}  // namespace kvasir
