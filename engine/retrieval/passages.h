#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// A piece of the document's text that enters the prompt, [start, end) in bytes.
struct Passage {
  std::size_t start = 0, end = 0;
  double score = 0;
};

/// Decides which passages enter the prompt at all. Methods whose model reads the whole document let all of it in.
class PassageRetriever {
 public:
  virtual ~PassageRetriever() = default;
  /// Ascending by place, at most `budgetTokens` of prompt.
  virtual std::vector<Passage> choose(std::string_view text, std::string_view question, int budgetTokens) = 0;
};

/// The whole document: no retriever.
std::unique_ptr<PassageRetriever> wholeDocument();

}  // namespace kvasir
