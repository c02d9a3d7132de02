#include "app/answer_scores.h"

#include <algorithm>
#include <map>
#include <optional>

#include "app/text.h"

namespace kvasir {
namespace {

using Tokens = std::vector<std::string>;

bool isHan(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3134F);
}

/// Latin, Greek and Cyrillic: the scripts of the rows that have two cases.
char32_t lowerOf(char32_t c) {
  const bool isPlusThirtyTwo = (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
                               (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F);
  if (isPlusThirtyTwo) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  const bool isEvenUpper = (c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14A && c <= 0x177);
  const bool isOddUpper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if ((isEvenUpper && c % 2 == 0) || (isOddUpper && c % 2 == 1)) return c + 1;
  return c;
}

bool isAsciiPunctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool isSpace(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool isChinesePunctuation(char32_t c) {
  constexpr std::u32string_view kMarks = U"-:_*^/\\~`+=，。：？！“”；’《》…·、「」（）－～『』";
  return kMarks.find(c) != std::u32string_view::npos;
}

/// Words after lower-casing and dropping punctuation; `isMark` says what is punctuation.
Tokens words(std::string_view text, bool (*isMark)(char32_t), bool (*standsAlone)(char32_t)) {
  Tokens tokens;
  std::string word;
  const auto endWord = [&] {
    if (!word.empty()) tokens.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t byte = 0; byte < text.size();) {
    const char32_t c = lowerOf(nextCodePoint(text, byte));
    if (isMark(c)) continue;
    if (isSpace(c) || standsAlone(c)) endWord();
    if (isSpace(c)) continue;
    appendCodePoint(word, c);
    if (standsAlone(c)) endWord();
  }
  endWord();
  return tokens;
}

Tokens englishTokens(std::string_view text) {
  Tokens tokens = words(text, isAsciiPunctuation, [](char32_t) { return false; });
  std::erase_if(tokens,
                [](const std::string& token) { return token == "a" || token == "an" || token == "the"; });
  return tokens;
}

Tokens tokensOf(std::string_view text, ScoringLanguage language) {
  return language == ScoringLanguage::Chinese ? chineseTokens(text) : englishTokens(text);
}

/// For comparing wholes and parts: English with single spaces, Chinese without any.
std::string normalised(std::string_view text, ScoringLanguage language) {
  std::string joined;
  for (const std::string& token : tokensOf(text, language)) {
    if (language == ScoringLanguage::English && !joined.empty()) joined += ' ';
    joined += token;
  }
  return joined;
}

std::size_t sharedTokens(const Tokens& left, const Tokens& right) {
  std::map<std::string_view, int> counts;
  for (const std::string& token : left) ++counts[token];
  std::size_t shared = 0;
  for (const std::string& token : right) shared += counts[token]-- > 0;
  return shared;
}

std::size_t longestCommonRun(const Tokens& left, const Tokens& right) {
  std::vector<std::size_t> runs(right.size() + 1, 0);
  std::size_t longest = 0;
  for (const std::string& token : left) {
    for (std::size_t i = right.size(); i > 0; --i) {
      runs[i] = right[i - 1] == token ? runs[i - 1] + 1 : 0;
      longest = std::max(longest, runs[i]);
    }
  }
  return longest;
}

double f1OfTokens(const Tokens& prediction, const Tokens& answer, ScoringLanguage language) {
  if (prediction.empty() || answer.empty()) return prediction.empty() && answer.empty() ? 1 : 0;
  const std::size_t shared = language == ScoringLanguage::Chinese ? longestCommonRun(answer, prediction)
                                                                  : sharedTokens(answer, prediction);
  return 2.0 * static_cast<double>(shared) / static_cast<double>(prediction.size() + answer.size());
}

/// The classes of "… Choose from: A, B, C.", normalised.
std::vector<std::string> classesOf(std::string_view question) {
  constexpr std::string_view kIntroduction = "Choose from:";
  const std::size_t at = question.rfind(kIntroduction);
  std::vector<std::string> classes;
  if (at == std::string_view::npos) return classes;
  std::string_view list = question.substr(at + kIntroduction.size());
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string name = normalisedEnglish(list.substr(0, comma));
    if (!name.empty()) classes.push_back(std::move(name));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return classes;
}

}  // namespace

ScoringLanguage scoringLanguageOf(std::string_view question) {
  for (std::size_t byte = 0; byte < question.size();) {
    if (isHan(nextCodePoint(question, byte))) return ScoringLanguage::Chinese;
  }
  return ScoringLanguage::English;
}

std::string normalisedEnglish(std::string_view text) { return normalised(text, ScoringLanguage::English); }

std::vector<std::string> chineseTokens(std::string_view text) {
  return words(text, isChinesePunctuation, isHan);
}

double f1Of(std::string_view prediction, const std::vector<std::string>& answers, ScoringLanguage language) {
  const Tokens predicted = tokensOf(prediction, language);
  double best = 0;
  for (const std::string& answer : answers) {
    best = std::max(best, f1OfTokens(predicted, tokensOf(answer, language), language));
  }
  return best;
}

bool isExact(std::string_view prediction, const std::vector<std::string>& answers, ScoringLanguage language) {
  const std::string predicted = normalised(prediction, language);
  return std::any_of(answers.begin(), answers.end(),
                     [&](const std::string& answer) { return normalised(answer, language) == predicted; });
}

bool containsAnswer(std::string_view prediction, const std::vector<std::string>& answers,
                    ScoringLanguage language, Parts parts) {
  const bool hasWords = language == ScoringLanguage::English && parts == Parts::Words;
  const std::string edge = hasWords ? " " : "";
  const std::string predicted = edge + normalised(prediction, language) + edge;
  return std::any_of(answers.begin(), answers.end(), [&](const std::string& answer) {
    const std::string wanted = normalised(answer, language);
    return !wanted.empty() && predicted.find(edge + wanted + edge) != std::string::npos;
  });
}

bool choosesAnswer(std::string_view prediction, std::string_view question,
                   const std::vector<std::string>& answers) {
  const std::vector<std::string> classes = classesOf(question);
  if (classes.empty()) return containsAnswer(prediction, answers, ScoringLanguage::English);
  const std::string predicted = normalisedEnglish(prediction);
  std::size_t first = std::string::npos;
  std::string chosen;
  for (const std::string& name : classes) {
    const std::size_t at = predicted.find(name);
    if (at < first) first = at, chosen = name;
  }
  return std::any_of(answers.begin(), answers.end(), [&](const std::string& answer) {
    return !chosen.empty() && normalisedEnglish(answer) == chosen;
  });
}

}  // namespace kvasir
