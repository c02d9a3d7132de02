#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/text_run.h"
#include "engine/token_view.h"

namespace kvasir {

/// Chunks that a question can attend to, out of one chunk file or several.
class ChunkedReading : public Reading {
 public:
  /// tokens: of the whole document. budgetTokens: it was read with.
  ChunkedReading(const Method& method, int budgetTokens, std::vector<StoredToken> tokens,
                 std::vector<ChunkRange> chunks);

  const std::vector<ChunkRange>& chunks() const override { return chunks_; }
  const std::string& method() const override { return methodName_; }
  std::size_t bytesInMemory() const override;
  int budgetTokens() const { return budgetTokens_; }
  const std::vector<StoredToken>& storedTokens() const { return tokens_; }

  virtual ChunkStore& store() const = 0;
  virtual int finished() const = 0;      ///< how many chunks, from the first on, are whole
  virtual bool isForgetful() const = 0;  ///< whether chunks between the first and the last ones are gone

  /// Ids of the stored tokens.
  TokenView tokenIds() const {
    if (tokens_.empty()) return {};
    return {&tokens_.front().id, tokens_.size(), sizeof(StoredToken)};
  }
  /// Runs of the chunks that are whole, for a cache over the store.
  std::vector<Run> finishedRuns() const;
  /// Tokens of the prompt's frame, which stand before the text of each document.
  std::vector<Run> frames() const;

 private:
  std::string methodName_;
  int budgetTokens_;
  std::vector<StoredToken> tokens_;
  std::vector<ChunkRange> chunks_;
};

/// A reading in a chunk file. Opening it touches no chunk.
class StoredReading : public ChunkedReading {
 public:
  StoredReading(std::unique_ptr<ChunkFile> file, const Method& method, int budgetTokens);

  int tokens() const override { return static_cast<int>(storedTokens().size()); }
  int tokensRead() const override;
  std::size_t bytesOnDisk() const override { return file_->bytes(); }
  std::size_t bytesInMemory() const override;
  ChunkStore& store() const override { return *file_; }
  int finished() const override { return file_->finished(); }
  bool isForgetful() const override { return file_->header().ring > 0; }

  bool isComplete() const { return finished() == static_cast<int>(chunks().size()); }
  ChunkFile& file() const { return *file_; }

 private:
  std::unique_ptr<ChunkFile> file_;
};

/// What a method's readings are called after. Methods that read densely and leave nothing beside keys and
/// values leave what `full` does, so a text is read once for all of them. Others leave index entries of their
/// own, or read at other positions, or by another codec, or keep less.
std::string readingName(const Method& method);

/// How a row that sees everything reads what a row that reads as densely does, so that its reading spares that
/// of the other; nothing for rows that do not, or must hear all of a text themselves. Throws what
/// `requireBudget` does.
std::optional<ReadSettings> denseSettings(const LoadedModel& model, const ReadSettings& settings);

/// Names a reading; see Engine::readingKey. Throws what `requireBudget` does.
std::string readingKey(const LoadedModel& model, const ReadSettings& settings);

/// Opens a reading; nothing where there is none that reaches so far.
std::shared_ptr<const StoredReading> openReading(const LoadedModel& model, const std::filesystem::path& file,
                                                 const ReadSettings& settings, Extent extent = Extent::Whole);

/// Reads a text into a file, from where it stands to its end; see Engine::read.
std::shared_ptr<const StoredReading> readText(const LoadedModel& model, std::string_view text,
                                              const ReadSettings& settings, const std::filesystem::path& file,
                                              Listener& listener, const std::filesystem::path& dense = {});

}  // namespace kvasir
