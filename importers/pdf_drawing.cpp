#include "importers/pdf_drawing.h"

#include <cctype>
#include <map>
#include <memory>
#include <optional>
#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "importers/pdf_tree.h"

namespace kvasir {
namespace {

constexpr std::size_t kDeepest = 100;  // forms within forms that poppler draws
constexpr std::size_t kLongestToken = 65'536;
constexpr std::size_t kNameBytes = 128;  // that keeping a name takes beside its letters, about
constexpr std::uint64_t kSaturated = std::uint64_t{1} << 62;

std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > kSaturated / b ? kSaturated : a * b;
}

QPDFObjectHandle entryOf(QPDFObjectHandle dictionary, const std::string& key) {
  return dictionary.isDictionary() ? dictionary.getKey(key) : QPDFObjectHandle::newNull();
}

QPDFObjectHandle formOf(QPDFObjectHandle object) {
  return object.isFormXObject() ? object : QPDFObjectHandle::newNull();
}
QPDFObjectHandle maskOf(QPDFObjectHandle state) { return entryOf(entryOf(state, "/SMask"), "/G"); }
QPDFObjectHandle tileOf(QPDFObjectHandle pattern) { return pattern; }

/// What poppler does with a form that is to be drawn while it is being drawn.
enum class WithinItself { LeftOut, Drawn };

/// An operator that draws what its last operand names.
struct DrawingOperator {
  const char* name;
  const char* category;                                  ///< of the resources that have the name
  QPDFObjectHandle (*streamOf)(QPDFObjectHandle entry);  ///< no stream where the entry draws nothing
  WithinItself withinItself;
};

constexpr DrawingOperator kOperators[] = {
    {"Do", "/XObject", formOf, WithinItself::LeftOut},
    {"gs", "/ExtGState", maskOf, WithinItself::Drawn},
    {"scn", "/Pattern", tileOf, WithinItself::LeftOut},
    {"SCN", "/Pattern", tileOf, WithinItself::LeftOut},
};

/// Whether any operator can draw by these resources.
bool haveForms(QPDFObjectHandle resources) {
  for (const DrawingOperator& each : kOperators) {
    QPDFObjectHandle category = entryOf(resources, each.category);
    if (!category.isDictionary()) continue;
    for (const auto& [name, entry] : category.getDictAsMap())
      if (each.streamOf(entry).isStream()) return true;
  }
  return false;
}

/// A page's content is a stream or an array of them. qpdf's own list of them is none where the array has a
/// null.
std::vector<QPDFObjectHandle> streamsOf(QPDFObjectHandle contents) {
  std::vector<QPDFObjectHandle> streams;
  if (contents.isStream()) streams.push_back(contents);
  const int count = contents.isArray() ? contents.getArrayNItems() : 0;
  for (int i = 0; i < count; ++i) {
    QPDFObjectHandle part = contents.getArrayItem(i);
    if (part.isStream()) streams.push_back(part);
  }
  return streams;
}

/// Of all annotations, in all their states.
std::vector<QPDFObjectHandle> appearancesOf(QPDFObjectHandle page) {
  std::vector<QPDFObjectHandle> streams;
  QPDFObjectHandle annotations = page.getKey("/Annots");
  const int count = annotations.isArray() ? annotations.getArrayNItems() : 0;
  for (int i = 0; i < count; ++i) {
    QPDFObjectHandle normal = entryOf(entryOf(annotations.getArrayItem(i), "/AP"), "/N");
    if (normal.isStream()) streams.push_back(normal);
    if (!normal.isDictionary()) continue;
    for (auto& [state, stream] : normal.getDictAsMap())
      if (stream.isStream()) streams.push_back(stream);
  }
  return streams;
}

enum class ByteKind { Regular, Space, Delimiter };

ByteKind kindOf(char byte) {
  switch (byte) {
    case '\0':
    case '\t':
    case '\n':
    case '\f':
    case '\r':
    case ' ':
      return ByteKind::Space;
    case '(':
    case ')':
    case '<':
    case '>':
    case '[':
    case ']':
    case '{':
    case '}':
    case '/':
    case '%':
      return ByteKind::Delimiter;
    default:
      return ByteKind::Regular;
  }
}

/// "/F#31" is the name "/F1".
std::string unescaped(const std::string& name) {
  const auto isHex = [&](std::size_t i) {
    return i < name.size() && std::isxdigit(static_cast<unsigned char>(name[i])) != 0;
  };
  std::string plain;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool isEscape = name[i] == '#' && isHex(i + 1) && isHex(i + 2);
    plain += isEscape ? static_cast<char>(std::stoi(name.substr(i + 1, 2), nullptr, 16)) : name[i];
    if (isEscape) i += 2;
  }
  return plain;
}

