// memory_held MODEL|synthetic TEXT METHOD TOKENS BUDGET READING [FOLDER OF MODELS]
//
// How much memory the process grows by for an answer, beside what the engine counts; one JSON line. A child of
// memory_versus_engine.py. READING is the chunk file: read if it is not there, and left.
//
// Grown is anonymous memory (RssAnon), between an engine that has answered over the text and let the answer go,
// and the same engine at the end of another answer over it, free pages given back to the system at both
// moments. Left is what stays after the first, beside an engine that has answered over a short text: what
// libraries keep. Pages of mapped files (the reading, the model) are the system's cache: counted as kv_disk,
// dropped when others want room, and no part of it.
#include <malloc.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kQuestion = "What does the text say of the harbour and of those who came to it?";
constexpr const char* kSaid = "It says that ships came for salt, and that they left with herring and timber.";

std::int64_t anonymousBytes() {
  malloc_trim(0);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "RssAnon:") continue;
    std::int64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  throw std::runtime_error("this system does not tell anonymous memory");
}

/// Measures at the end of an answer, when all that it holds is there.
class AtTheEnd : public Listener {
 public:
  void progress(const Progress& progress) override {
    if (progress.stage == Stage::Retrieving && progress.total > 0 && progress.done == progress.total)
      bytes_ = anonymousBytes();
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t bytes_ = 0;
};

std::string contentsOf(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error(file.string() + " cannot be read");
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Begun again as often as need be.
std::string ofTokens(const Engine& engine, const std::string& text, std::size_t tokens) {
  std::string longer = text;
  while (engine.tokenizer().encode(longer).size() < tokens) longer += "\n\n" + text;
  return longer.substr(0, engine.tokenizer().encode(longer)[tokens - 1].end);
}

/// Many layers, little to compute, query heads that share KV heads: what is held is what counts here.
fs::path syntheticModel(const fs::path& folder) {
  SyntheticModel model;
  model.layers = 16;
  model.heads = 4;
  model.kvHeads = 2;
  model.headDimension = 64;
  model.context = 8192;
  model.scaling = RopeScaling::Long;
  return writeSyntheticGguf(model, folder);
}

struct Measured {
  std::int64_t grown = 0, left = 0;
  std::size_t counted = 0, onDisk = 0;
  int attended = 0;
};

Measured measure(Engine& engine, const std::string& text, const AskSettings& asking, const fs::path& file,
                 std::int64_t before) {
  Listener silent;
  const std::shared_ptr<const Reading> reading =
      engine.read(text, engine.readSettingsFor(asking), file, silent);
  AtTheEnd end;
  const Answer answer = engine.retrace(*reading, kQuestion, kSaid, asking, end);
  return {end.bytes() - before, 0, answer.kvBytesInMemory, reading->bytesOnDisk(), answer.attendedTokens};
}

int run(const std::vector<std::string>& words) {
  const fs::path file = fs::absolute(words[5]);
  Listener silent;
  EngineSettings settings;
  settings.model = words[0] == "synthetic" ? syntheticModel(file.parent_path()) : fs::path(words[0]);
  settings.threads = 1;  // what threads hold for themselves is none of an answer
  if (words.size() > 6) settings.embedders = {words[6]};
  Engine engine(settings, silent);
  AskSettings asking;
  asking.method = words[2];
  asking.budgetTokens = std::stoi(words[4]);
  const std::string text = contentsOf(words[1]);
  fs::path warm = file;
  warm += ".warm";
  // More than the budget, so that all that a method does was done once.
  const auto warmTokens = static_cast<std::size_t>(asking.budgetTokens + 1024);
  measure(engine, ofTokens(engine, text, warmTokens), asking, warm, 0);
  fs::remove(warm);
  const std::string whole = ofTokens(engine, text, std::stoul(words[3]));
  const std::int64_t before = anonymousBytes();
  measure(engine, whole, asking, file, before);
  const std::int64_t let = anonymousBytes();
  Measured measured = measure(engine, whole, asking, file, let);
  measured.left = let - before;
  std::printf(
      "{\"method\": \"%s\", \"grown\": %lld, \"left\": %lld, \"counted\": %zu, \"on_disk\": %zu, "
      "\"attended\": %d}\n",
      asking.method.c_str(), static_cast<long long>(measured.grown), static_cast<long long>(measured.left),
      measured.counted, measured.onDisk, measured.attended);
  return 0;
}

}  // namespace
}  // namespace kvasir

int main(int count, char** values) {
  const std::vector<std::string> words(values + 1, values + count);
  if (words.size() < 6) {
    std::cerr << "memory_held MODEL|synthetic TEXT METHOD TOKENS BUDGET READING [FOLDER OF MODELS]\n";
    return 2;
  }
  try {
    return kvasir::run(words);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
