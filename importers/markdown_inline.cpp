#include "importers/markdown_inline.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "importers/unicode.h"

namespace kvasir {
namespace {

/// What stands on one side of a run of marks; the ends of a paragraph are spaces.
struct Beside {
  bool isSpace = false, isPunctuation = false, isUnspaced = false;
};

Beside besideOf(char32_t code) { return {isSpace(code), isPunctuation(code), isUnspaced(code)}; }

/// Whether a run of marks can belong to what stands inside of it: left- and right-flanking of CommonMark 0.31,
/// section 6.2. Departs from it beside scripts without spaces: "**重点。**内容" is emphasis.
bool isFlanking(const Beside& outside, const Beside& inside) {
  return !inside.isSpace && (!inside.isPunctuation || inside.isUnspaced || outside.isSpace ||
                             outside.isPunctuation || outside.isUnspaced);
}

/// A run of * or _. The rules for pairs are 9 and 10 of CommonMark's section 6.2.
struct Marks {
  std::size_t at = 0;  ///< byte of the text
  char mark = '*';
  bool opens = false, closes = false;
  std::size_t length = 0, left = 0;  ///< left: those without a partner
};

bool canPair(const Marks& opening, const Marks& closing) {
  if (opening.mark != closing.mark) return false;
  if (!opening.closes && !closing.opens) return true;
  return (opening.length + closing.length) % 3 != 0 || (opening.length % 3 == 0 && closing.length % 3 == 0);
}

/// Pairs each run that may close with the nearest before it that may open: "process emphasis" of CommonMark's
/// appendix. What one run looked through in vain is not looked through again for its kind, so that no text
/// takes long.
void pairMarks(std::vector<Marks>& runs) {
  std::vector<std::size_t> open;  // runs that wait for a partner
  std::array<std::size_t, 12> firstFor{};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Marks& closing = runs[i];
    std::size_t& first = firstFor[(closing.mark == '_' ? 6 : 0) + (closing.opens ? 3 : 0) + closing.length % 3];
    while (closing.closes && closing.left > 0) {
      std::size_t count = open.size();
      while (count > 0 && open[count - 1] >= first && !canPair(runs[open[count - 1]], closing)) --count;
      if (count == 0 || open[count - 1] < first) {
        first = i;
        break;
      }
      Marks& opening = runs[open[count - 1]];
      const std::size_t marks = opening.left > 1 && closing.left > 1 ? 2 : 1;
      opening.left -= marks;
      closing.left -= marks;
      open.resize(opening.left > 0 ? count : count - 1);
    }
    if (closing.opens && closing.left > 0) open.push_back(i);
  }
}

/// A paragraph without its marks. What ends code or a link is looked for in the next so many bytes, so that no
/// text takes long.
class InlineReader {
 public:
  InlineReader(std::string_view source, const std::set<std::string>& labels, int depth)
      : source_(source), labels_(labels), depth_(depth) {}

  std::string text() {
    while (at_ < source_.size()) {
      if (takeEscape() || takeCode() || takeLink() || takeMarks()) continue;
      text_ += source_[at_++];
    }
    return withoutPairs();
  }

 private:
  static constexpr std::size_t kReach = 4000;
  static constexpr int kDeepest = 32;  // brackets within each other; more are looked through in vain too often

  /// Where something stands within reach.
  std::size_t find(std::string_view what, std::size_t from) const {
    return source_.substr(0, std::min(source_.size(), from + kReach)).find(what, from);
  }

  bool takeEscape() {
    if (source_[at_] != '\\' || at_ + 1 >= source_.size() ||
        std::string_view("\\`*_{}[]()#+-.!|<>~").find(source_[at_ + 1]) == std::string_view::npos)
      return false;
    text_ += source_[at_ + 1];
    at_ += 2;
    return true;
  }

  bool takeCode() {
    if (source_[at_] != '`') return false;
    const std::size_t run = std::min(source_.find_first_not_of('`', at_), source_.size()) - at_;
    const std::size_t close = find(std::string(run, '`'), at_ + run);
    if (close == std::string_view::npos) {
      text_.append(run, '`');
      at_ += run;
      return true;
    }
    text_ += source_.substr(at_ + run, close - at_ - run);
    at_ = close + run;
    return true;
  }

