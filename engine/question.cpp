#include "engine/question.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace kvasir {
namespace {

// Of Latin, East Asian, Arabic and Armenian writing.
constexpr std::array<std::string_view, 4> kMarks = {"?", "？", "؟", "՞"};
constexpr std::array<std::string_view, 22> kQuestionWords = {
    "who ", "whom ", "whose ", "what ", "which ", "when ", "where ", "why ", "how ",  "is ",  "are ",
    "was ", "were ", "do ",    "does ", "did ",   "can ",  "could ", "has ", "have ", "had ", "should "};
constexpr std::array<std::string_view, 6> kWishes = {"please ",    "can you ",  "could you ",
                                                     "would you ", "will you ", "can i ask you to "};

std::string lastLine(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  const std::size_t before = text.find_last_of('\n', end);
  const std::size_t start = text.find_first_not_of(" \t\r", before == std::string_view::npos ? 0 : before + 1);
  std::string line(text.substr(start, end + 1 - start));
  std::ranges::transform(line, line.begin(), [](unsigned char c) { return c < 0x80 ? std::tolower(c) : c; });
  return line;
}

}  // namespace

bool isQuestion(std::string_view text) {
  const std::string line = lastLine(text);
  const auto begins = [&](std::string_view words) { return line.starts_with(words); };
  if (std::ranges::any_of(kWishes, begins)) return false;
  return std::ranges::any_of(kMarks,
                             [&](std::string_view mark) { return line.find(mark) != std::string::npos; }) ||
         std::ranges::any_of(kQuestionWords, begins);
}

}  // namespace kvasir
