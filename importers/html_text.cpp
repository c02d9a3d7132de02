#include "importers/html_text.h"

#include <gumbo.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "importers/html_elements.h"
#include "importers/html_source.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

bool isNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// As notes are marked: "12", "*".
bool isNoteMark(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789*") == std::string_view::npos;
}

/// "6", "-6" and the same with a minus sign.
bool isExponent(std::string_view text) {
  for (const std::string_view sign : {"-", "\u2212"})
    if (text.starts_with(sign)) return isNumber(text.substr(sign.size()));
  return isNumber(text);
}

std::string pathString(const std::vector<int>& path) {
  std::string text;
  for (const int index : path) text += "/" + std::to_string(index);
  return text;
}

const GumboNode* childOf(const GumboNode* node, GumboTag tag) {
  if (node == nullptr) return nullptr;
  const GumboVector& children = node->v.element.children;
  for (unsigned i = 0; i < children.length; ++i) {
    const auto* child = static_cast<const GumboNode*>(children.data[i]);
    if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == tag) return child;
  }
  return nullptr;
}

/// Walks the tree and writes paragraphs.
class HtmlWriter {
 public:
  explicit HtmlWriter(const GumboNode* root) : root_(root) { collectNotes(root); }

  HtmlText write() {
    out_.title = title();
    walk(root_);
    flush("\n\n");
    for (const auto& [id, note] : notes_) writeNote(id);
    placeIds(out_.text.size());
    return std::move(out_);
  }

 private:
  struct Note {
    const GumboNode* node;
    std::vector<int> path;
  };

  std::string title() {
    const GumboNode* title = childOf(childOf(root_, GUMBO_TAG_HEAD), GUMBO_TAG_TITLE);
    if (title == nullptr) return {};
    eachChild(title->v.element, [&](const GumboNode* child) { walk(child); });
    std::string text = cleaned();
    block_.clear();
    blockPath_.clear();
    return text;
  }

  void collectNotes(const GumboNode* node) {
    if (node->type != GUMBO_NODE_ELEMENT) return;
    const GumboElement& element = node->v.element;
    if (isFootnote(element)) notes_.emplace(attribute(element, "id"), Note{node, path_});
    if (isNoteReference(element)) {
      const std::string target = attribute(element, "href");
      if (target.size() > 1 && target.starts_with('#')) referred_.insert(target.substr(1));
    }
    eachChild(element, [&](const GumboNode* child) { collectNotes(child); });
  }

  void walk(const GumboNode* node) {
    switch (node->type) {
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_CDATA:
      case GUMBO_NODE_WHITESPACE:
        addText(node->v.text.text);
        return;
      case GUMBO_NODE_ELEMENT:
        break;
      default:
        return;
    }
    const GumboElement& element = node->v.element;
    if (isSkipped(element)) return;
    const std::string id = attribute(element, "id");
    // Of several with one id the first is moved to where it is referred to; the others stay.
    const bool isMovedNote =
        isFootnote(element) && referred_.contains(id) && note_ != id && notes_.at(id).node == node;
    if (isMovedNote) return;
    open(element);
    if (!id.empty()) blockIds_.emplace_back(id, block_.size());
    eachChild(element, [&](const GumboNode* child) { walk(child); });
    close(element);
  }

  /// With the child's own path.
  template <class Visit>
  void eachChild(const GumboElement& element, Visit visit) {
    int index = 0;
    for (unsigned i = 0; i < element.children.length; ++i) {
      const auto* child = static_cast<const GumboNode*>(element.children.data[i]);
      const bool isElement = child->type == GUMBO_NODE_ELEMENT;
      if (isElement) path_.push_back(index += 2);
      visit(child);
      if (isElement) path_.pop_back();
    }
  }

  void open(const GumboElement& element) {
    if (element.tag == GUMBO_TAG_BR) inCell_ > 0 ? addText(" ") : void(block_ += '\n');
    if (isCell(element)) startCell(element);
    if (inCell_ > 0 && isHeading(element)) flush("\n\n");
    if (inCell_ > 0 && element.tag != GUMBO_TAG_TR) return enterInCell(element);
    if (isBlock(element.tag)) flush(listDepth_ > 0 || inTable_ > 0 ? "\n" : "\n\n");
    if (isLine(element.tag)) flush("\n");
    if (element.tag == GUMBO_TAG_TABLE) ++inTable_;
    if (element.tag == GUMBO_TAG_PRE) ++preformatted_;
    if (element.tag == GUMBO_TAG_OL || element.tag == GUMBO_TAG_UL) startList(element);
    if (element.tag == GUMBO_TAG_LI) mark_ = listMark();
    enterRaised(element);
  }

