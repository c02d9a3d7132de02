#include "importers/html_source.h"

#include <algorithm>
#include <array>
#include <vector>

#include "importers/text_encoding.h"

namespace kvasir {
namespace {

constexpr std::size_t kDeepest = 400;  // elements within each other; the tree is walked and freed by recursion
/// The parser compares each attribute of a tag with all others; longer ones hold a picture or a drawing.
constexpr std::size_t kLongestTag = 4096;
constexpr std::size_t kDeclaredWithin = 1024;  // bytes from the beginning

template <std::size_t N>
bool isOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool isVoid(std::string_view name) {
  constexpr std::array<std::string_view, 13> kVoid = {"area",  "base", "br",   "col",    "embed", "hr", "img",
                                                      "input", "link", "meta", "source", "track", "wbr"};
  return isOneOf(name, kVoid);
}

/// What stands in these is not marked up; a title may be asked for.
bool isUnread(std::string_view name) {
  constexpr std::array<std::string_view, 3> kUnread = {"script", "style", "title"};
  return isOneOf(name, kUnread);
}

/// An end tag closes what is still open within its element, but nothing of a higher rank.
enum class Rank { Inline, Block, Table };

Rank rankOf(std::string_view name) {
  constexpr std::array<std::string_view, 26> kInline = {
      "a",    "abbr", "b", "bdi",  "bdo",   "big",  "cite",   "code",   "del", "em",  "font", "i", "ins",
      "mark", "q",    "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt",   "u", "var"};
  constexpr std::array<std::string_view, 10> kTable = {"table", "thead", "tbody",   "tfoot", "tr",
                                                       "td",    "th",    "caption", "body",  "html"};
  if (isOneOf(name, kInline)) return Rank::Inline;
  return isOneOf(name, kTable) ? Rank::Table : Rank::Block;
}

/// Whether an element that is open ends where another one begins: paragraphs and items may be left open.
bool endsAt(std::string_view open, std::string_view next) {
  constexpr std::array<std::string_view, 3> kItems = {"p", "dt", "dd"}, kCells = {"p", "td", "th"};
  if (next == "p" || next == "option") return open == next;
  if (next == "li") return open == "p" || open == "li";
  if (next == "dt" || next == "dd") return isOneOf(open, kItems);
  if (next == "td" || next == "th") return isOneOf(open, kCells);
  return next == "tr" && (isOneOf(open, kCells) || open == "tr");
}

bool isLetter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'); }

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool isTag(std::string_view text) {
  const std::size_t name = text.starts_with("</") ? 2 : 1;
  return text.size() > name && isLetter(text[name]);
}

std::string tagName(std::string_view tag) {
  const std::size_t from = tag.starts_with("</") ? 2 : 1;
  std::string name(tag.substr(from, tag.find_first_of(" \t\r\n\f/>", from) - from));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  return name;
}

/// End of the tag that begins at `at`, after its '>'; quotes may hold one.
std::size_t tagEnd(std::string_view text, std::size_t at) {
  char quote = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '>') {
      return i + 1;
    }
  }
  return text.size();
}

std::size_t endAfter(std::string_view text, std::string_view mark, std::size_t from) {
  const std::size_t found = text.find(mark, from);
  return found == std::string_view::npos ? text.size() : found + mark.size();
}

/// End of a declaration; an internal DTD stands in brackets.
std::size_t declarationEnd(std::string_view text, std::size_t at) {
  const std::size_t end = endAfter(text, ">", at);
  const std::size_t bracket = text.substr(0, end).find('[', at);
  return bracket == std::string_view::npos
             ? end
             : endAfter(text, ">", std::min(text.find(']', bracket), text.size()));
}

/// End of what an element that is not read holds, where its end tag begins.
std::size_t unreadEnd(std::string_view text, const std::string& name, std::size_t from) {
  const std::string end = "</" + name;
  const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), end.begin(),
                                 end.end(), [](char a, char b) { return lower(a) == b; });
  return static_cast<std::size_t>(found - text.begin());
}

/// Markup in which every start has its end, at most kDeepest deep: the parser has nothing to mend then, which
/// could make its tree deeper.
class BalancedSource {
 public:
  void addText(std::string_view text) { source_ += text; }

  /// Of characters that are no markup.
  void addPlain(std::string_view text) {
    for (const char letter : text) addPlain(letter);
  }

  void addStart(std::string_view tag, const std::string& name) {
    if (isVoid(name)) return addTag(tag);
    endBefore(name);
    if (leftOut_ > 0 || open_.size() == kDeepest) {
      ++leftOut_;
      return addGap(name);
    }
    open_.push_back(name);
    addTag(tag);
  }

