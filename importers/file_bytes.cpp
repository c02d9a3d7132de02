#include "importers/file_bytes.h"

#include <fstream>
#include <stdexcept>

namespace kvasir {
namespace {

std::uintmax_t checkedSize(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    throw std::runtime_error(nameOf(file) + " does not exist: check its name and folder");
  }
  if (std::filesystem::is_directory(status)) {
    throw std::runtime_error(nameOf(file) + " is a folder: choose a file in it");
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw std::runtime_error(nameOf(file) + " is not an ordinary file: save the document to a file first");
  }
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw std::runtime_error(nameOf(file) + " cannot be read: check that you may open it");
  if (size == 0) throw std::runtime_error(nameOf(file) + " is empty: there is nothing to read");
  return size;
}

std::string read(const std::filesystem::path& file, std::uintmax_t size) {
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (stream) stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!stream && !stream.eof()) {
    throw std::runtime_error(nameOf(file) + " cannot be read: check that you may open it");
  }
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  return bytes;
}

}  // namespace

std::string nameOf(const std::filesystem::path& file) {
  const std::u8string name = (file.has_filename() ? file.filename() : file).u8string();
  return {name.begin(), name.end()};
}

std::string bytesOf(const std::filesystem::path& file, std::uintmax_t mostBytes) {
  const std::uintmax_t size = checkedSize(file);
  if (size > mostBytes) {
    throw std::runtime_error(nameOf(file) + " is larger than " + std::to_string(mostBytes >> 20) +
                             " MB: divide it into smaller files");
  }
  return read(file, size);
}

std::string firstBytesOf(const std::filesystem::path& file, std::size_t count) {
  return read(file, std::min<std::uintmax_t>(checkedSize(file), count));
}

}  // namespace kvasir