  void close(const GumboElement& element) {
    leaveRaised(element);
    if (isCell(element)) return endCell(element);
    if (isHeading(element)) return closeHeading(headingLevel(element.tag));
    if (inCell_ > 0) return leaveInCell(element);
    if (element.tag == GUMBO_TAG_PRE) {
      flush("\n\n");
      --preformatted_;
    }
    if (element.tag == GUMBO_TAG_OL || element.tag == GUMBO_TAG_UL) {
      flush("\n");
      if (!lists_.empty()) lists_.pop_back();
      --listDepth_;
    }
    if (element.tag == GUMBO_TAG_TABLE) {
      flush("\n");
      --inTable_;
    }
    if (isBlock(element.tag)) flush(listDepth_ > 0 || inTable_ > 0 ? "\n" : "\n\n");
    if (isLine(element.tag)) flush("\n");
    if (element.tag == GUMBO_TAG_LI) mark_.clear();
  }

  static bool isCell(const GumboElement& element) {
    return element.tag == GUMBO_TAG_TD || element.tag == GUMBO_TAG_TH;
  }

  /// A heading in a cell is one of a page that is laid out as a table, but in a column's head it is none.
  bool isHeading(const GumboElement& element) const {
    return headingLevel(element.tag) > 0 && inColumnHead_ == 0;
  }

  void startCell(const GumboElement& element) {
    while (block_.ends_with(' ')) block_.pop_back();
    if (hasCell_ || !block_.empty()) block_ += '\t';
    hasCell_ = true;
    ++inCell_;
    if (element.tag == GUMBO_TAG_TH) ++inColumnHead_;
  }
  void endCell(const GumboElement& element) {
    --inCell_;
    if (element.tag == GUMBO_TAG_TH) --inColumnHead_;
  }

  /// A cell is a part of a line: blocks within it are divided by spaces.
  void enterInCell(const GumboElement& element) {
    leaveInCell(element);
    enterRaised(element);
  }
  void leaveInCell(const GumboElement& element) {
    if (isBlock(element.tag) || isLine(element.tag)) addText(" ");
  }

  void startList(const GumboElement& element) {
    ++listDepth_;
    lists_.push_back(element.tag == GUMBO_TAG_OL ? 1 : 0);
    if (element.tag == GUMBO_TAG_OL) {
      const std::string start = attribute(element, "start");
      if (!start.empty() && start.size() < 6) lists_.back() = std::atoi(start.c_str());
    }
  }

  std::string listMark() {
    if (lists_.empty()) return {};
    const std::string indent(2 * (lists_.size() - 1), ' ');
    if (lists_.back() == 0) return indent + "\xE2\x80\xA2 ";
    return indent + std::to_string(lists_.back()++) + ". ";
  }

  /// "word1" would be another word, and "106" another number: what is raised is told apart from what is before
  /// it.
  void enterRaised(const GumboElement& element) {
    if (isFragmentLink(element)) {
      ++inLink_;
      hasLink_ = true;
    }
    if (element.tag == GUMBO_TAG_SUP) {
      raised_ = block_.size();
      hasLink_ = inLink_ > 0;
    }
    if (isNoteReference(element)) startNoteReference(element);
  }
  void leaveRaised(const GumboElement& element) {
    if (isNoteReference(element) && noteMark_ != std::string::npos) endNoteReference();
    if (element.tag == GUMBO_TAG_SUP && raised_ != std::string::npos) endRaised();
    if (isFragmentLink(element)) --inLink_;
  }

  void endRaised() {
    const std::size_t start = std::min(std::exchange(raised_, std::string::npos), block_.size());
    const std::string text(trimmed(std::string_view(block_).substr(start)));
    const bool isAfterDigit = start > 0 && isNumber(std::string_view(block_).substr(start - 1, 1));
    if (hasLink_ && isNoteMark(text)) {
      block_.replace(start, std::string::npos, "[" + text + "]");
    } else if (isAfterDigit && isExponent(text)) {
      block_.replace(start, std::string::npos, "^" + text);
    }
  }

  void startNoteReference(const GumboElement& element) {
    noteMark_ = block_.size();
    const std::string target = attribute(element, "href");
    if (target.starts_with('#') && notes_.contains(target.substr(1))) pending_.push_back(target.substr(1));
  }
  void endNoteReference() {
    const std::string mark(trimmed(std::string_view(block_).substr(std::min(noteMark_, block_.size()))));
    if (isNoteMark(mark)) block_.replace(noteMark_, std::string::npos, "[" + mark + "]");
    noteMark_ = std::string::npos;
  }

  void closeHeading(int level) {
    const std::size_t before = out_.text.size();
    const std::string separator = separator_;
    std::string title(trimmed(cleaned()));  // as flush() writes it: where that is nothing, nothing is headed
    std::replace(title.begin(), title.end(), '\n', ' ');
    if (!title.empty()) out_.headings.push_back({title, level, before == 0 ? 0 : before + separator.size()});
    flush("\n\n");
  }

