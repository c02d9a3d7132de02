#pragma once

#include <filesystem>
#include <string_view>

#include "importers/importer.h"

/// What each format's file offers to the table in importer.cpp.
namespace kvasir {

bool isPdf(std::string_view firstBytes);
Document importPdf(const std::filesystem::path& file, const ImportProgress& progress);

bool isEpub(std::string_view firstBytes);
Document importEpub(const std::filesystem::path& file, const ImportProgress& progress);

/// Known by its suffix only.
bool isMarkdown(std::string_view firstBytes);
Document importMarkdown(const std::filesystem::path& file, const ImportProgress& progress);

/// Known by its suffix only.
bool isHtml(std::string_view firstBytes);
Document importHtml(const std::filesystem::path& file, const ImportProgress& progress);

bool isText(std::string_view firstBytes);
Document importText(const std::filesystem::path& file, const ImportProgress& progress);

}  // namespace kvasir
