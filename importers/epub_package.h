#pragma once

#include <optional>
#include <string>
#include <vector>

#include "importers/zip_archive.h"

namespace kvasir {

/// What a book's package file says of it. Paths are those of the archive.
struct EpubPackage {
  std::string title, language;
  std::vector<std::string>
      spine;  ///< in reading order, markup only; the navigation file is not among them unless it is read
  std::string navigation;  ///< EPUB 3, empty when there is none
  std::string ncx;         ///< EPUB 2, empty when there is none
};

/// Throws a sentence about `name` when the archive holds no book or an encrypted one.
EpubPackage readPackage(ZipArchive& archive, const std::string& name);

/// `href` as written in the file `base`, without its fragment: percent signs resolved, "..", never above the
/// root.
std::string resolvedPath(const std::string& base, std::string_view href);
/// After the '#', resolved; empty when there is none.
std::string fragmentOf(std::string_view href);

}  // namespace kvasir