  void addText(const char* text) {
    if (blockPath_.empty()) blockPath_ = path_;
    if (preformatted_ > 0) {
      block_ += text;
      return;
    }
    for (const char* at = text; *at != '\0'; ++at) {
      const bool space = std::strchr(" \t\r\n\f", *at) != nullptr;
      if (!space) block_ += *at;
      if (space && !block_.empty() && std::strchr(" \n\t", block_.back()) == nullptr) block_ += ' ';
    }
    if (block_.empty()) blockPath_.clear();
  }

  /// Ends the block and asks for a separator before the next one; the widest asked for is written.
  void flush(const char* separator) {
    std::string text = cleaned();
    if (!text.empty()) {
      if (!out_.text.empty()) out_.text += separator_;
      const std::size_t start = out_.text.size();
      out_.anchors.push_back({start, pathString(blockPath_)});
      out_.text += mark_ + text;
      placeIds(start);
      mark_.clear();
      separator_.clear();
    }
    for (; earlierIds_ < blockIds_.size(); ++earlierIds_)
      blockIds_[earlierIds_].second = 0;  // before the next text
    block_.clear();
    blockPath_.clear();
    hasCell_ = false;
    if (std::strlen(separator) > separator_.size()) separator_ = separator;
    if (!text.empty() && note_.empty()) writePendingNotes();
  }

  /// Of the block that begins there. What was cleaned from it may have been before them.
  void placeIds(std::size_t start) {
    const std::string& text = out_.text;
    for (const auto& [id, at] : blockIds_) {
      std::size_t place = at == 0 ? start : std::min(start + mark_.size() + at, text.size());
      while (place < text.size() && (text[place] & 0xC0) == 0x80) ++place;
      out_.ids.emplace(id, place);
    }
    blockIds_.clear();
    earlierIds_ = 0;
  }

  std::string cleaned() const {
    std::u32string codes;
    for (const char32_t code : fromUtf8(block_)) {
      const bool kept = code == U'\n' || code == U'\t' || !isInvisible(code);
      if (!kept) continue;
      const std::u32string letters = plainLetters(code);
      letters.empty() ? codes.push_back(code == 0xA0 ? U' ' : code) : void(codes += letters);
    }
    const std::string text = toUtf8(composed(codes));
    const std::size_t first =
        text.find_first_not_of(preformatted_ > 0 ? "\r\n" : " \r\n\f\v");  // tabs are cells
    const std::size_t last = text.find_last_not_of(" \t\r\n\f\v");
    return last == std::string::npos ? "" : text.substr(first, last - first + 1);
  }

  void writePendingNotes() {
    const std::vector<std::string> ids = std::move(pending_);
    pending_.clear();
    for (const std::string& id : ids) writeNote(id);
  }

  void writeNote(const std::string& id) {
    const auto note = notes_.find(id);
    if (note == notes_.end() || !referred_.contains(id) || !written_.insert(id).second) return;
    const std::string asked = separator_;
    separator_ = "\n\n";
    note_ = id;
    const std::vector<int> path = std::exchange(path_, note->second.path);
    walk(note->second.node);
    flush("\n\n");
    path_ = path;
    note_.clear();
    if (separator_.size() < asked.size()) separator_ = asked;
  }

  const GumboNode* root_;
  HtmlText out_;
  std::string block_;
  std::vector<int> blockPath_;
  std::vector<std::pair<std::string, std::size_t>> blockIds_;  // and where in the block they are
  std::size_t earlierIds_ = 0;  ///< the first of them, which wait for the next text
  std::string separator_;
  std::string mark_;
  std::vector<int> path_;
  std::vector<int> lists_;  // next number of each open list, 0 for bullets
  int listDepth_ = 0, inTable_ = 0, inCell_ = 0, inColumnHead_ = 0, preformatted_ = 0;
  bool hasCell_ = false;  ///< the row that the block is
  int inLink_ = 0;
  bool hasLink_ = false;  ///< what is raised: it holds a link or stands in one
  std::size_t raised_ = std::string::npos, noteMark_ = std::string::npos;
  std::map<std::string, Note> notes_;
  std::set<std::string> referred_, written_;
  std::vector<std::string> pending_;
  std::string note_;  // id of the note being written
};

}  // namespace

HtmlText textOfHtml(std::string_view html) {
  const std::string source = htmlSource(html);
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  const std::unique_ptr<GumboOutput, void (*)(GumboOutput*)> output(
      gumbo_parse_with_options(&options, source.data(), source.size()),
      [](GumboOutput* parsed) { gumbo_destroy_output(&kGumboDefaultOptions, parsed); });
  return output == nullptr ? HtmlText{} : HtmlWriter(output->root).write();
}

}  // namespace kvasir
