#include "importers/pdf_catalogue.h"

#include <map>
#include <qpdf/QPDFNameTreeObjectHelper.hh>
#include <qpdf/QPDFPageObjectHelper.hh>
#include <set>

#include "importers/pdf_objects.h"
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
std::optional<Heading::Target> targetOf(QPDFObjectHandle destination,
                                        const std::vector<QPDFObjectHandle>& pages,
                                        const PageNumbers& numbers) {
  if (!destination.isArray() || destination.getArrayNItems() < 2) return std::nullopt;
  QPDFObjectHandle page = destination.getArrayItem(0);
  const auto found = numbers.find(page.getObjGen());
  std::size_t number = pages.size();
  if (page.isIndirect() && found != numbers.end()) number = found->second;
  if (page.isInteger() && page.getIntValue() >= 0) number = static_cast<std::size_t>(page.getIntValue());
  if (number >= pages.size()) return std::nullopt;
  return targetOf(destination, number, QPDFPageObjectHelper(pages[number]));
}

/// An outline's items from one on, each with those below it. qpdf's own walk does not end where items refer to
/// themselves.
class OutlineWalk {
 public:
  OutlineWalk(QPDF& pdf, std::vector<Heading>& headings)
      : root_(pdf.getRoot()), pages_(pdf.getAllPages()), headings_(headings) {
    for (std::size_t i = 0; i < pages_.size(); ++i) numbers_.emplace(pages_[i].getObjGen(), i);
    QPDFObjectHandle tree = root_.getKey("/Names");
    if (tree.isDictionary()) tree = tree.getKey("/Dests");
    if (tree.isDictionary()) names_.emplace(tree, pdf);
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
    QPDFObjectHandle named = root_.getKey("/Dests"), value;
    if (destination.isName() && named.isDictionary()) destination = named.getKey(destination.getName());
    if (destination.isString() && names_ && names_->findObject(destination.getUTF8Value(), value))
      destination = value;
    return destination.isDictionary() ? destination.getKey("/D") : destination;
  }

  QPDFObjectHandle root_;
  const std::vector<QPDFObjectHandle>& pages_;
  PageNumbers numbers_;
  std::optional<QPDFNameTreeObjectHelper> names_;
  std::set<QPDFObjGen> seen_;
  std::vector<Heading>& headings_;
};

/// Opens a file and looks at it. What poppler opens is not refused because this cannot read it.
template <class Look>
void lookAt(const std::string& bytes, const Look& look) {
  try {
    look(*pdfObjects(bytes));
  } catch (const std::exception&) {
  }
}

}  // namespace

PdfCatalogue catalogueOf(const std::string& bytes) {
  PdfCatalogue catalogue;
  lookAt(bytes, [&](QPDF& pdf) {
    QPDFObjectHandle language = pdf.getRoot().getKey("/Lang");
    if (language.isString()) catalogue.language = language.getUTF8Value();
    QPDFObjectHandle outline = pdf.getRoot().getKey("/Outlines");
    if (outline.isDictionary()) OutlineWalk(pdf, catalogue.outline).add(outline.getKey("/First"), 1);
  });
  return catalogue;
}

std::vector<bool> pagesWithPictures(const std::string& bytes) {
  std::vector<bool> have;
  lookAt(bytes, [&](QPDF& pdf) {
    for (const QPDFObjectHandle& page : pdf.getAllPages())
      have.push_back(!QPDFPageObjectHelper(page).getImages().empty());
  });
  return have;
}

}  // namespace kvasir
