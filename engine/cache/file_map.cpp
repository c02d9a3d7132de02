#include "engine/cache/file_map.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace kvasir {

#ifdef _WIN32

struct FileMap::Handle {
  struct Piece {
    void* address;
    HANDLE mapping;
    std::size_t bytes;
  };
  HANDLE file = INVALID_HANDLE_VALUE;
  std::string name;
  bool writes = false;
  std::vector<Piece> pieces;
};

namespace {
[[noreturn]] void fail(const std::string& name, const char* what) {
  throw std::runtime_error(name + " could not be " + what + " (Windows error " +
                           std::to_string(GetLastError()) + ").");
}
OVERLAPPED at(std::uint64_t offset) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}
}  // namespace

FileMap::FileMap(const std::filesystem::path& path, Access access) : handle_(std::make_unique<Handle>()) {
  handle_->name = path.filename().string();
  handle_->writes = access == Access::Write;
  handle_->file = CreateFileW(path.c_str(), handle_->writes ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ,
                              FILE_SHARE_READ | (handle_->writes ? 0 : FILE_SHARE_WRITE), nullptr,
                              handle_->writes ? OPEN_ALWAYS : OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle_->file != INVALID_HANDLE_VALUE) return;
  if (GetLastError() == ERROR_SHARING_VIOLATION)
    throw std::runtime_error(
        "Another Kvasir is reading this document now; wait for it, or stop it, and try again.");
  fail(handle_->name, "opened");
}

FileMap::~FileMap() {
  for (const Handle::Piece& piece : handle_->pieces) {
    UnmapViewOfFile(piece.address);
    CloseHandle(piece.mapping);
  }
  if (handle_->file != INVALID_HANDLE_VALUE) CloseHandle(handle_->file);
}

std::uint64_t FileMap::size() const {
  LARGE_INTEGER size{};
  if (!GetFileSizeEx(handle_->file, &size)) fail(handle_->name, "measured");
  return static_cast<std::uint64_t>(size.QuadPart);
}

void FileMap::resize(std::uint64_t bytes) {
  LARGE_INTEGER place{};
  place.QuadPart = static_cast<LONGLONG>(bytes);
  if (!SetFilePointerEx(handle_->file, place, nullptr, FILE_BEGIN) || !SetEndOfFile(handle_->file))
    fail(handle_->name, "made larger");
}

void FileMap::read(std::uint64_t offset, void* to, std::size_t bytes) const {
  OVERLAPPED place = at(offset);
  DWORD done = 0;
  if (!ReadFile(handle_->file, to, static_cast<DWORD>(bytes), &done, &place) || done != bytes)
    fail(handle_->name, "read");
}

void FileMap::write(std::uint64_t offset, const void* from, std::size_t bytes) {
  OVERLAPPED place = at(offset);
  DWORD done = 0;
  if (!WriteFile(handle_->file, from, static_cast<DWORD>(bytes), &done, &place) || done != bytes)
    fail(handle_->name, "written");
}

std::byte* FileMap::map(std::uint64_t offset, std::size_t bytes) {
  const HANDLE mapping = CreateFileMappingW(handle_->file, nullptr,
                                            handle_->writes ? PAGE_READWRITE : PAGE_READONLY, 0, 0, nullptr);
  if (!mapping) fail(handle_->name, "mapped");
  void* address = MapViewOfFile(mapping, handle_->writes ? FILE_MAP_WRITE : FILE_MAP_READ,
                                static_cast<DWORD>(offset >> 32), static_cast<DWORD>(offset), bytes);
  if (!address) {
    CloseHandle(mapping);
    fail(handle_->name, "mapped");
  }
  handle_->pieces.push_back({address, mapping, bytes});
  return static_cast<std::byte*>(address);
}

void FileMap::release() {
  // Unlocking pages that are not locked takes them out of the working set.
  for (const Handle::Piece& piece : handle_->pieces) VirtualUnlock(piece.address, piece.bytes);
}

