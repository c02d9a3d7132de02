#pragma once

#include <filesystem>
#include <string>

namespace kvasir {

/// The file's name for messages, in UTF-8.
std::string nameOf(const std::filesystem::path& file);

/// All bytes of a file. Throws a sentence when it is missing, a folder, unreadable, empty or larger than
/// `mostBytes`.
std::string bytesOf(const std::filesystem::path& file, std::uintmax_t mostBytes);

/// The first bytes, as many as there are; the same checks.
std::string firstBytesOf(const std::filesystem::path& file, std::size_t count);

}  // namespace kvasir