/// An operator and the name before it.
using Use = std::pair<const DrawingOperator*, std::string>;

/// Counts the uses in content that is written to it. Names and operators count wherever they stand, in strings,
/// comments and pictures too, so that none can be hidden by what is read in another way here than in poppler.
class UseCounter : public Pipeline {
 public:
  explicit UseCounter(std::size_t mostNameBytes) : Pipeline("uses", nullptr), mostNameBytes_(mostNameBytes) {}

  void write(const unsigned char* data, std::size_t length) override {
    bytes_ += length;
    for (std::size_t i = 0; i < length; ++i) {
      if (isFull()) throw std::runtime_error("more content than is counted");
      take(static_cast<char>(data[i]));
    }
  }
  /// A page's content can be several streams; a token ends with its stream.
  void finish() override { take('\n'); }

  bool isFull() const { return bytes_ > kMostDrawnBytes || nameBytes_ > mostNameBytes_; }
  std::uint64_t bytes() const { return isFull() ? kMostDrawnBytes + 1 : bytes_; }
  std::size_t nameBytes() const { return nameBytes_; }
  const std::map<Use, std::uint64_t>& uses() const { return uses_; }

 private:
  void take(char byte) {
    const ByteKind kind = kindOf(byte);
    if (kind == ByteKind::Regular) {
      if (token_.size() < kLongestToken) token_ += byte;
      return;
    }
    endToken();
    if (byte == '\n' || byte == '\r') isInComment_ = false;
    if (kind == ByteKind::Space) return;
    if (byte == '%' && !name_.empty() && commented_.insert(name_).second) keep(name_);
    if (byte == '%') isInComment_ = true;
    forgetNames();
    if (byte == '/') token_ = '/';
  }

  void endToken() {
    if (token_.empty()) return;
    if (token_.front() == '/') {
      forgetNames();
      name_ = token_.size() < kLongestToken ? unescaped(token_) : token_;
    } else {
      for (const DrawingOperator& each : kOperators)
        if (token_ == each.name) countUse(each);
      forgetNames();
    }
    token_.clear();
  }

  void countUse(const DrawingOperator& drawing) {
    if (!name_.empty()) add(drawing, name_);
    if (isInComment_) return;
    for (const std::string& name : commented_) add(drawing, name);
  }

  void add(const DrawingOperator& drawing, const std::string& name) {
    if (++uses_[{&drawing, name}] == 1) keep(name);
  }

  /// A name as long as the longest token was cut: it could be any.
  void keep(const std::string& name) {
    nameBytes_ += name.size() < kLongestToken ? name.size() + kNameBytes : mostNameBytes_ + 1;
  }

  void forgetNames() {
    name_.clear();
    if (!isInComment_) commented_.clear();
  }

  std::uint64_t bytes_ = 0;
  std::size_t nameBytes_ = 0, mostNameBytes_;
  std::string token_;
  std::string name_;                 ///< with nothing but spaces behind it
  std::set<std::string> commented_;  ///< with nothing but comments behind them: one of them is the operand
  bool isInComment_ = false;
  std::map<Use, std::uint64_t> uses_;
};

/// Of a page or a form.
struct Content {
  struct CountedUse {
    Use use;
    std::uint64_t times = 0;
    std::optional<Content*> form;  ///< nothing where `resources` lack the name, null where it draws nothing
  };

  std::vector<QPDFObjectHandle> streams;
  QPDFObjectHandle resources;
  bool isRead = false;
  std::uint64_t bytes = 0;       ///< once it is read
  std::vector<CountedUse> uses;  ///< likewise
};

/// Draws pages as poppler does, but only counts, and a form that content draws many times at once.
class DrawingCounter {
 public:
  DrawingCounter(QPDF& pdf, std::size_t mostNameBytes)
      : pages_(leavesOf(pdf.getRoot().getKey("/Pages"))), mostNameBytes_(mostNameBytes) {}

