#include "importers/html_source.h"

#include <algorithm>
#include <array>
#include <vector>

#include "importers/text_encoding.h"

namespace kvasir {
namespace {

constexpr std::size_t kDeepest = 3000;  // the parser frees its tree by recursion

bool isVoid(std::string_view name) {
  constexpr std::array<std::string_view, 13> kVoid = {"area",  "base", "br",   "col",    "embed", "hr", "img",
                                                      "input", "link", "meta", "source", "track", "wbr"};
  return std::find(kVoid.begin(), kVoid.end(), name) != kVoid.end();
}

/// Elements that HTML closes by itself where they are left open.
bool closesItself(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {"p",  "li", "td",     "th",  "tr",
                                                      "dt", "dd", "option", "html"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string_view tagName(std::string_view tag) {
  const std::size_t from = tag.starts_with("</") ? 2 : 1;
  return tag.substr(from, tag.find_first_of(" \t\r\n/>", from) - from);
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
  const std::size_t close = text.find('>', at), bracket = text.find('[', at);
  if (bracket == std::string_view::npos || bracket > close) return endAfter(text, ">", at);
  return endAfter(text, ">", std::min(text.find(']', bracket), text.size()));
}

/// End tags without a start are ignored, as the parser does, so that they cannot hide how deep elements lie.
void close(std::vector<std::string_view>& open, std::string_view name) {
  constexpr std::size_t kLookBack = 16;
  for (std::size_t i = 0; i < std::min(kLookBack, open.size()); ++i) {
    if (open[open.size() - 1 - i] != name) continue;
    open.resize(open.size() - 1 - i);
    return;
  }
}

}  // namespace

std::optional<std::string> htmlSource(std::string_view xhtml) {
  const std::string text = utf8Of(xhtml);
  const std::string_view view = text;
  std::string source;
  std::vector<std::string_view> open;
  for (std::size_t i = 0; i < view.size();) {
    const std::size_t tag = std::min(view.find('<', i), view.size());
    source += view.substr(i, tag - i);
    if (tag == view.size()) break;
    const std::string_view rest = view.substr(tag);
    if (rest.starts_with("<!--")) {
      i = endAfter(view, "-->", tag);
      continue;
    }
    if (rest.starts_with("<![CDATA[")) {
      i = endAfter(view, "]]>", tag);
      source += view.substr(tag + 9, i - tag - std::min<std::size_t>(12, i - tag));
      continue;
    }
    if (rest.starts_with("<!") || rest.starts_with("<?")) {
      i = rest[1] == '?' ? endAfter(view, "?>", tag) : declarationEnd(view, tag);
      continue;
    }
    i = tagEnd(view, tag);
    const std::string_view whole = view.substr(tag, i - tag);
    const std::string_view name = tagName(whole);
    const bool isEnd = whole.starts_with("</"), isEmpty = whole.ends_with("/>");
    if (isEnd) {
      close(open, name);
    } else if (!isEmpty && !isVoid(name) && !closesItself(name)) {
      open.push_back(name);
      if (open.size() > kDeepest) return std::nullopt;
    }
    source += whole;
    if (isEmpty && !isVoid(name)) source.append("</").append(name).append(">");
  }
  return source;
}

}  // namespace kvasir
