#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cache/kv_cache.h"

namespace kvasir {

struct LoadedModel;

/// A document's tokens as text, in chunks, for retrievers of passages. Tokens of prompts' frames, of which each
/// of several joined documents has its own, have no text, and no passage reaches over them.
struct TokenText {
  std::string text;
  std::vector<std::size_t> bytes;  ///< where each token begins in `text`, and the end of the last
  std::vector<char> isText;        ///< by token: it is not of a frame
  std::vector<Run> chunks;

  int tokens() const { return static_cast<int>(isText.size()); }
  std::size_t bytesInMemory() const {
    return text.capacity() +
           (bytes.capacity() + (sentences_ ? sentences_->capacity() : 0)) * sizeof(std::size_t) +
           isText.capacity() + chunks.capacity() * sizeof(Run);
  }
  std::string_view textOf(Run run) const;
  /// The token that begins at a byte of the text, but for white space before it, or else the next.
  int tokenAt(std::size_t byte) const;
  /// Where sentences begin in the text, by ICU's rules; found when they are first asked for.
  const std::vector<std::size_t>& sentences() const;

 private:
  mutable std::optional<std::vector<std::size_t>> sentences_;
};

/// tokens, chunks: as a reading has them; the chunks may be fewer than the tokens fill.
TokenText tokenTextOf(const LoadedModel& model, const std::vector<StoredToken>& tokens,
                      std::vector<Run> chunks);

/// What each chunk brings into a prompt: its tokens, and those around it up to the ends of their sentences, so
/// that passages overlap; nothing of a prompt's frame, and nothing beyond it.
std::vector<Run> chunkPassages(const TokenText& text);

/// Sentences as runs of tokens, which together are all of the text: by ICU's rules, but shorter ones than
/// `least` tokens go with the next (the last of a document with the one before), longer ones than `most` are
/// cut evenly.
std::vector<Run> sentencesOf(const TokenText& text, int least, int most);

}  // namespace kvasir