  void addEmpty(std::string_view tag, const std::string& name) { addUnmarked(tag, name, ""); }

  /// An element in whose text entities are all there is to markup.
  void addUnmarked(std::string_view tag, const std::string& name, std::string_view text) {
    if (isVoid(name)) return addTag(tag);
    endBefore(name);
    addTag(tag);
    addWithoutTags(text);
    addEndTag(name);
  }

  /// Nothing where no such element is open.
  void addEnd(const std::string& name) {
    if (isVoid(name)) return;
    if (leftOut_ > 0) {
      --leftOut_;
      return addGap(name);
    }
    std::size_t last = open_.size();
    while (last > 0 && open_[last - 1] != name && rankOf(open_[last - 1]) <= rankOf(name)) --last;
    if (last == 0 || open_[last - 1] != name) return;
    while (open_.size() >= last) endLast();
  }

  std::string take() { return std::move(source_); }

 private:
  void endBefore(std::string_view next) {
    while (leftOut_ == 0 && !open_.empty() && endsAt(open_.back(), next)) endLast();
  }
  void endLast() {
    addEndTag(open_.back());
    open_.pop_back();
  }
  /// Where the parser sees its end earlier, no other tag follows.
  void addTag(std::string_view tag) {
    source_ += '<';
    addWithoutTags(tag.substr(1));
  }
  void addWithoutTags(std::string_view text) {
    for (const char letter : text) {
      if (letter == '<')
        addPlain(letter);
      else
        source_ += letter;
    }
  }
  void addEndTag(const std::string& name) { source_.append("</").append(name).append(">"); }
  void addPlain(char letter) {
    if (letter == '<')
      source_ += "&lt;";
    else if (letter == '&')
      source_ += "&amp;";
    else
      source_ += letter;
  }
  /// Keeps the words on both sides of a tag that is left out apart.
  void addGap(std::string_view name) {
    if (rankOf(name) != Rank::Inline) source_ += ' ';
  }

  std::string source_;
  std::vector<std::string> open_;
  std::size_t leftOut_ = 0;  // elements below the deepest, which are open and not written
};

/// The name after "charset=", as HTML has it, or "encoding=", as XML has it; empty when there is none.
std::string declaredEncoding(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, kDeclaredWithin);
  for (const std::string_view key : {"charset=", "encoding="}) {
    std::size_t from = head.find(key);
    if (from == std::string_view::npos) continue;
    from += key.size();
    if (from < head.size() && (head[from] == '"' || head[from] == '\'')) ++from;
    return std::string(head.substr(from, head.find_first_of("\"'>/?; \t\r\n", from) - from));
  }
  return {};
}

/// Adds the tag that begins at `at`; gives its end, or that of an element that is not read.
std::size_t addElement(std::string_view text, std::size_t at, BalancedSource& source) {
  const std::size_t end = tagEnd(text, at);
  const std::string_view written = text.substr(at, end - at);
  const std::string name = tagName(written);
  if (written.starts_with("</")) {
    source.addEnd(name);
    return end;
  }
  const std::string tag = written.size() > kLongestTag ? "<" + name + ">" : std::string(written);
  if (written.ends_with("/>")) {
    source.addEmpty(tag, name);
    return end;
  }
  if (!isUnread(name)) {
    source.addStart(tag, name);
    return end;
  }
  const std::size_t close = unreadEnd(text, name, end);
  source.addUnmarked(tag, name, name == "title" ? text.substr(end, close - end) : "");
  return tagEnd(text, close);
}

}  // namespace

std::string htmlSource(std::string_view xhtml) {
  const std::string text = utf8Of(xhtml, declaredEncoding(xhtml));
  const std::string_view view = text;
  BalancedSource source;
  for (std::size_t i = 0; i < view.size();) {
    const std::size_t tag = std::min(view.find('<', i), view.size());
    source.addText(view.substr(i, tag - i));
    if (tag == view.size()) break;
    const std::string_view rest = view.substr(tag);
    if (rest.starts_with("<!--")) {
      i = endAfter(view, "-->", tag);
    } else if (rest.starts_with("<![CDATA[")) {
      i = endAfter(view, "]]>", tag);
      source.addPlain(rest.substr(9, rest.find("]]>", 9) - 9));
    } else if (rest.starts_with("<!")) {
      i = declarationEnd(view, tag);
    } else if (rest.starts_with("<?")) {
      i = endAfter(view, "?>", tag);
    } else if (isTag(rest)) {
      i = addElement(view, tag, source);
    } else {
      source.addPlain("<");
      i = tag + 1;
    }
  }
  return source.take();
}

}  // namespace kvasir
