#include "importers/html_elements.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kvasir {
namespace {

template <std::size_t N>
bool isOneOf(GumboTag tag, const std::array<GumboTag, N>& tags) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

constexpr std::array kBlocks = {GUMBO_TAG_P,      GUMBO_TAG_DIV,        GUMBO_TAG_SECTION, GUMBO_TAG_ARTICLE,
                                GUMBO_TAG_ASIDE,  GUMBO_TAG_HEADER,     GUMBO_TAG_FOOTER,  GUMBO_TAG_H1,
                                GUMBO_TAG_H2,     GUMBO_TAG_H3,         GUMBO_TAG_H4,      GUMBO_TAG_H5,
                                GUMBO_TAG_H6,     GUMBO_TAG_UL,         GUMBO_TAG_OL,      GUMBO_TAG_DL,
                                GUMBO_TAG_TABLE,  GUMBO_TAG_PRE,        GUMBO_TAG_FIGURE,  GUMBO_TAG_HR,
                                GUMBO_TAG_MAIN,   GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_NAV,     GUMBO_TAG_ADDRESS,
                                GUMBO_TAG_HGROUP, GUMBO_TAG_DETAILS,    GUMBO_TAG_BODY,    GUMBO_TAG_CAPTION,
                                GUMBO_TAG_FORM,   GUMBO_TAG_FIGCAPTION, GUMBO_TAG_SUMMARY, GUMBO_TAG_FIELDSET};
constexpr std::array kLines = {GUMBO_TAG_LI, GUMBO_TAG_DT, GUMBO_TAG_DD, GUMBO_TAG_TR};
constexpr std::array kSkipped = {GUMBO_TAG_HEAD,   GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE,    GUMBO_TAG_RT,
                                 GUMBO_TAG_RP,     GUMBO_TAG_TITLE,  GUMBO_TAG_TEMPLATE, GUMBO_TAG_NOSCRIPT,
                                 GUMBO_TAG_OBJECT, GUMBO_TAG_IFRAME, GUMBO_TAG_AUDIO,    GUMBO_TAG_VIDEO};

/// epub:type and role name kinds of elements; words of a space-divided list.
bool hasKind(const GumboElement& element, std::initializer_list<std::string_view> kinds) {
  const std::string all = " " + attribute(element, "epub:type") + " " + attribute(element, "role") + " ";
  return std::any_of(kinds.begin(), kinds.end(), [&](std::string_view kind) {
    return all.find(" " + std::string(kind) + " ") != std::string::npos;
  });
}

/// What a formula was made from, TeX for instance, beside the formula itself.
bool isAnnotation(const GumboElement& element) {
  GumboStringPiece written = element.original_tag;
  gumbo_tag_from_original_text(&written);
  std::string_view name(written.data, written.length);
  name.remove_prefix(name.rfind(':') + 1);
  return name == "annotation" || name == "annotation-xml";
}

}  // namespace

bool isBlock(GumboTag tag) { return isOneOf(tag, kBlocks); }
bool isLine(GumboTag tag) { return isOneOf(tag, kLines); }

bool isSkipped(const GumboElement& element) {
  return isOneOf(element.tag, kSkipped) || isAnnotation(element) ||
         gumbo_get_attribute(&element.attributes, "hidden") != nullptr ||
         hasKind(element, {"pagebreak", "doc-pagebreak"}) ||
         (element.tag == GUMBO_TAG_NAV && hasKind(element, {"toc", "landmarks", "page-list", "doc-toc"}));
}

int headingLevel(GumboTag tag) {
  return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? 1 + static_cast<int>(tag) - static_cast<int>(GUMBO_TAG_H1)
                                                    : 0;
}

bool isFootnote(const GumboElement& element) {
  return hasKind(element, {"footnote", "rearnote", "endnote", "doc-footnote", "doc-endnote"});
}

bool isNoteReference(const GumboElement& element) { return hasKind(element, {"noteref", "doc-noteref"}); }

bool isFragmentLink(const GumboElement& element) {
  return element.tag == GUMBO_TAG_A && attribute(element, "href").find('#') != std::string::npos;
}

std::string attribute(const GumboElement& element, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
  return found == nullptr ? "" : found->value;
}

}  // namespace kvasir
