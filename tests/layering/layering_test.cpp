#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

constexpr int kLongestFile = 600;

struct Include {
  std::string path;
  bool quoted = false;
};

struct SourceFile {
  std::string path;  // from the root: "engine/model/gguf.h"
  int lines = 0;
  std::vector<Include> includes;

  std::string folder() const { return path.substr(0, path.find('/')); }
};

SourceFile readSource(const fs::path& root, const fs::path& file) {
  static const std::regex directive(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  SourceFile source{fs::relative(file, root).generic_string(), 0, {}};
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    ++source.lines;
    std::smatch match;
    if (std::regex_search(line, match, directive)) source.includes.push_back({match[2], match[1] == "\""});
  }
  return source;
}

bool isSource(const fs::path& file) {
  const std::string suffix = file.extension().string();
  return suffix == ".h" || suffix == ".cpp" || suffix == ".cu";
}

using Sources = std::map<std::string, SourceFile>;

Sources readFolders(const std::vector<std::string>& folders) {
  const fs::path root = KVASIR_SOURCE;
  Sources sources;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || !isSource(entry.path())) continue;
      SourceFile source = readSource(root, entry.path());
      sources.emplace(source.path, std::move(source));
    }
  }
  return sources;
}

// Which folders a folder's files may include, itself among them.
const std::map<std::string, std::set<std::string>>& allowedFolders() {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"app", {"app", "ui", "engine", "importers"}},
      {"ui", {"ui", "engine", "importers"}},
      {"engine", {"engine", "kernels"}},
      {"kernels", {"kernels"}},
      {"importers", {"importers"}},
  };
  return allowed;
}

const Sources& program() {
  static const Sources sources = readFolders({"app", "ui", "engine", "kernels", "importers"});
  return sources;
}

bool isTorch(const Include& include) {
  static const std::regex torch("^(torch|ATen|c10|caffe2)/");
  return std::regex_search(include.path, torch) || include.path == "engine/torch.h";
}

bool isQt(const Include& include) {
  static const std::regex qt("^Q([A-Z]|t[A-Z0-9])");
  return !include.quoted && std::regex_search(include.path, qt);
}

template <typename Wrong>
std::vector<std::string> findIncludes(const Sources& sources, Wrong isWrong) {
  std::vector<std::string> found;
  for (const auto& [path, source] : sources) {
    for (const Include& include : source.includes) {
      if (isWrong(source, include)) found.push_back(path + " includes " + include.path);
    }
  }
  return found;
}

TEST(Layering, FindsTheFolders) {
  std::set<std::string> folders;
  for (const auto& [path, source] : program()) folders.insert(source.folder());
  EXPECT_THAT(folders, testing::IsSupersetOf({"app", "ui", "engine", "kernels", "importers"}));
}

TEST(Layering, NothingPointsBack) {
  EXPECT_THAT(findIncludes(program(),
                           [](const SourceFile& source, const Include& include) {
                             if (!include.quoted) return false;
                             const std::string target = include.path.substr(0, include.path.find('/'));
                             return !allowedFolders().at(source.folder()).contains(target);
                           }),
              IsEmpty());
}

TEST(Layering, IncludesNameThePathFromTheRoot) {
  const Sources sources = [] {
    Sources all = program();
    all.merge(readFolders({"tests"}));
    return all;
  }();
  EXPECT_THAT(findIncludes(sources,
                           [](const SourceFile&, const Include& include) {
                             // Qt's generator makes the .moc files in the build folder.
                             return include.quoted && !include.path.ends_with(".moc") &&
                                    !fs::exists(fs::path(KVASIR_SOURCE) / include.path);
                           }),
              IsEmpty());
}

TEST(Layering, OnlyTheEngineKnowsTorch) {
  EXPECT_THAT(findIncludes(program(),
                           [](const SourceFile& source, const Include& include) {
                             return source.folder() != "engine" && isTorch(include);
                           }),
              IsEmpty());
}

TEST(Layering, TorchComesThroughOneHeader) {
  EXPECT_THAT(findIncludes(program(),
                           [](const SourceFile& source, const Include& include) {
                             return source.path != "engine/torch.h" && include.path != "engine/torch.h" &&
                                    isTorch(include);
                           }),
              IsEmpty());
}

TEST(Layering, OnlyTheWindowKnowsQt) {
  EXPECT_THAT(findIncludes(program(),
                           [](const SourceFile& source, const Include& include) {
                             return source.folder() != "app" && source.folder() != "ui" && isQt(include);
                           }),
              IsEmpty());
}

// What app and ui see of the engine, directly or through other headers of ours.
TEST(Layering, TheEnginesPublicHeadersHoldNoTorch) {
  std::vector<std::string> open;
  for (const auto& [path, source] : program()) {
    if (source.folder() == "app" || source.folder() == "ui") open.push_back(path);
  }
  std::set<std::string> seen(open.begin(), open.end());
  std::vector<std::string> found;
  while (!open.empty()) {
    const std::string path = open.back();
    open.pop_back();
    const auto source = program().find(path);
    if (source == program().end()) continue;
    for (const Include& include : source->second.includes) {
      if (isTorch(include)) found.push_back(path + " includes " + include.path);
      if (include.quoted && seen.insert(include.path).second) open.push_back(include.path);
    }
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST(Layering, NoFileIsLong) {
  std::vector<std::string> found;
  for (const auto& [path, source] : program()) {
    if (source.lines >= kLongestFile) found.push_back(path + " has " + std::to_string(source.lines) + " lines");
  }
  EXPECT_THAT(found, IsEmpty());
}

}  // namespace
}  // namespace kvasir
