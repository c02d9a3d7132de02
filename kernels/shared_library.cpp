#include "kernels/shared_library.h"

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>

#include <system_error>
#else
#include <dlfcn.h>
#endif

namespace kvasir {

#ifdef _WIN32

std::optional<SharedLibrary> SharedLibrary::open(const std::filesystem::path& file, std::string& failure) {
  if (void* handle = LoadLibraryW(file.c_str())) return SharedLibrary(handle);
  failure = std::system_category().message(static_cast<int>(GetLastError()));
  return std::nullopt;
}

void* SharedLibrary::find(const char* symbol) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), symbol));
}

std::string libraryFileName(const std::string& name) { return name + ".dll"; }

#else

std::optional<SharedLibrary> SharedLibrary::open(const std::filesystem::path& file, std::string& failure) {
  if (void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return SharedLibrary(handle);
  const char* said = dlerror();
  failure = said ? said : "";
  return std::nullopt;
}

void* SharedLibrary::find(const char* symbol) const { return dlsym(handle_, symbol); }

std::string libraryFileName(const std::string& name) {
#ifdef __APPLE__
  return "lib" + name + ".dylib";
#else
  return "lib" + name + ".so";
#endif
}

#endif

}  // namespace kvasir