void FileMap::flush() {
  for (const Handle::Piece& piece : handle_->pieces) FlushViewOfFile(piece.address, 0);
  FlushFileBuffers(handle_->file);
}

#else

struct FileMap::Handle {
  struct Piece {
    void* address;
    std::size_t bytes;
  };
  int file = -1;
  std::string name;
  bool writes = false;
  std::vector<Piece> pieces;
};

namespace {
[[noreturn]] void fail(const std::string& name, const char* what) {
  throw std::runtime_error(name + " could not be " + what + ": " + std::strerror(errno) + ".");
}

/// Reserves the space, so that a full disk is an error here and not a crash when a mapped page is written.
int reserve(int file, std::uint64_t from, std::uint64_t to) {
#ifdef __APPLE__
  const std::string zeros(1 << 20, '\0');
  for (std::uint64_t place = from; place < to; place += zeros.size()) {
    const std::size_t bytes = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), to - place));
    if (pwrite(file, zeros.data(), bytes, static_cast<off_t>(place)) != static_cast<ssize_t>(bytes))
      return errno;
  }
  return 0;
#else
  return posix_fallocate(file, static_cast<off_t>(from), static_cast<off_t>(to - from));
#endif
}
}  // namespace

FileMap::FileMap(const std::filesystem::path& path, Access access) : handle_(std::make_unique<Handle>()) {
  handle_->name = path.filename().string();
  handle_->writes = access == Access::Write;
  handle_->file = ::open(path.c_str(), (handle_->writes ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0644);
  if (handle_->file < 0) fail(handle_->name, "opened");
  if (handle_->writes && flock(handle_->file, LOCK_EX | LOCK_NB) != 0) {
    ::close(handle_->file);
    throw std::runtime_error(
        "Another Kvasir is reading this document now; wait for it, or stop it, and try again.");
  }
}

FileMap::~FileMap() {
  for (const Handle::Piece& piece : handle_->pieces) munmap(piece.address, piece.bytes);
  if (handle_->file >= 0) ::close(handle_->file);
}

std::uint64_t FileMap::size() const {
  struct stat status {};
  if (fstat(handle_->file, &status) != 0) fail(handle_->name, "measured");
  return static_cast<std::uint64_t>(status.st_size);
}

void FileMap::resize(std::uint64_t bytes) {
  const std::uint64_t now = size();
  if (bytes < now && ftruncate(handle_->file, static_cast<off_t>(bytes)) != 0)
    fail(handle_->name, "made smaller");
  if (bytes <= now) return;
  const int error = reserve(handle_->file, now, bytes);
  if (error == ENOSPC)
    throw std::runtime_error("The disk is full: reading on needs " + std::to_string((bytes - now) >> 20) +
                             " MB more in the library's folder.");
  errno = error;
  if (error != 0) fail(handle_->name, "made larger");
}

void FileMap::read(std::uint64_t offset, void* to, std::size_t bytes) const {
  if (pread(handle_->file, to, bytes, static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes))
    fail(handle_->name, "read");
}

void FileMap::write(std::uint64_t offset, const void* from, std::size_t bytes) {
  if (pwrite(handle_->file, from, bytes, static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes))
    fail(handle_->name, "written");
}

std::byte* FileMap::map(std::uint64_t offset, std::size_t bytes) {
  void* address = mmap(nullptr, bytes, handle_->writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                       handle_->file, static_cast<off_t>(offset));
  if (address == MAP_FAILED) fail(handle_->name, "mapped");
  handle_->pieces.push_back({address, bytes});
  return static_cast<std::byte*>(address);
}

void FileMap::release() {
  for (const Handle::Piece& piece : handle_->pieces) madvise(piece.address, piece.bytes, MADV_DONTNEED);
}

void FileMap::flush() {
  if (fsync(handle_->file) != 0) fail(handle_->name, "written to the disk");
}

#endif

}  // namespace kvasir
