#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// How a family of byte-level vocabularies cuts a text into words before merging: one row of a table.
struct PreTokenizer {
  std::string_view name;                  ///< as in "gpt2/<name>"
  std::vector<std::string_view> aliases;  ///< other values of tokenizer.ggml.pre that mean the same
  /// Applied one after the other, each inside the pieces the one before left. What lies between matches is a
  /// piece.
  std::vector<std::string_view> expressions;
  bool wholeWordsFirst = false;  ///< a word that is a token is taken as such, whatever its merges
  bool beginsByDefault = false;
};

const std::vector<PreTokenizer>& preTokenizers();
/// Null for an unknown name.
const PreTokenizer* findPreTokenizer(std::string_view name);

/// The expressions of one row, compiled. Any thread may call it.
class WordSplitter {
 public:
  explicit WordSplitter(const PreTokenizer& row);
  ~WordSplitter();
  WordSplitter(WordSplitter&&) noexcept;

  /// Words in order; together they are the text, which must be UTF-8.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  struct Expressions;
  std::unique_ptr<const Expressions> expressions_;
};

}  // namespace kvasir