  std::uint64_t bytesOf(std::size_t number) {
    if (number >= pages_.size()) return 0;
    if (nameBytes_ > mostNameBytes_ / 2) {
      contents_.clear();
      nameBytes_ = 0;
    }
    bytes_ = 0;
    within_.clear();
    drawing_.clear();
    QPDFObjectHandle page = pages_[number].node;
    Content content;
    content.resources = pages_[number].resources;
    const std::vector<QPDFObjectHandle> appearances = appearancesOf(page);
    if (appearances.empty() && !haveForms(content.resources)) return 0;
    content.streams = streamsOf(page.getKey("/Contents"));
    draw(content, 1);
    within_ = {&content};
    for (const QPDFObjectHandle& appearance : appearances) draw(contentOf(appearance), 1);
    return bytes_;
  }

 private:
  /// Every call adds kFormBytes at least, so that their number is bounded too.
  void draw(Content& content, std::uint64_t times) {
    if (bytes_ > kMostDrawnBytes || within_.size() > kDeepest) return;
    read(content);
    bytes_ += product(times, content.bytes + kFormBytes);
    within_.push_back(&content);
    for (const Content::CountedUse& each : content.uses) {
      if (bytes_ > kMostDrawnBytes) break;
      drawForm(each, times);
    }
    within_.pop_back();
  }

  void drawForm(const Content::CountedUse& counted, std::uint64_t times) {
    Content* form = counted.form ? *counted.form : formAround(counted.use);
    if (form == nullptr) return;
    const bool isLeftOut = counted.use.first->withinItself == WithinItself::LeftOut;
    if (isLeftOut && !drawing_.insert(form).second) return;
    draw(*form, product(times, counted.times));
    if (isLeftOut) drawing_.erase(form);
  }

  /// Names that a form's own resources lack are looked up in those of what draws it.
  Content* formAround(const Use& use) {
    for (std::size_t i = within_.size(); i-- > 0;)
      if (const std::optional<Content*> form = formIn(within_[i]->resources, use)) return *form;
    return nullptr;
  }

  std::optional<Content*> formIn(QPDFObjectHandle resources, const Use& use) {
    const auto& [drawing, name] = use;
    QPDFObjectHandle entry = entryOf(entryOf(resources, drawing->category), name);
    if (entry.isNull()) return std::nullopt;
    QPDFObjectHandle stream = drawing->streamOf(entry);
    return stream.isStream() ? &contentOf(stream) : nullptr;
  }

  Content& contentOf(QPDFObjectHandle stream) {
    Content& content = contents_[stream.getObjGen()];
    if (content.streams.empty()) {
      content.streams.push_back(stream);
      content.resources = entryOf(stream.getDict(), "/Resources");
    }
    return content;
  }

  void read(Content& content) {
    if (content.isRead) return;
    content.isRead = true;
    UseCounter counter(mostNameBytes_ - nameBytes_);
    for (QPDFObjectHandle& stream : content.streams)
      if (!counter.isFull()) stream.pipeStreamData(&counter, nullptr, 0, qpdf_dl_specialized, true);
    content.bytes = counter.bytes();
    nameBytes_ += counter.nameBytes();
    for (const auto& [use, times] : counter.uses())
      content.uses.push_back({use, times, formIn(content.resources, use)});
  }

  std::vector<TreeLeaf> pages_;
  std::size_t mostNameBytes_;
  std::size_t nameBytes_ = 0;               ///< of what was read into contents_, and of pages
  std::map<QPDFObjGen, Content> contents_;  ///< of forms met so far
  std::uint64_t bytes_ = 0;                 ///< of the page that is being drawn
  std::vector<const Content*> within_;      ///< from the page in
  std::set<const Content*> drawing_;        ///< those of within_ that are not drawn within themselves
};

}  // namespace

DrawnBytes drawnBytesOf(QPDF& pdf, std::size_t mostNameBytes) {
  try {
    return [counter = std::make_shared<DrawingCounter>(pdf, mostNameBytes)](std::size_t page) {
      try {
        return counter->bytesOf(page);
      } catch (const std::exception&) {
        return std::uint64_t{0};
      }
    };
  } catch (const std::exception&) {
    return [](std::size_t) { return std::uint64_t{0}; };
  }
}

}  // namespace kvasir
