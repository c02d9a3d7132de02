#include "importers/epub_package.h"

#include <map>
#include <pugixml.hpp>
#include <stdexcept>
#include <string_view>

#include "importers/language.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

/// Names without their prefixes, which books choose as they like.
std::string_view localName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& node : parent.children()) {
    if (localName(node) == name) return node;
  }
  return {};
}

/// pugixml knows the five entities of XML and expands no others.
pugi::xml_document parsed(const std::string& xml) {
  pugi::xml_document document;
  document.load_buffer(xml.data(), xml.size());
  return document;
}

bool isHidingFontsOnly(std::string_view algorithm) {
  return algorithm == "http://www.idpf.org/2008/embedding" || algorithm == "http://ns.adobe.com/pdf/enc#RC";
}

void refuseEncrypted(ZipArchive& archive, const std::string& name) {
  const auto xml = archive.read("META-INF/encryption.xml");
  if (!xml) return;
  const pugi::xml_document document = parsed(*xml);
  for (const pugi::xml_node& data : document.document_element().children()) {
    if (localName(data) != "EncryptedData") continue;
    if (!isHidingFontsOnly(child(data, "EncryptionMethod").attribute("Algorithm").value())) {
      throw std::runtime_error(name + " is protected by its seller (DRM): get a copy without protection");
    }
  }
}

std::string packagePath(ZipArchive& archive, const std::string& name) {
  const auto xml = archive.read("META-INF/container.xml");
  if (!xml) throw std::runtime_error(name + " is no EPUB book: it has no container file, get it again");
  const pugi::xml_document document = parsed(*xml);
  for (const pugi::xml_node& rootFile : child(document.document_element(), "rootfiles").children()) {
    const std::string path = rootFile.attribute("full-path").value();
    if (!path.empty()) return resolvedPath("", path);
  }
  throw std::runtime_error(name + " is a damaged EPUB book: its container names no package, get it again");
}

constexpr int kMostFallbacks = 8;  // they can name each other

struct Item {
  std::string path, type, properties, fallback;
};

std::map<std::string, Item> manifestOf(const pugi::xml_node& package, const std::string& base) {
  std::map<std::string, Item> items;
  for (const pugi::xml_node& node : child(package, "manifest").children()) {
    if (localName(node) != "item") continue;
    items.emplace(node.attribute("id").value(),
                  Item{resolvedPath(base, node.attribute("href").value()), node.attribute("media-type").value(),
                       std::string(" ") + node.attribute("properties").value() + " ",
                       node.attribute("fallback").value()});
  }
  return items;
}

/// XHTML, SVG and what older books are made of; not pictures, PDFs and sounds.
bool isMarkup(std::string_view type) {
  return type.empty() || type.starts_with("text/") || type.find("xml") != std::string_view::npos ||
         type.find("html") != std::string_view::npos;
}

/// What is read of an item of the spine: it, or what the book offers in its place. Nothing where neither is
/// markup.
const Item* readItem(const std::map<std::string, Item>& items, std::string id) {
  for (int i = 0; i <= kMostFallbacks; ++i) {
    const auto item = items.find(id);
    if (item == items.end()) return nullptr;
    if (isMarkup(item->second.type)) return &item->second;
    id = item->second.fallback;
  }
  return nullptr;
}

std::string metadataOf(const pugi::xml_node& package, std::string_view name) {
  for (const pugi::xml_node& node : child(package, "metadata").children()) {
    if (localName(node) == name) return normalised(trimmed(node.text().get()));
    // EPUB 1 and early EPUB 2 wrap them once more.
    if (localName(node) != "dc-metadata") continue;
    const pugi::xml_node inner = child(node, name);
    if (inner) return normalised(trimmed(inner.text().get()));
  }
  return {};
}

int hexDigit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if ((letter | 32) >= 'a' && (letter | 32) <= 'f') return (letter | 32) - 'a' + 10;
  return -1;
}

std::string percentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool coded =
        text[i] == '%' && i + 2 < text.size() && hexDigit(text[i + 1]) >= 0 && hexDigit(text[i + 2]) >= 0;
    decoded += coded ? static_cast<char>(hexDigit(text[i + 1]) * 16 + hexDigit(text[i + 2])) : text[i];
    if (coded) i += 2;
  }
  return decoded;
}

}  // namespace

EpubPackage readPackage(ZipArchive& archive, const std::string& name) {
  const std::string path = packagePath(archive, name);
  refuseEncrypted(archive, name);
  const auto xml = archive.read(path);
  if (!xml)
    throw std::runtime_error(name + " is a damaged EPUB book: its package file is missing, get it again");
  const pugi::xml_document document = parsed(*xml);
  const pugi::xml_node package = document.document_element();
  const std::map<std::string, Item> items = manifestOf(package, path);

  EpubPackage result{metadataOf(package, "title"), languageTag(metadataOf(package, "language")), {}, {}, {}};
  for (const auto& [id, item] : items) {
    if (item.properties.find(" nav ") != std::string::npos) result.navigation = item.path;
    if (item.type == "application/x-dtbncx+xml") result.ncx = item.path;
  }
  for (const pugi::xml_node& reference : child(package, "spine").children()) {
    if (const Item* item = readItem(items, reference.attribute("idref").value()))
      result.spine.push_back(item->path);
  }
  if (result.spine.empty())
    throw std::runtime_error(name + " has no text: its spine is empty, or of pictures only");
  return result;
}

std::string resolvedPath(const std::string& base, std::string_view href) {
  const std::string decoded = percentDecoded(href.substr(0, href.find('#')));
  const std::size_t folder = base.rfind('/');
  std::string path;
  if (!decoded.starts_with('/') && folder != std::string::npos) path = base.substr(0, folder);
  for (std::size_t from = 0; from <= decoded.size();) {
    const std::size_t to = std::min(decoded.find('/', from), decoded.size());
    const std::string part = decoded.substr(from, to - from);
    from = to + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      const std::size_t slash = path.rfind('/');
      path.erase(slash == std::string::npos ? 0 : slash);
      continue;
    }
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

std::string fragmentOf(std::string_view href) {
  const std::size_t hash = href.find('#');
  return hash == std::string_view::npos ? "" : percentDecoded(href.substr(hash + 1));
}

}  // namespace kvasir
