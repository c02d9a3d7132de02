#include "importers/epub_contents.h"

#include <gumbo.h>

#include <memory>
#include <pugixml.hpp>

#include "importers/html_source.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr int kDeepest = 64;

std::string oneLine(std::string_view text) {
  std::string line;
  for (const char letter : trimmed(text)) {
    const bool space = letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r';
    if (!space) line += letter;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  return normalised(line);
}

void addNcx(const pugi::xml_node& parent, int level, const std::string& path, std::vector<EpubEntry>& entries) {
  if (level > kDeepest) return;
  for (const pugi::xml_node& point : parent.children("navPoint")) {
    const std::string title = oneLine(point.child("navLabel").child("text").text().get());
    const std::string target = point.child("content").attribute("src").value();
    if (!title.empty()) entries.push_back({title, level, resolvedPath(path, target), fragmentOf(target)});
    addNcx(point, level + 1, path, entries);
  }
}

std::string attribute(const GumboElement& element, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
  return found == nullptr ? "" : found->value;
}

/// Calls `visit` for each element child.
template <typename Visit>
void forElements(const GumboNode* node, Visit visit) {
  for (unsigned i = 0; i < node->v.element.children.length; ++i) {
    const auto* childNode = static_cast<const GumboNode*>(node->v.element.children.data[i]);
    if (childNode->type == GUMBO_NODE_ELEMENT) visit(childNode);
  }
}

const GumboNode* tableOfContents(const GumboNode* node, int depth) {
  const GumboElement& element = node->v.element;
  if (element.tag == GUMBO_TAG_NAV && attribute(element, "epub:type").find("toc") != std::string::npos)
    return node;
  const GumboNode* found = nullptr;
  if (depth < kDeepest) {
    forElements(node, [&](const GumboNode* each) {
      if (found == nullptr) found = tableOfContents(each, depth + 1);
    });
  }
  return found;
}

void addText(const GumboNode* node, int depth, std::string& text) {
  if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) text += node->v.text.text;
  if (node->type != GUMBO_NODE_ELEMENT || depth > kDeepest) return;
  if (node->v.element.tag == GUMBO_TAG_RT || node->v.element.tag == GUMBO_TAG_RP) return;
  for (unsigned i = 0; i < node->v.element.children.length; ++i) {
    addText(static_cast<const GumboNode*>(node->v.element.children.data[i]), depth + 1, text);
  }
}

/// Lists within lists; a line is a link, or a span over a group.
void addNavigation(const GumboNode* node, int level, const std::string& path, std::vector<EpubEntry>& entries) {
  if (level > kDeepest) return;
  forElements(node, [&](const GumboNode* each) {
    const GumboTag tag = each->v.element.tag;
    if (tag == GUMBO_TAG_OL || tag == GUMBO_TAG_UL) return addNavigation(each, level + 1, path, entries);
    if (tag == GUMBO_TAG_LI) return addNavigation(each, level, path, entries);
    if (tag != GUMBO_TAG_A && tag != GUMBO_TAG_SPAN) return;
    std::string title;
    addText(each, 0, title);
    const std::string target = attribute(each->v.element, "href");
    title = oneLine(title);
    const std::string file = target.empty() ? "" : target.starts_with('#') ? path : resolvedPath(path, target);
    if (!title.empty()) entries.push_back({title, level, file, fragmentOf(target)});
  });
}

std::vector<EpubEntry> navigationEntries(const std::string& html, const std::string& path) {
  const std::string source = htmlSource(html);
  const std::unique_ptr<GumboOutput, void (*)(GumboOutput*)> output(
      gumbo_parse_with_options(&kGumboDefaultOptions, source.data(), source.size()),
      [](GumboOutput* parsed) { gumbo_destroy_output(&kGumboDefaultOptions, parsed); });
  std::vector<EpubEntry> entries;
  if (output == nullptr) return entries;
  const GumboNode* contents = tableOfContents(output->root, 0);
  if (contents != nullptr) addNavigation(contents, 0, path, entries);
  return entries;
}

}  // namespace

std::vector<EpubEntry> contentsOf(ZipArchive& archive, const EpubPackage& package) {
  if (!package.navigation.empty()) {
    if (const auto html = archive.read(package.navigation)) {
      std::vector<EpubEntry> entries = navigationEntries(*html, package.navigation);
      if (!entries.empty()) return entries;
    }
  }
  std::vector<EpubEntry> entries;
  if (package.ncx.empty()) return entries;
  if (const auto xml = archive.read(package.ncx)) {
    pugi::xml_document document;
    document.load_buffer(xml->data(), xml->size());
    addNcx(document.document_element().child("navMap"), 1, package.ncx, entries);
  }
  return entries;
}

}  // namespace kvasir
