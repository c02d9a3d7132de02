#include <stdexcept>

#include "importers/file_bytes.h"
#include "importers/formats.h"
#include "importers/language.h"
#include "importers/plain_text.h"
#include "importers/text_encoding.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::uintmax_t kMostBytes = std::uintmax_t{256} << 20;

}  // namespace

std::string plainTextOf(const std::filesystem::path& file) {
  const std::string bytes = bytesOf(file, kMostBytes);
  if (isBinary(bytes)) {
    throw std::runtime_error(
        nameOf(file) + " is not text: PDF, EPUB, Markdown, HTML and plain text can be read, convert it first");
  }
  if (bytes.starts_with("{\\rtf")) {
    throw std::runtime_error(nameOf(file) +
                             " is a document with its layout (RTF), which is not read here: save it as PDF or "
                             "plain text in the program that wrote it");
  }
  std::u32string codes;
  const std::u32string given = fromUtf8(utf8Of(bytes));
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char32_t code = given[i];
    if (code == U'\r') {
      if (i + 1 == given.size() || given[i + 1] != U'\n') codes.push_back(U'\n');
    } else if (code == U'\f') {
      codes += U"\n\n";
    } else if (code == U'\n' || code == U'\t' || !isInvisible(code)) {
      const std::u32string letters = plainLetters(code);
      letters.empty() ? codes.push_back(code) : void(codes += letters);
    }
  }
  const std::string text = toUtf8(composed(codes));
  if (trimmed(text).empty()) throw std::runtime_error(nameOf(file) + " is blank: there is nothing to read");
  return text;
}

std::string withoutExtraBlankLines(std::string_view text) {
  std::string result;
  std::size_t blank = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    std::string_view line = text.substr(from, to - from);
    from = to + 1;
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
    if (line.empty()) {
      ++blank;
      continue;
    }
    if (!result.empty()) result += blank > 0 ? "\n\n" : "\n";
    blank = 0;
    result += line;
  }
  return result;
}

bool isText(std::string_view firstBytes) {
  return !firstBytes.empty() && !trimmed(firstBytes).starts_with("%PDF-") && !isBinary(firstBytes);
}

Document importText(const std::filesystem::path& file, const ImportProgress& progress) {
  Document document;
  document.text = withoutExtraBlankLines(plainTextOf(file));
  document.title = nameOf(file.stem());
  document.language = languageOf(document.text);
  progress(1, 1);
  return document;
}

}  // namespace kvasir
