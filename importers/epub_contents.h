#pragma once

#include <string>
#include <vector>

#include "importers/epub_package.h"

namespace kvasir {

/// A line of a book's table of contents.
struct EpubEntry {
  std::string title;
  int level = 1;
  std::string path;      ///< of the archive
  std::string fragment;  ///< id of the element; empty for the file's beginning
};

/// From the navigation file (EPUB 3), else the NCX (EPUB 2); empty when there is neither.
std::vector<EpubEntry> contentsOf(ZipArchive& archive, const EpubPackage& package);

}  // namespace kvasir
