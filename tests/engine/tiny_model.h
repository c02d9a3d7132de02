#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/loaded_model.h"
#include "engine/model/adapter.h"
#include "engine/text_run.h"
#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {

/// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr int kTinyContext = 8192;

/// A tiny random model of a family, loaded in float32, the file it came from, and a whitening made of random
/// states.
struct TinyModel {
  /// context: tokens it was trained on; LongRoPE's factors set in at half of them.
  explicit TinyModel(const std::string& architecture = "llama", RopeScaling scaling = RopeScaling::Long,
                     int context = kTinyContext);

  TemporaryFolder folder;
  std::filesystem::path file;
  LoadedModel loaded;

  /// Everything an engine of this model needs, in float32.
  EngineSettings settings() const;
};

/// What work throws as a sentence; empty: nothing.
std::string messageOf(const std::function<void()>& work);

/// Random changes that are large enough to be seen.
std::unique_ptr<Adapter> randomAdapter(const LoadedModel& model, int rank, const char* actsOn);

/// Random tokens of plain text, the same for the same seed.
std::vector<TokenId> randomTokens(int count, std::uint64_t seed);

/// English-like words with a few rare ones, about 5 bytes a word.
std::string randomText(int words, std::uint64_t seed);

/// What a method's reading leaves: its store and chunks.
struct Left {
  std::unique_ptr<MemoryChunks> store;
  std::vector<Run> chunks;
  at::Tensor end;  ///< hidden state of the last token
  int attended = 0;

  int tokens() const { return chunks.empty() ? 0 : chunks.back().end; }
};
Left readMethod(const LoadedModel& model, const Method& method, int budget, const std::vector<TokenId>& text,
                int step);

/// What a method makes of a text and a question after it: the outputs that everything else follows from.
struct Outcome {
  at::Tensor documentEnd;      ///< hidden state of the document's last token
  at::Tensor questionLogits;   ///< after the question
  at::Tensor generatedLogits;  ///< after a few tokens more: [tokens, vocabulary]
  int attendedInReading = 0, attended = 0;
};
Outcome runMethod(const LoadedModel& model, const Method& method, int budget, const std::vector<TokenId>& text,
                  int step);
/// The same over what a reading left.
Outcome askMethod(const LoadedModel& model, const Method& method, int budget, const Left& left, int step);

double worstDifference(const Outcome& a, const Outcome& b);

}  // namespace kvasir
