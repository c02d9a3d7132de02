#include "app/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "app/memory.h"
#include "tests/app/scratch.h"

namespace kvasir {
namespace {

using testing::HasSubstr;

#ifndef _WIN32
/// Sets a variable for one test; null takes it away.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Variable() { before_.empty() ? unsetenv(name_) : setenv(name_, before_.c_str(), 1); }

 private:
  const char* name_;
  std::string before_;
};

TEST(Places, FindTheModelByOptionThenVariableThenFolder) {
  const Scratch scratch;
  const auto given = scratch.write("given.gguf", ""), named = scratch.write("named.gguf", "");
  const auto usual = scratch.write("SmolLM2-135M-Instruct.Q4_1.gguf", "");
  const Variable none("KVASIR_MODEL", nullptr);
  EXPECT_EQ(findModel({}, {scratch.folder() / "missing", scratch.folder()}), usual);
  const Variable variable("KVASIR_MODEL", named.c_str());
  EXPECT_EQ(findModel({}, {scratch.folder()}), named);
  EXPECT_EQ(findModel(given, {scratch.folder()}), given);
}

TEST(Places, SayWhereTheModelWasSought) {
  const Scratch scratch;
  const Variable none("KVASIR_MODEL", nullptr);
  EXPECT_THAT(sentenceOf([&] {
                findModel({}, {"/one", "/two"});
              }),
              testing::AllOf(HasSubstr("/one, /two"), HasSubstr("./dev setup"), HasSubstr("--model"),
                             HasSubstr("the settings")));
  EXPECT_THAT(sentenceOf([&] { findModel("/no/such.gguf", {}); }),
              testing::AllOf(HasSubstr("/no/such.gguf"), HasSubstr("--model"), HasSubstr("the settings")));
  const Variable variable("KVASIR_MODEL", "/no/model.gguf");
  EXPECT_THAT(sentenceOf([&] { findModel({}, {}); }), HasSubstr("KVASIR_MODEL"));
}

TEST(Places, SearchTheCacheFirst) {
  const Variable cache("KVASIR_CACHE", "/cache");
  EXPECT_EQ(modelFolders().front(), "/cache/models");
}

TEST(Places, FindWhatTheProgramWasInstalledWithWhereverItLies) {
  const Scratch scratch;
  const Variable none("KVASIR_MODEL", nullptr), cache("KVASIR_CACHE", "/no/cache");
  const auto prefix = scratch.folder() / "moved here";
  std::filesystem::create_directories(prefix / "bin");
  std::filesystem::create_directories(prefix / "share/kvasir/models");
  const auto model = scratch.write("moved here/share/kvasir/models/SmolLM2-135M-Instruct.Q4_1.gguf", "");
  EXPECT_EQ(findModel({}, modelFolders(prefix / "bin")), model);
  EXPECT_THAT(installedFolders(prefix / "bin"), testing::Contains(prefix / "share/kvasir"));
}

TEST(Places, HaveEncodingTablesOnlyWhereTheProgramWasInstalledWithThem) {
  const Scratch scratch;
  EXPECT_FALSE(encodingTables(scratch.folder() / "bin"));
  std::filesystem::create_directories(scratch.folder() / "share/kvasir/poppler");
  EXPECT_EQ(encodingTables(scratch.folder() / "bin"), scratch.folder() / "share/kvasir/poppler");
}

TEST(Places, SearchBesideTheProgramBeforeItsPrefix) {
  const auto folders = installedFolders("/opt/kvasir/bin");
  EXPECT_EQ(folders.front(), "/opt/kvasir/bin");
  EXPECT_EQ(folders.back(), "/opt/kvasir/share/kvasir");
}

TEST(Places, SearchOwnRetrieversThenInstalledThenTheSources) {
  const Variable own("KVASIR_RETRIEVERS", "/own"), data("XDG_DATA_HOME", "/data");
  const auto folders = retrieverFolders("/opt/bin");
  ASSERT_EQ(folders.size(), installedFolders("/opt/bin").size() + 3);
  EXPECT_EQ(folders[0], "/own");
  EXPECT_EQ(folders[1], "/data/kvasir/retrievers");
  EXPECT_EQ(folders[folders.size() - 2], "/opt/share/kvasir/retrievers");
  EXPECT_EQ(folders.back(), std::filesystem::path(KVASIR_SOURCE) / "resources" / "retrievers");
}

TEST(Places, SearchKernelLibrariesBesideTheProgramThenInThePrefix) {
  EXPECT_THAT(backendFolders("/opt/kvasir/bin"),
              testing::ElementsAre("/opt/kvasir/bin", "/opt/kvasir/lib/kvasir"));
}

#ifndef __APPLE__
TEST(Places, FollowTheDesktopStandard) {
  const Variable data("XDG_DATA_HOME", "/data");
  EXPECT_EQ(defaultLibraryFolder(), "/data/kvasir/library");
  const Variable noData("XDG_DATA_HOME", nullptr), home("HOME", "/home/reader");
  EXPECT_EQ(defaultLibraryFolder(), "/home/reader/.local/share/kvasir/library");
}
#endif
#endif

TEST(Memory, PeakIsAtLeastWhatWasUsed) {
  const std::vector<char> used(50'000'000, 'x');
  EXPECT_GT(peakMemoryBytes(), used.size());
}

}  // namespace
}  // namespace kvasir
