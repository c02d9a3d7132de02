#include "engine/model/mapped_file.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#endif

namespace kvasir {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw std::runtime_error(path.string() + " cannot be opened: " + std::system_category().message(error));
}

#ifdef _WIN32

struct Handle {
  HANDLE value;
  ~Handle() {
    if (value != nullptr && value != INVALID_HANDLE_VALUE) CloseHandle(value);
  }
};

std::span<const std::byte> map(const std::filesystem::path& path) {
  Handle file{CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                          OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)};
  if (file.value == INVALID_HANDLE_VALUE) fail(path, static_cast<int>(GetLastError()));
  LARGE_INTEGER size{};
  if (!GetFileSizeEx(file.value, &size)) fail(path, static_cast<int>(GetLastError()));
  if (size.QuadPart == 0) return {};
  Handle mapping{CreateFileMappingW(file.value, nullptr, PAGE_READONLY, 0, 0, nullptr)};
  if (mapping.value == nullptr) fail(path, static_cast<int>(GetLastError()));
  const void* data = MapViewOfFile(mapping.value, FILE_MAP_READ, 0, 0, 0);
  if (data == nullptr) fail(path, static_cast<int>(GetLastError()));
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size.QuadPart)};
}

void unmap(const std::byte* data, std::size_t) { UnmapViewOfFile(data); }

std::size_t pageSize() {
  SYSTEM_INFO info{};
  GetSystemInfo(&info);
  return info.dwPageSize;
}

// Unlocking pages that were never locked takes them out of the working set, which is what we want.
void drop(const std::byte* data, std::size_t size) { VirtualUnlock(const_cast<std::byte*>(data), size); }

#else

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

std::span<const std::byte> map(const std::filesystem::path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) fail(path, errno);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) fail(path, errno);
  if (!S_ISREG(status.st_mode)) throw std::runtime_error(path.string() + " is not a file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return {};
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.value, 0);
  if (data == MAP_FAILED) fail(path, errno);
  return {static_cast<const std::byte*>(data), size};
}

void unmap(const std::byte* data, std::size_t size) { ::munmap(const_cast<std::byte*>(data), size); }

std::size_t pageSize() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

void drop(const std::byte* data, std::size_t size) {
  ::madvise(const_cast<std::byte*>(data), size, MADV_DONTNEED);
}

#endif

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto bytes = map(path);
  data_ = bytes.data();
  size_ = bytes.size();
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  close();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

MappedFile::~MappedFile() { close(); }

void MappedFile::close() noexcept {
  if (data_ != nullptr) unmap(data_, size_);
}

void MappedFile::release(std::size_t offset, std::size_t length) const {
  if (data_ == nullptr || offset >= size_) return;
  const std::size_t page = pageSize();
  const std::size_t end = offset + std::min(length, size_ - offset);
  const std::size_t first = (offset + page - 1) / page * page;
  const std::size_t last = end == size_ ? end : end / page * page;
  if (first < last) drop(data_ + first, last - first);
}

}  // namespace kvasir
