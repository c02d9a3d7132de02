#include "importers/zip_archive.h"

#include <zip.h>

#include <stdexcept>

namespace kvasir {
namespace {

constexpr std::size_t kMostEntryBytes = std::size_t{64} << 20;
constexpr std::size_t kMostBytes = std::size_t{512} << 20;
constexpr zip_int64_t kMostEntries = 50'000;
constexpr std::size_t kStep = 1 << 16;

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

struct ZipArchive::Handle {
  zip_t* zip = nullptr;
  ~Handle() {
    if (zip != nullptr) zip_discard(zip);
  }
};

ZipArchive::ZipArchive(const std::string& bytes, std::string name)
    : handle_(std::make_unique<Handle>()), name_(std::move(name)) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source != nullptr) {
    handle_->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (handle_->zip == nullptr) zip_source_free(source);
  }
  zip_error_fini(&error);
  if (handle_->zip == nullptr) {
    throw std::runtime_error(name_ + " is damaged and cannot be unpacked: get it again");
  }
  if (zip_get_num_entries(handle_->zip, 0) > kMostEntries) {
    throw std::runtime_error(name_ + " packs too many files to be a book: it is not read");
  }
}

ZipArchive::~ZipArchive() = default;

std::optional<std::string> ZipArchive::read(const std::string& entry) {
  const zip_int64_t place = zip_name_locate(handle_->zip, entry.c_str(), 0);
  if (place < 0) return std::nullopt;
  const auto fail = [&] {
    throw std::runtime_error(name_ + " is damaged: " + entry + " in it cannot be unpacked; get it again");
  };
  const std::unique_ptr<zip_file_t, CloseEntry> file{
      zip_fopen_index(handle_->zip, static_cast<zip_uint64_t>(place), 0)};
  if (file == nullptr) fail();
  std::string bytes;
  for (;;) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kStep);
    const zip_int64_t count = zip_fread(file.get(), bytes.data() + before, kStep);
    if (count < 0) fail();
    bytes.resize(before + static_cast<std::size_t>(count));
    unpacked_ += static_cast<std::size_t>(count);
    if (bytes.size() > kMostEntryBytes || unpacked_ > kMostBytes) {
      throw std::runtime_error(name_ + " unpacks to more than a book can hold: it is not read");
    }
    if (count == 0) return bytes;
  }
}

}  // namespace kvasir
