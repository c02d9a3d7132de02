#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/text_run.h"

namespace kvasir {

/// A reading in a chunk file. Opening it touches no chunk.
class StoredReading : public Reading {
 public:
  StoredReading(std::unique_ptr<ChunkFile> file, const Method& method, int budgetTokens);

  const std::vector<ChunkRange>& chunks() const override { return chunks_; }
  int tokens() const override { return static_cast<int>(file_->tokens().size()); }
  int tokensRead() const override;
  std::size_t bytesOnDisk() const override { return file_->bytes(); }
  std::size_t bytesInMemory() const override;
  const std::string& method() const override { return methodName_; }

  bool isComplete() const { return file_->finished() == static_cast<int>(chunks_.size()); }
  int budgetTokens() const { return budgetTokens_; }
  ChunkFile& file() const { return *file_; }
  /// Runs of the chunks that are whole, for a cache over the file.
  std::vector<Run> finishedRuns() const;

 private:
  std::unique_ptr<ChunkFile> file_;
  std::string methodName_;
  int budgetTokens_;
  std::vector<ChunkRange> chunks_;
};

/// Names a reading; see Engine::readingKey.
std::string readingKey(const LoadedModel& model, const ReadSettings& settings);

/// Opens a whole reading; nothing where there is none.
std::shared_ptr<const StoredReading> openReading(const LoadedModel& model, const std::filesystem::path& file,
                                                 const ReadSettings& settings);

/// Reads a text into a file, from where it stands to its end; see Engine::read.
std::shared_ptr<const StoredReading> readText(const LoadedModel& model, std::string_view text, const ReadSettings& settings,
                                              const std::filesystem::path& file, Listener& listener);

}  // namespace kvasir
