#include "app/file_lock.h"

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "app/text.h"

namespace kvasir {
namespace {

constexpr std::intptr_t kNoHandle = -1;

[[noreturn]] void failToLock(const std::filesystem::path& file) {
  throw std::runtime_error("The lock file " + utf8Of(file) +
                           " cannot be made; check the permissions and the space of the library's folder.");
}

}  // namespace

FileLock::FileLock(std::filesystem::path file, std::intptr_t handle)
    : file_(std::move(file)), handle_(handle) {}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::move(other.file_)), handle_(std::exchange(other.handle_, kNoHandle)) {}

#ifdef _WIN32

std::optional<FileLock> FileLock::tryLock(const std::filesystem::path& file) {
  // Shared with nobody, so a second opening fails, and gone when the last handle closes.
  const HANDLE handle = CreateFileW(file.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS,
                                    FILE_ATTRIBUTE_NORMAL | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
  if (handle != INVALID_HANDLE_VALUE) return FileLock(file, reinterpret_cast<std::intptr_t>(handle));
  const DWORD error = GetLastError();
  if (error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED) return std::nullopt;
  failToLock(file);
}

FileLock::~FileLock() {
  if (handle_ != kNoHandle) CloseHandle(reinterpret_cast<HANDLE>(handle_));
}

#else

std::optional<FileLock> FileLock::tryLock(const std::filesystem::path& file) {
  while (true) {
    const int handle = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (handle < 0) failToLock(file);
    FileLock lock(file, handle);
    if (flock(handle, LOCK_EX | LOCK_NB) != 0) {
      lock.file_.clear();  // it belongs to another holder: not ours to delete
      if (errno == EWOULDBLOCK) return std::nullopt;
      failToLock(file);
    }
    // A holder deletes the file before it lets go, so the one just locked may no longer be the one others see.
    struct stat held {
    }, seen{};
    if (fstat(handle, &held) == 0 && stat(file.c_str(), &seen) == 0 && held.st_ino == seen.st_ino) return lock;
    lock.file_.clear();
  }
}

FileLock::~FileLock() {
  if (handle_ == kNoHandle) return;
  if (!file_.empty()) unlink(file_.c_str());
  close(static_cast<int>(handle_));
}

#endif

}  // namespace kvasir
