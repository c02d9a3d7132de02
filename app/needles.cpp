#include "app/needles.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>

#include "engine/model/sentences.h"

namespace kvasir {
namespace {

constexpr int kSeveral = 4;  // RULER's number of keys, values and queries
constexpr int kMostTries = 10'000;
constexpr int kSeparatorTokens = 2;  // of the blank line where a text begins again, at most
constexpr const char* kBlank = " \t\r\n";

constexpr std::array kQualities = {
    "amber",  "ancient", "bright", "copper", "crimson", "distant", "eager",  "frozen", "gentle", "golden",
    "hidden", "hollow",  "humble", "ivory",  "lively",  "lonely",  "marble", "misty",  "narrow", "patient",
    "quiet",  "rapid",   "rustic", "silent", "silver",  "solemn",  "steady", "velvet", "wooden", "yellow"};
constexpr std::array kThings = {
    "anchor",  "basket",  "beacon", "bridge",  "candle", "canyon", "castle", "compass", "dragon",  "falcon",
    "feather", "forest",  "garden", "glacier", "hammer", "harbor", "island", "kettle",  "lantern", "meadow",
    "mirror",  "orchard", "pebble", "pillow",  "saddle", "tunnel", "valley", "violin",  "wagon",   "window"};

/// Random numbers that one seed gives on every system; the standard's distributions differ.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  double share() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 random_;
};

/// Keys and numbers that neither the text nor an earlier needle has.
class Inventor {
 public:
  Inventor(std::uint64_t seed, std::string_view text) : draw_(seed), text_(text) {}

  std::string key() {
    return unused([this] {
      return std::string(kQualities[draw_.below(kQualities.size())]) + "-" +
             kThings[draw_.below(kThings.size())];
    });
  }
  std::string number() {
    return unused([this] { return std::to_string(1'000'000 + draw_.below(9'000'000)); });
  }
  double depth() { return draw_.share(); }

 private:
  template <class Make>
  std::string unused(const Make& make) {
    for (int tries = 0; tries < kMostTries; ++tries) {
      std::string made = make();
      const bool isKnown = std::find(used_.begin(), used_.end(), made) != used_.end();
      if (isKnown || text_.find(made) != std::string_view::npos) continue;
      used_.push_back(made);
      return made;
    }
    throw std::runtime_error(
        "The text holds nearly every key there is for needles; give a needle of your own.");
  }

  Draw draw_;
  std::string_view text_;
  std::vector<std::string> used_;
};

std::string sentenceFor(const std::string& key, const std::string& number) {
  return "One of the special magic numbers for " + key + " is: " + number + ".";
}

/// "a", "a and b", "a, b, and c"
std::string listed(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += words.size() > 2 ? ", " : " ";
    if (i > 0 && i + 1 == words.size()) list += "and ";
    list += words[i];
  }
  return list;
}

