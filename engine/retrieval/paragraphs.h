#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// A stretch of text, [start, end) in bytes.
struct ByteRange {
  std::size_t start = 0, end = 0;
};

/// Paragraphs as units of retrieval: what stands between blank lines, short ones (headings, single lines)
/// together with what follows them, long ones cut between sentences. Together they are the whole text.
/// chunkBytes: how long a chunk is on average, which short and long are measured by.
std::vector<ByteRange> paragraphsOf(std::string_view text, std::size_t chunkBytes = 500);

/// A paragraph by the chunks it lies in, and how well its words fit a question: 0 to 1.
struct ScoredParagraph {
  int firstChunk = 0, lastChunk = 0;
  float score = 0;
  ByteRange text = {};  ///< of the chunks' texts, one behind the other
};

/// Paragraphs of a document whose chunks have these texts, scored by BM25 over paragraphs (lexicalScores).
std::vector<ScoredParagraph> scoreParagraphs(const std::vector<std::string>& chunks, std::string_view question);

}  // namespace kvasir