  /// The bracket that closes the one that opens there, within reach.
  std::optional<std::size_t> closing(std::size_t at, char opens, char closes) const {
    int depth = 0;
    const std::size_t end = std::min(source_.size(), at + kReach);
    for (; at < end; ++at) {
      if (source_[at] == '\\') {
        ++at;
      } else if (source_[at] == opens) {
        if (++depth > kDeepest) return std::nullopt;
      } else if (source_[at] == closes && --depth == 0) {
        return at;
      }
    }
    return std::nullopt;
  }

  /// The last byte of the link whose text ends at `close`: of "(target)", "[label]" or, where that is the text,
  /// "[]". Nothing where no target is named.
  std::optional<std::size_t> linkEnd(std::string_view text, std::size_t close) const {
    const std::size_t next = close + 1;
    if (next < source_.size() && source_[next] == '(') return closing(next, '(', ')');
    if (next == source_.size() || source_[next] != '[') return std::nullopt;
    const auto end = closing(next, '[', ']');
    if (!end) return std::nullopt;
    const std::string label = labelOf(source_.substr(next + 1, *end - next - 1));
    return labels_.contains(label.empty() ? labelOf(text) : label) ? end : std::nullopt;
  }

  /// "[text](target)" and "[text][label]" as their text, "![alt](target)" as the alternative text.
  bool takeLink() {
    const bool isPicture = source_[at_] == '!' && at_ + 1 < source_.size() && source_[at_ + 1] == '[';
    const std::size_t open = isPicture ? at_ + 1 : at_;
    if (source_[open] != '[' || depth_ >= 8) return false;
    const auto close = closing(open, '[', ']');
    if (!close) return false;
    const std::string_view text = source_.substr(open + 1, *close - open - 1);
    const auto end = linkEnd(text, *close);
    if (!end) return false;
    text_ += InlineReader(text, labels_, depth_ + 1).text();
    at_ = *end + 1;
    return true;
  }

  /// `snake_case` has no marks: _ marks no part of a word, unlike *.
  bool takeMarks() {
    const char mark = source_[at_];
    if (mark != '*' && mark != '_') return false;
    const std::size_t end = std::min(source_.find_first_not_of(mark, at_), source_.size());
    const Beside before = besideOf(codeBefore(at_)), behind = besideOf(codeAt(end));
    const bool isLeft = isFlanking(before, behind), isRight = isFlanking(behind, before), isStar = mark == '*';
    const bool opens = isLeft && (isStar || !isRight || before.isPunctuation);
    const bool closes = isRight && (isStar || !isLeft || behind.isPunctuation);
    marks_.push_back({text_.size(), mark, opens, closes, end - at_, end - at_});
    text_.append(end - at_, mark);
    at_ = end;
    return true;
  }

  char32_t codeBefore(std::size_t at) const {
    if (at == 0) return U' ';
    std::size_t first = at - 1;
    while (first > 0 && at - first < 4 && (source_[first] & 0xC0) == 0x80) --first;
    return fromUtf8(source_.substr(first, at - first)).back();
  }
  char32_t codeAt(std::size_t at) const {
    return at < source_.size() ? fromUtf8(source_.substr(at, 4)).front() : U' ';
  }

  std::string withoutPairs() {
    pairMarks(marks_);
    std::string kept;
    std::size_t from = 0;
    for (const Marks& run : marks_) {
      kept.append(text_, from, run.at - from).append(run.left, run.mark);
      from = run.at + run.length;
    }
    kept.append(text_, from);
    return kept;
  }

  std::string_view source_;
  const std::set<std::string>& labels_;
  int depth_;
  std::size_t at_ = 0;
  std::string text_;
  std::vector<Marks> marks_;
};

}  // namespace

std::string labelOf(std::string_view written) {
  std::u32string label;
  for (const char32_t code : fromUtf8(written)) {
    if (!isSpace(code)) {
      label += lower(code);
    } else if (!label.empty() && label.back() != U' ') {
      label += U' ';
    }
  }
  return std::string(trimmed(toUtf8(label)));
}

std::string inlineText(std::string_view source, const std::set<std::string>& labels) {
  return InlineReader(source, labels, 0).text();
}

}  // namespace kvasir
