#include "importers/language.h"

#include <algorithm>
#include <array>
#include <map>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::size_t kSample = 60'000;  // bytes
constexpr int kFewestWords = 12;         // common words that make sure

struct CommonWords {
  const char* language;
  std::string_view words;  // a space around each; words shared by the languages are left out
};

constexpr std::array kCommonWords = {
    CommonWords{"en", " the and of to is that with was this for are which from have been not by it "},
    CommonWords{"de", " der die das und ist nicht ein eine mit von zu den dem auf sich wird werden auch "},
    CommonWords{"fr", " le les et des est une dans que qui pour pas sur par avec sont aux ce cette "},
    CommonWords{"es", " el los las y es una que por con para del como más pero su lo ser al "},
    CommonWords{"it", " il gli di è che per una con non del della sono nel anche più alla dei le "},
    CommonWords{"pt", " o os as e é uma que não com para do da dos das em por mais ao "},
    CommonWords{"nl", " de het een en van is dat niet met voor zijn op aan ook wordt door bij naar "},
    CommonWords{"sv", " och att det som en är på för av med inte den till har ett om var jag "},
    CommonWords{"la", " et in sed ut non ad ac nec quam vel amet dolor est cum eget sit "},
    CommonWords{"pl", " i w na z się nie że do to jest o jak po co tak za od przez "},
};

struct Range {
  char32_t first, last;
  const char* language;
};

constexpr std::array kScripts = {
    Range{0x0370, 0x03FF, "el"}, Range{0x0400, 0x04FF, "ru"}, Range{0x0530, 0x058F, "hy"},
    Range{0x0590, 0x05FF, "he"}, Range{0x0600, 0x06FF, "ar"}, Range{0x0900, 0x097F, "hi"},
    Range{0x0E00, 0x0E7F, "th"}, Range{0x10A0, 0x10FF, "ka"}, Range{0x3040, 0x30FF, "ja"},
    Range{0x3400, 0x9FFF, "zh"}, Range{0xAC00, 0xD7A3, "ko"},
};

std::string byCommonWords(const std::u32string& codes) {
  std::map<std::string, int> votes;
  std::u32string word;
  for (std::size_t i = 0; i <= codes.size(); ++i) {
    if (i < codes.size() && isLetter(codes[i])) {
      word.push_back(lower(codes[i]));
      continue;
    }
    if (!word.empty()) {
      const std::string key = " " + toUtf8(word) + " ";
      for (const CommonWords& common : kCommonWords) {
        if (common.words.find(key) != std::string_view::npos) ++votes[common.language];
      }
    }
    word.clear();
  }
  std::string best;
  int most = 0, second = 0;
  for (const auto& [language, count] : votes) {
    if (count > most) {
      second = most;
      most = count;
      best = language;
    } else {
      second = std::max(second, count);
    }
  }
  return most >= kFewestWords && most * 10 > second * 13 ? best : "";
}

}  // namespace

std::string languageOf(std::string_view text) {
  const std::u32string codes = fromUtf8(text.substr(0, kSample));
  std::map<std::string, int> scripts;
  int letters = 0;
  for (const char32_t code : codes) {
    if (!isLetter(code)) continue;
    ++letters;
    for (const Range& range : kScripts) {
      if (code >= range.first && code <= range.last) ++scripts[range.language];
    }
  }
  // Japanese mixes kana with Han characters; code and names in Latin letters are common in both.
  if (scripts["ja"] * 10 > letters && scripts["ja"] > 4) return "ja";
  for (const auto& [language, count] : scripts) {
    const bool isDense = language == "zh" || language == "ko";  // a character is a word or nearly
    if (count * (isDense ? 6 : 3) > letters && count > 4) return language;
  }
  return byCommonWords(codes);
}

std::string languageOf(std::string_view text, const std::string& written) {
  const std::string found = languageOf(text);
  const auto isLatin = [](std::string_view language) {
    return std::any_of(kCommonWords.begin(), kCommonWords.end(),
                       [&](const CommonWords& common) { return language == common.language; });
  };
  const bool contradicts = !found.empty() && !isLatin(found) && isLatin(written.substr(0, written.find('-')));
  return written.empty() || contradicts ? found : written;
}

std::string languageTag(std::string_view written) {
  std::string tag;
  for (const char letter : trimmed(written)) {
    if (letter == '.' || letter == '@') break;
    tag += letter == '_' ? '-' : letter;
  }
  const std::size_t primary = std::min(tag.find('-'), tag.size());
  if (primary < 2 || primary > 3 || tag.size() > 35) return {};
  const bool isTag = std::all_of(tag.begin(), tag.end(), [](unsigned char letter) {
    return letter == '-' || (letter >= '0' && letter <= '9') || ((letter | 32) >= 'a' && (letter | 32) <= 'z');
  });
  if (!isTag) return {};
  for (std::size_t i = 0; i < primary; ++i) tag[i] = static_cast<char>(tag[i] | 32);
  return tag == "und" ? "" : tag;
}

}  // namespace kvasir
