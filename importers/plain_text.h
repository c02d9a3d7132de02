#pragma once

#include <filesystem>
#include <string>

namespace kvasir {

/// A text file's contents: UTF-8, NFC, "\n" at line ends, form feeds as paragraph ends. Throws a sentence when
/// the file is no text or blank.
std::string plainTextOf(const std::filesystem::path& file);

/// One blank line between paragraphs, none at the ends, no spaces at line ends.
std::string withoutExtraBlankLines(std::string_view text);

}  // namespace kvasir
