#include "importers/pdf_catalogue.h"

#include <algorithm>
#include <map>
#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFPageObjectHelper.hh>
#include <set>
#include <stdexcept>

#include "importers/pdf_tree.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr int kDeepest = 64;

using PageNumbers = std::map<QPDFObjGen, std::size_t>;

std::optional<float> numberAt(QPDFObjectHandle array, int index) {
  if (index >= array.getArrayNItems() || !array.getArrayItem(index).isNumber()) return std::nullopt;
  return static_cast<float>(array.getArrayItem(index).getNumericValue());
}

/// Coordinates are those of the unrotated page; on a rotated one the place within it is left open.
/// destination: [page /XYZ left top zoom], /FitH top, /FitBH top, /FitR left bottom right top, or others
/// without a height (PDF 32000, table 151).
Heading::Target targetOf(QPDFObjectHandle destination, std::size_t number, QPDFPageObjectHelper page) {
  Heading::Target target{number, {}, {}};
  QPDFObjectHandle rotation = page.getAttribute("/Rotate", false);
  if (rotation.isInteger() && rotation.getIntValue() % 360 != 0) return target;
  QPDFObjectHandle kind = destination.getArrayItem(1);
  std::optional<float> left, top;
  if (kind.isNameAndEquals("/XYZ")) left = numberAt(destination, 2), top = numberAt(destination, 3);
  if (kind.isNameAndEquals("/FitR")) left = numberAt(destination, 2), top = numberAt(destination, 5);
  if (kind.isNameAndEquals("/FitH") || kind.isNameAndEquals("/FitBH")) top = numberAt(destination, 2);
  const QPDFObjectHandle::Rectangle box = page.getCropBox().getArrayAsRectangle();
  if (left) target.left = *left - static_cast<float>(std::min(box.llx, box.urx));
  if (top) target.top = static_cast<float>(std::max(box.lly, box.ury)) - *top;
  return target;
}

/// Some programs write the page's number, from 0, in place of the page.
std::optional<Heading::Target> targetOf(QPDFObjectHandle destination, const std::vector<TreeLeaf>& pages,
                                        const PageNumbers& numbers) {
  if (!destination.isArray() || destination.getArrayNItems() < 2) return std::nullopt;
  QPDFObjectHandle page = destination.getArrayItem(0);
  const auto found = numbers.find(page.getObjGen());
  std::size_t number = pages.size();
  if (page.isIndirect() && found != numbers.end()) number = found->second;
  if (page.isInteger() && page.getIntValue() >= 0) number = static_cast<std::size_t>(page.getIntValue());
  if (number >= pages.size()) return std::nullopt;
  return targetOf(destination, number, QPDFPageObjectHelper(pages[number].node));
}

/// A tree of names can be damaged in ways that keep qpdf's own look-up from ending.
std::map<std::string, QPDFObjectHandle> namesIn(QPDFObjectHandle tree) {
  std::map<std::string, QPDFObjectHandle> named;
  for (TreeLeaf& leaf : leavesOf(tree)) {
    QPDFObjectHandle names = leaf.node.getKey("/Names");
    const int count = names.isArray() ? names.getArrayNItems() : 0;
    for (int i = 0; i + 1 < count; i += 2) {
      QPDFObjectHandle name = names.getArrayItem(i);
      if (name.isString()) named.emplace(name.getUTF8Value(), names.getArrayItem(i + 1));
    }
  }
  return named;
}

/// An outline's items from one on, each with those below it. qpdf's own walk does not end where items refer to
/// themselves.
class OutlineWalk {
 public:
  OutlineWalk(QPDF& pdf, std::vector<Heading>& headings)
      : root_(pdf.getRoot()), pages_(leavesOf(root_.getKey("/Pages"))), headings_(headings) {
    for (std::size_t i = 0; i < pages_.size(); ++i) numbers_.emplace(pages_[i].node.getObjGen(), i);
    QPDFObjectHandle trees = root_.getKey("/Names");
    if (trees.isDictionary()) names_ = namesIn(trees.getKey("/Dests"));
  }

  void add(QPDFObjectHandle item, int level) {
    for (; item.isDictionary() && seen_.insert(item.getObjGen()).second; item = item.getKey("/Next")) {
      QPDFObjectHandle written = item.getKey("/Title");
      const std::string title = written.isString() ? normalised(written.getUTF8Value()) : "";
      if (!trimmed(title).empty())
        headings_.push_back({title, level, targetOf(destinationOf(item), pages_, numbers_)});
      if (level < kDeepest) add(item.getKey("/First"), level + 1);
    }
  }

 private:
  /// An array, or anything else where there is none.
  QPDFObjectHandle destinationOf(QPDFObjectHandle item) {
    QPDFObjectHandle destination = item.getKey("/Dest"), action = item.getKey("/A");
    if (action.isDictionary() && action.getKey("/S").isNameAndEquals("/GoTo"))
      destination = action.getKey("/D");
    QPDFObjectHandle named = root_.getKey("/Dests");
    if (destination.isName() && named.isDictionary()) destination = named.getKey(destination.getName());
    const auto found = destination.isString() ? names_.find(destination.getUTF8Value()) : names_.end();
    if (found != names_.end()) destination = found->second;
    return destination.isDictionary() ? destination.getKey("/D") : destination;
  }

  QPDFObjectHandle root_;
  std::vector<TreeLeaf> pages_;
  PageNumbers numbers_;
  std::map<std::string, QPDFObjectHandle> names_;  ///< of destinations
  std::set<QPDFObjGen> seen_;
  std::vector<Heading>& headings_;
};

/// Keeps the beginning of what is written to it.
class Beginning : public Pipeline {
 public:
  Beginning(std::string& text, std::size_t most) : Pipeline("beginning", nullptr), text_(text), most_(most) {}

  void write(const unsigned char* data, std::size_t length) override {
    const std::size_t kept = std::min(length, most_ - text_.size());
    text_.append(reinterpret_cast<const char*>(data), kept);
    if (kept < length) throw std::runtime_error("more text than is kept");
  }
  void finish() override {}

 private:
  std::string& text_;
  std::size_t most_;
};

/// What poppler opens is not refused because this cannot read it.
template <class Look>
void tryTo(const Look& look) {
  try {
    look();
  } catch (const std::exception&) {
  }
}

}  // namespace

PdfCatalogue catalogueOf(QPDF& pdf) {
  PdfCatalogue catalogue;
  tryTo([&] {
    QPDFObjectHandle language = pdf.getRoot().getKey("/Lang"), metadata = pdf.getRoot().getKey("/Metadata");
    if (language.isString()) catalogue.language = language.getUTF8Value();
    Beginning beginning(catalogue.metadata, kMostMetadataBytes);
    if (metadata.isStream()) metadata.pipeStreamData(&beginning, nullptr, 0, qpdf_dl_specialized, true);
  });
  tryTo([&] {
    QPDFObjectHandle outline = pdf.getRoot().getKey("/Outlines");
    if (outline.isDictionary()) OutlineWalk(pdf, catalogue.outline).add(outline.getKey("/First"), 1);
  });
  return catalogue;
}

std::vector<bool> pagesWithPictures(QPDF& pdf) {
  std::vector<bool> have;
  tryTo([&] {
    for (const TreeLeaf& page : leavesOf(pdf.getRoot().getKey("/Pages")))
      have.push_back(!QPDFPageObjectHelper(page.node).getImages().empty());
  });
  return have;
}

}  // namespace kvasir
