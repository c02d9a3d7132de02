#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace kvasir {

/// A library opened at run time. It stays open until the program ends: what it started, threads among it, may
/// outlive every use of ours.
class SharedLibrary {
 public:
  /// A path, or a bare name that the system looks up. Nothing when it does not open; `failure` then gets what
  /// the system said, which may be empty.
  static std::optional<SharedLibrary> open(const std::filesystem::path& file, std::string& failure);

  /// Null when the library has no such symbol.
  void* find(const char* symbol) const;

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* handle_;
};

/// What the system calls the library of that name: "libNAME.so" on Linux.
std::string libraryFileName(const std::string& name);

}  // namespace kvasir