std::string questionFor(const std::vector<std::string>& keys, std::size_t values) {
  const bool isOne = keys.size() * values == 1;
  return std::string(isOne ? "What is the special magic number for "
                           : "What are all the special magic numbers for ") +
         listed(keys) + " mentioned in the provided text?";
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string lowerCase(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  return lowered;
}

bool isClosing(char32_t c) {
  constexpr std::u32string_view kClosing = U"\"')]}»›”’」』）】";
  return kClosing.find(c) != std::u32string_view::npos;
}

/// The code points of a stretch's last bytes, closing quotes and brackets left out.
std::u32string lastOf(std::string_view text) {
  constexpr std::size_t kBytes = 32;
  std::u32string last;
  std::size_t byte = toBoundary(text, text.size() - std::min(text.size(), kBytes));
  while (byte < text.size()) last.push_back(nextCodePoint(text, byte));
  while (!last.empty() && isClosing(last.back())) last.pop_back();
  return last;
}

/// "Dr.", "J.", "Prof.": a full stop that hardly ends a sentence.
bool endsInTitle(const std::u32string& last) {
  constexpr std::size_t kLongestTitle = 4;
  if (last.back() != U'.') return false;
  std::size_t letters = 0;
  const auto isLetter = [](char32_t c) { return (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z'); };
  while (letters + 1 < last.size() && isLetter(last[last.size() - 2 - letters])) ++letters;
  const char32_t first = letters > 0 ? last[last.size() - 1 - letters] : U'a';
  return letters <= kLongestTitle && first >= U'A' && first <= U'Z';
}

/// Whether a stretch ends as sentences do.
bool endsSentence(std::string_view text) {
  constexpr std::u32string_view kEnds = U".!?…。！？．؟۔।";
  const std::u32string last = lastOf(text);
  return !last.empty() && kEnds.find(last.back()) != std::u32string_view::npos;
}

/// The end of what stands before a byte, without the white space there.
std::size_t withoutBlank(std::string_view text, std::size_t end) {
  const std::size_t last = text.substr(0, end).find_last_not_of(kBlank);
  return last == std::string_view::npos ? 0 : last + 1;
}

bool isParagraphEnd(std::string_view text, std::size_t end) {
  const std::size_t next = text.find_first_not_of(kBlank, end);
  if (next == std::string_view::npos) return true;
  return std::count(text.begin() + static_cast<std::ptrdiff_t>(end),
                    text.begin() + static_cast<std::ptrdiff_t>(next), '\n') > 1;
}

std::size_t nearest(const std::vector<std::size_t>& places, double wanted) {
  const auto distance = [&](std::size_t place) { return std::abs(static_cast<double>(place) - wanted); };
  return *std::min_element(places.begin(), places.end(),
                           [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
}

}  // namespace

const char* needleKindName(NeedleKind kind) {
  switch (kind) {
    case NeedleKind::Single:
      return "single";
    case NeedleKind::MultiKey:
      return "multi-key";
    case NeedleKind::MultiValue:
      return "multi-value";
    case NeedleKind::MultiQuery:
      break;
  }
  return "multi-query";
}

NeedleTask makeNeedles(NeedleKind kind, double depth, std::uint64_t seed, std::string_view text) {
  Inventor inventor(seed, text);
  NeedleTask task;
  std::vector<std::string> keys = {inventor.key()};
  const auto add = [&](const std::string& key, bool isAsked) {
    const std::string number = inventor.number();
    task.needles.push_back(
        {sentenceFor(key, number), task.needles.empty() ? depth : inventor.depth(), isAsked});
    if (isAsked) task.expected.push_back(number);
  };
  add(keys.front(), true);
  const int others = kind == NeedleKind::Single ? 0 : kSeveral - 1;
  for (int i = 0; i < others; ++i) {
    const bool isOfOneKey = kind == NeedleKind::MultiValue;
    const std::string key = isOfOneKey ? keys.front() : inventor.key();
    if (kind == NeedleKind::MultiQuery) keys.push_back(key);
    add(key, kind != NeedleKind::MultiKey);
  }
  task.question = questionFor(keys, task.expected.size() / keys.size());
  return task;
}

std::vector<std::size_t> plantingPlaces(std::string_view text) {
  std::vector<std::size_t> places = {0};
  for (const std::size_t start : sentenceStarts(text)) {
    const std::size_t end = withoutBlank(text, start);
    if (end <= places.back()) continue;
    const std::string_view stretch = text.substr(places.back(), end - places.back());
    if (isParagraphEnd(text, end) || (endsSentence(stretch) && !endsInTitle(lastOf(stretch))))
      places.push_back(end);
  }
  return places;
}

Haystack::Haystack(std::string text, std::vector<std::size_t> tokenEnds)
    : text_(std::move(text)), tokenEnds_(std::move(tokenEnds)), places_(plantingPlaces(text_)) {}

std::string Haystack::beginning(int tokens) const {
  if (tokens <= 0) return {};
  if (static_cast<std::size_t>(tokens) >= tokenEnds_.size()) return text_;
  const std::size_t end = tokenEnds_[static_cast<std::size_t>(tokens) - 1];
  const std::size_t place = *std::prev(std::upper_bound(places_.begin(), places_.end(), end));
  return text_.substr(0, place);
}

std::string Haystack::ofTokens(int tokens) const {
  const int whole = static_cast<int>(tokenEnds_.size()) + kSeparatorTokens;
  std::string made;
  for (; tokens >= whole; tokens -= whole) made += text_.substr(0, places_.back()) + "\n\n";
  made += beginning(tokens);
  made.resize(withoutBlank(made, made.size()));
  if (!made.empty() || tokens <= 0 || tokenEnds_.empty()) return made;
  std::size_t cut = tokenEnds_[std::min(static_cast<std::size_t>(tokens), tokenEnds_.size()) - 1];
  const auto isInsideCharacter = [&](std::size_t byte) {
    return byte < text_.size() && (static_cast<unsigned char>(text_[byte]) & 0xC0) == 0x80;
  };
  while (isInsideCharacter(cut)) --cut;
  const std::size_t blank = withoutBlank(text_, text_.find_last_of(kBlank, cut) + 1);
  return text_.substr(0, blank > 0 ? blank : cut);
}

PlantedText plant(std::string_view text, const std::vector<Needle>& needles) {
  const std::vector<std::size_t> places = plantingPlaces(text);
  std::vector<std::size_t> order(needles.size()), at;
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const Needle& needle : needles)
    at.push_back(nearest(places, needle.depth * static_cast<double>(places.back())));
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return at[a] < at[b]; });

  PlantedText planted;
  planted.spans.resize(needles.size());
  std::size_t done = 0;
  const auto addTextUpTo = [&](std::size_t end) {
    if (done == 0 && end > 0 && !planted.text.empty()) planted.text += "\n\n";
    planted.text += text.substr(done, end - done);
    done = end;
  };
  for (const std::size_t i : order) {
    addTextUpTo(at[i]);
    if (!planted.text.empty()) planted.text += endsSentence(planted.text) ? " " : "\n\n";
    planted.spans[i] = {planted.text.size(), planted.text.size() + needles[i].sentence.size()};
    planted.text += needles[i].sentence;
  }
  addTextUpTo(text.size());
  return planted;
}

double shareFound(std::string_view answer, const std::vector<std::string>& expected) {
  if (expected.empty()) return 0;
  const std::string lowered = lowerCase(answer);
  const auto found = std::count_if(expected.begin(), expected.end(), [&](const std::string& wanted) {
    return lowered.find(lowerCase(wanted)) != std::string::npos;
  });
  return static_cast<double>(found) / static_cast<double>(expected.size());
}

}  // namespace kvasir
