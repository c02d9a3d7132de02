#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/text.h"

namespace kvasir {

/// Facts planted in a text, to see whether they are found again. RULER's needles (Hsieh et al. 2024, §3.1) give
/// numbers to keys: "One of the special magic numbers for silent-harbor is: 4071193."
enum class NeedleKind {
  Single,      ///< one
  MultiKey,    ///< one, among three for other keys
  MultiValue,  ///< four for one key, all wanted
  MultiQuery   ///< four for four keys, all wanted
};

/// "single", "multi-key", "multi-value", "multi-query"
const char* needleKindName(NeedleKind kind);

struct Needle {
  std::string sentence;
  double depth = 0;  ///< share of the text that stands before it, 0 to 1
  bool isAsked = true;
};

struct NeedleTask {
  std::vector<Needle> needles;
  std::string question;
  std::vector<std::string> expected;
};

/// The first of the needles that are asked for stands at `depth`, the others where the seed has it. Keys and
/// numbers are none of the text's own. Departures: the question has no sentence before the text that announces
/// it, so that a text is read without knowing what will be asked; the first needle's depth is chosen, not
/// drawn.
NeedleTask makeNeedles(NeedleKind kind, double depth, std::uint64_t seed, std::string_view text);

/// What is planted and asked, and where.
struct NeedleChoice {
  NeedleKind kind = NeedleKind::Single;
  std::vector<int> lengths = {4096, 16384};           ///< tokens
  std::vector<double> depths = {0, 25, 50, 75, 100};  ///< per cent
  int trials = 1;                                     ///< texts of each length and depth, with other needles
  std::uint64_t seed = 1;
  std::string sentence, question;     ///< of the user's own needle; empty: of the kind
  std::vector<std::string> expected;  ///< of the user's own: what a right answer holds
};

/// Where a sentence may be put into a text: at its start, and where paragraphs and sentences end. Bytes,
/// ascending; the last is the text's end, but for white space there.
std::vector<std::size_t> plantingPlaces(std::string_view text);

/// A text that is cut or repeated to a length.
class Haystack {
 public:
  /// tokenEnds: the byte after each token of the text, ascending.
  Haystack(std::string text, std::vector<std::size_t> tokenEnds);

  /// At most so many tokens, whole sentences; after its end the text begins again. Where not even the first
  /// sentence is so short, that one is cut between words.
  std::string ofTokens(int tokens) const;
  const std::string& text() const { return text_; }

 private:
  std::string beginning(int tokens) const;

  std::string text_;
  std::vector<std::size_t> tokenEnds_, places_;
};

struct PlantedText {
  std::string text;
  std::vector<ByteSpan> spans;  ///< of each needle's sentence, in the order given
};

/// Each needle at the place next to its depth: after a sentence in the same paragraph; after what ends without
/// a full stop, as headings do, in a paragraph of its own.
PlantedText plant(std::string_view text, const std::vector<Needle>& needles);

/// Share of the expected strings that the answer holds, letter case aside (RULER's string_match_all).
double shareFound(std::string_view answer, const std::vector<std::string>& expected);

}  // namespace kvasir
