#include "engine/retrieval/clues.h"

#include <algorithm>
#include <set>

#include "engine/retrieval/lexical_prior.h"

namespace kvasir {
namespace {

constexpr std::size_t kLeastWords = 4, kMostWords = 40;
constexpr std::size_t kMostBytes = 600;  // of words without spaces between them
constexpr std::string_view kBullets[] = {"-", "*", "•", "–", "—", "#", ">", "\"",
                                         "'", "“", "”", "‘", "’", "«", "»"};

/// White space and control characters become single spaces.
std::string onOneLine(std::string_view line) {
  std::string text;
  for (const char c : line) {
    const bool isBlank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!isBlank) text += c;
    if (isBlank && !text.empty() && text.back() != ' ') text += ' ';
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

/// How long the number is that a list item begins with: "3.", "12)", "(2)".
std::size_t numberLength(std::string_view text) {
  std::size_t at = text.starts_with('(') ? 1 : 0;
  const std::size_t digits = at;
  while (at < text.size() && at - digits < 3 && text[at] >= '0' && text[at] <= '9') ++at;
  const bool isClosed = at < text.size() && (text[at] == '.' || text[at] == ')' || text[at] == ':');
  const bool isFollowed = at + 1 == text.size() || (at + 1 < text.size() && text[at + 1] == ' ');
  return at > digits && isClosed && isFollowed ? at + 1 : 0;
}

std::string_view withoutMarks(std::string_view text) {
  for (bool goesOn = true; goesOn && !text.empty();) {
    goesOn = false;
    std::size_t cut = text.front() == ' ' ? 1 : numberLength(text);
    for (const std::string_view bullet : kBullets)
      if (text.starts_with(bullet)) cut = bullet.size();
    goesOn = cut > 0;
    text.remove_prefix(cut);
  }
  for (bool goesOn = true; goesOn && !text.empty();) {
    goesOn = text.back() == ' ';
    if (goesOn) text.remove_suffix(1);
    for (const std::string_view quote : {"\"", "“", "”", "«", "»"})
      if (text.ends_with(quote)) {
        text.remove_suffix(quote.size());
        goesOn = true;
      }
  }
  return text;
}

/// Cut after some words, and between characters at the latest.
std::string_view cutShort(std::string_view text) {
  std::size_t words = 0, at = 0;
  while (at < text.size() && words < kMostWords) {
    at = std::min(text.find(' ', at + 1), text.size());
    ++words;
  }
  std::size_t end = std::min(at, kMostBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::vector<std::string> cluesOf(std::string_view written, std::string_view question, std::size_t most) {
  std::vector<std::string> clues;
  std::set<std::vector<std::string>> known = {lexicalWords(question)};
  for (std::size_t begin = 0; begin <= written.size() && clues.size() < most;) {
    const std::size_t end = std::min(written.find('\n', begin), written.size());
    const std::string line = onOneLine(written.substr(begin, end - begin));
    const std::string clue(cutShort(withoutMarks(line)));
    begin = end + 1;
    const std::vector<std::string> words = lexicalWords(clue);
    if (words.size() >= kLeastWords && known.insert(words).second) clues.push_back(clue);
  }
  return clues;
}

}  // namespace kvasir
