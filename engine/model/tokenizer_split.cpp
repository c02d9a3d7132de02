#include "engine/model/tokenizer_split.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <stdexcept>

namespace kvasir {
namespace {

// The expressions are those published with the models, with \s written as White_Space: ICU's \s leaves out
// U+0085.
#define KVASIR_SPACE R"(\p{White_Space})"
#define KVASIR_NOT_SPACE R"(\P{White_Space})"

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^)" KVASIR_SPACE R"(\p{L}\p{N}]+|)" KVASIR_SPACE
    R"(+(?!)" KVASIR_NOT_SPACE R"()|)" KVASIR_SPACE "+";

#define KVASIR_CONTRACTIONS R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"
#define KVASIR_AFTER_DIGITS                                                                  \
  R"(| ?[^)" KVASIR_SPACE R"(\p{L}\p{N}]+[\r\n]*|)" KVASIR_SPACE R"(*[\r\n]+|)" KVASIR_SPACE \
  R"(+(?!)" KVASIR_NOT_SPACE R"()|)" KVASIR_SPACE "+"

constexpr std::string_view kLlama3 =
    KVASIR_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})" KVASIR_AFTER_DIGITS;
constexpr std::string_view kQwen2 =
    KVASIR_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" KVASIR_AFTER_DIGITS;

#undef KVASIR_AFTER_DIGITS
#undef KVASIR_CONTRACTIONS
#undef KVASIR_NOT_SPACE
#undef KVASIR_SPACE

constexpr std::string_view kEachDigit = R"(\p{N})";

/// A piece of the text as UTF-16, in which ICU's expressions run.
struct Range {
  std::int32_t start, end;
};

void check(UErrorCode status) {
  if (U_FAILURE(status))
    throw std::runtime_error(std::string("The text cannot be divided into words: ") + u_errorName(status));
}

void divide(icu::RegexMatcher& matcher, Range piece, std::vector<Range>& words) {
  UErrorCode status = U_ZERO_ERROR;
  matcher.region(piece.start, piece.end, status);
  check(status);
  std::int32_t done = piece.start;
  while (matcher.find(status)) {
    const Range match{matcher.start(status), matcher.end(status)};
    check(status);
    if (match.start > done) words.push_back({done, match.start});
    if (match.end > match.start) words.push_back(match);
    done = match.end;
  }
  check(status);
  if (done < piece.end) words.push_back({done, piece.end});
}

/// Bytes that UTF-16 units take as UTF-8.
std::size_t utf8Length(const icu::UnicodeString& text, Range range) {
  std::size_t bytes = 0;
  for (std::int32_t i = range.start; i < range.end; ++i) {
    const char16_t unit = text.charAt(i);
    // A surrogate pair is four bytes, two for each half.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || U16_IS_SURROGATE(unit) ? 2 : 3;
  }
  return bytes;
}

}  // namespace

struct WordSplitter::Expressions {
  std::vector<std::unique_ptr<icu::RegexPattern>> patterns;
};

const std::vector<PreTokenizer>& preTokenizers() {
  static const std::vector<PreTokenizer> rows = {
      {"smollm",
       {"starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"},
       {kEachDigit, kGpt2}},
      {"gpt-2", {"phi-2", "mpt", "olmo", "jais", "exaone4", "trillion"}, {kGpt2}},
      {"llama-bpe", {"llama3", "llama-v3", "falcon3", "pixtral", "lfm2"}, {kLlama3}, true, true},
      {"qwen2", {"stablelm2", "deepseek-r1-qwen", "hunyuan", "megrez"}, {kQwen2}},
      {"default", {}, {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", "[0-9][0-9][0-9]"}},
  };
  return rows;
}

const PreTokenizer* findPreTokenizer(std::string_view name) {
  for (const PreTokenizer& row : preTokenizers()) {
    if (row.name == name || std::find(row.aliases.begin(), row.aliases.end(), name) != row.aliases.end())
      return &row;
  }
  return nullptr;
}

WordSplitter::WordSplitter(const PreTokenizer& row) {
  auto expressions = std::make_unique<Expressions>();
  for (const std::string_view text : row.expressions) {
    UErrorCode status = U_ZERO_ERROR;
    const auto pattern = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
    expressions->patterns.emplace_back(icu::RegexPattern::compile(pattern, 0, status));
    check(status);
  }
  expressions_ = std::move(expressions);
}

WordSplitter::~WordSplitter() = default;
WordSplitter::WordSplitter(WordSplitter&&) noexcept = default;

std::vector<std::string_view> WordSplitter::split(std::string_view text) const {
  const auto wide = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  std::vector<Range> ranges;
  if (!wide.isEmpty()) ranges.push_back({0, wide.length()});
  for (const auto& pattern : expressions_->patterns) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern->matcher(wide, status));
    check(status);
    matcher->setStackLimit(0, status);  // long runs of one kind are no error
    std::vector<Range> divided;
    for (const Range range : ranges) divide(*matcher, range, divided);
    ranges = std::move(divided);
  }

  std::vector<std::string_view> words;
  words.reserve(ranges.size());
  std::size_t position = 0;
  for (const Range range : ranges) {
    const std::size_t bytes = utf8Length(wide, range);
    words.push_back(text.substr(position, bytes));
    position += bytes;
  }
  return words;
}

}  // namespace kvasir
