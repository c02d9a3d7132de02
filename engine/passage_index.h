#pragma once

#include "engine/reading.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

/// A document's passages as a question finds them: its text, and what finds passages in it. The model must
/// outlive it.
class PassageFinder {
 public:
  PassageFinder(const LoadedModel& model, const Method& method, const ChunkedReading& reading);

  const TokenText& text() const { return text_; }
  std::size_t bytes() const { return text_.bytesInMemory() + index_.capacity() * sizeof(float); }
  std::vector<ScoredPassage> find(std::string_view question) const {
    return retriever_->find(text_, index_, question);
  }

 private:
  TokenText text_;
  std::unique_ptr<PassageRetriever> retriever_;
  std::vector<float> index_;
};

/// Adds to a file's header what a method's passages need: rows of the index behind those of its layers.
void makeRoomForPassages(const LoadedModel& model, const Method& method, ChunkFileHeader& header);

/// Writes the index entries of a file's passages, chunk by chunk. Model and file must outlive it.
class PassageIndexer {
 public:
  PassageIndexer(const LoadedModel& model, const Method& method, ChunkFile& file);

  /// Of the chunks [first, end).
  void add(int first, int end, const std::function<void()>& breathe);

 private:
  ChunkFile& file_;
  TokenText text_;
  std::unique_ptr<PassageRetriever> retriever_;
  int firstRow_;
};

}  // namespace kvasir
