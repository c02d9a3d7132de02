#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kvasir {

/// The tokenizer of uncased BERT models (Devlin et al. 2019; Wu et al. 2016, §4.1): control characters dropped,
/// letters in lower case without accents, words cut at spaces, punctuation and around every Chinese character,
/// each word then into the longest pieces of the vocabulary from its start. Immutable once made.
class WordPiece {
 public:
  /// Of a Hugging Face tokenizer.json. Throws a sentence for a file of another kind or without the marks [CLS],
  /// [SEP], [UNK].
  static WordPiece load(const std::filesystem::path& file);

  /// [CLS], at most `most` - 2 pieces, [SEP].
  std::vector<int> encode(std::string_view text, int most) const;

 private:
  void addWord(std::string_view word, std::vector<int>& pieces) const;

  std::unordered_map<std::string, int> pieces_;
  int begin_ = 0, end_ = 0, unknown_ = 0;
};

}  // namespace kvasir
