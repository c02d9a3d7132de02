#include "app/places.h"

#include <cstdlib>
#include <stdexcept>

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>
#elif defined(__APPLE__)
#include <mach-o/dyld.h>

#include <array>
#endif

#include "app/text.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// An empty variable counts as none.
std::optional<fs::path> variable(const char* name) {
#ifdef _WIN32
  const std::wstring wide(name, name + std::char_traits<char>::length(name));
  const wchar_t* value = _wgetenv(wide.c_str());
#else
  const char* value = std::getenv(name);
#endif
  if (!value || !*value) return std::nullopt;
  return fs::path(value);
}

fs::path homeFolder() { return variable("HOME").value_or("."); }

fs::path cacheFolder() {
  if (auto own = variable("KVASIR_CACHE")) return *own;
#ifdef _WIN32
  return variable("LOCALAPPDATA").value_or(".") / "Kvasir" / "cache";
#elif defined(__APPLE__)
  return homeFolder() / "Library" / "Caches" / "Kvasir";
#else
  return variable("XDG_CACHE_HOME").value_or(homeFolder() / ".cache") / "kvasir";
#endif
}

}  // namespace

fs::path programFolder() {
#ifdef _WIN32
  std::wstring name(32768, L'\0');
  name.resize(GetModuleFileNameW(nullptr, name.data(), static_cast<DWORD>(name.size())));
  return fs::path(name).parent_path();
#elif defined(__APPLE__)
  std::array<char, 4096> name{};
  auto size = static_cast<std::uint32_t>(name.size());
  if (_NSGetExecutablePath(name.data(), &size) != 0) return ".";
  return fs::path(name.data()).parent_path();
#else
  std::error_code error;
  const fs::path name = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : name.parent_path();
#endif
}

std::vector<fs::path> installedFolders(const fs::path& program) {
  std::vector<fs::path> folders{program};
#ifdef __APPLE__
  folders.push_back((program / ".." / "Resources").lexically_normal());
#endif
  folders.push_back((program / ".." / "share" / "kvasir").lexically_normal());
  return folders;
}

fs::path defaultLibraryFolder() {
#ifdef _WIN32
  return variable("LOCALAPPDATA").value_or(".") / "Kvasir" / "library";
#elif defined(__APPLE__)
  return homeFolder() / "Library" / "Application Support" / "Kvasir" / "library";
#else
  return variable("XDG_DATA_HOME").value_or(homeFolder() / ".local" / "share") / "kvasir" / "library";
#endif
}

std::vector<fs::path> modelFolders(const fs::path& program) {
  std::vector<fs::path> folders{cacheFolder() / "models"};
  for (const fs::path& folder : installedFolders(program)) folders.push_back(folder / "models");
  return folders;
}

std::vector<fs::path> retrieverFolders(const fs::path& program) {
  std::vector<fs::path> folders;
  if (const auto own = variable("KVASIR_RETRIEVERS")) folders.push_back(*own);
  folders.push_back(defaultLibraryFolder().parent_path() / "retrievers");
  for (const fs::path& folder : installedFolders(program)) folders.push_back(folder / "retrievers");
  folders.emplace_back(KVASIR_SOURCE_RETRIEVERS);
  return folders;
}

std::vector<fs::path> backendFolders(const fs::path& program) {
  return {program, (program / ".." / "lib" / "kvasir").lexically_normal()};
}

std::optional<fs::path> encodingTables(const fs::path& program) {
  std::error_code error;
  for (const fs::path& folder : installedFolders(program)) {
    if (fs::is_directory(folder / "poppler", error)) return folder / "poppler";
  }
  return std::nullopt;
}

fs::path findModel(const fs::path& given, const std::vector<fs::path>& folders) {
  std::error_code error;
  if (!given.empty()) {
    if (fs::exists(given, error)) return given;
    throw std::runtime_error("There is no model file " + utf8Of(given) +
                             "; choose another in the settings, or check what --model names.");
  }
  if (const auto named = variable("KVASIR_MODEL")) {
    if (fs::exists(*named, error)) return *named;
    throw std::runtime_error("There is no model file " + utf8Of(*named) + "; check the variable KVASIR_MODEL.");
  }
  std::string searched;
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / kDefaultModel, error)) return folder / kDefaultModel;
    searched += (searched.empty() ? "" : ", ") + utf8Of(folder);
  }
  throw std::runtime_error(std::string("The default model ") + kDefaultModel + " was not found in " + searched +
                           "; choose a GGUF file in the settings, or name one with --model; in the sources, "
                           "`./dev setup` fetches the default one.");
}

}  // namespace kvasir
