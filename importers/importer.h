#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "importers/document.h"

namespace kvasir {

/// Told after every page or part; may throw to stop the import. total is 0 when not known.
using ImportProgress = std::function<void(int done, int total)>;

/// One format: what recognises it and what reads it.
struct Importer {
  const char* name;                   ///< "pdf"
  std::vector<std::string> suffixes;  ///< lower case with the dot
  bool (*recognises)(std::string_view firstBytes);
  Document (*import)(const std::filesystem::path& file, const ImportProgress& progress);
};

const std::vector<Importer>& importers();

/// Reads a file by its content first, its suffix second. Throws std::runtime_error with one sentence that says
/// what is wrong and what to do: missing, unreadable, unknown format, encrypted, damaged, empty, a scan without
/// text.
Document importFile(const std::filesystem::path& file, const ImportProgress& progress = {});

/// Where poppler's tables of East Asian encodings (package poppler-data) lie when not at their place in the
/// system. For the whole program, pages that are drawn as well; call it before the first PDF is opened.
void setEncodingTables(const std::filesystem::path& folder);

}  // namespace kvasir
