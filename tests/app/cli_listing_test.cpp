#include "tests/app/cli_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "app/cli/devices.h"
#include "kernels/shared_library.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST_F(CliTest, ListsWhatThereIsToComputeOn) {
  const Json devices = json({"devices"});
  EXPECT_NE(devices["processor"]["name"], "");
  EXPECT_NE(devices["processor"]["instructions"], "");
  EXPECT_GT(devices["processor"]["threads"], 0);
  EXPECT_TRUE(devices["cuda"]["devices"].is_array());
  EXPECT_EQ(devices["cuda"]["driver"].is_null() && devices["cuda"]["reason"].is_null(), false);
  EXPECT_FALSE(devices.contains("checks"));
  EXPECT_EQ(run({"devices"}), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("Processor"), HasSubstr("CUDA")));
}

TEST_F(CliTest, ChecksTheKernelsOfEveryInstructionSet) {
  const Json checks = json({"devices", "--check"})["checks"];
  ASSERT_FALSE(checks.empty());
  EXPECT_EQ(checks[0]["device"], json({"devices"})["processor"]["instructions"]);
  for (const Json& check : checks) {
    EXPECT_GT(check["kernels"].size(), 10u);
    for (const Json& kernel : check["kernels"]) {
      EXPECT_EQ(kernel["right"], true) << kernel;
      EXPECT_LE(kernel["difference"], kernel["tolerance"]) << kernel;
      EXPECT_GE(kernel["milliseconds"], 0) << kernel;
    }
  }
}

/// A stand-in for the library of CUDA kernels (tests/kernels/fake_backend.cpp), which serves as the driver too.
CudaPlaces fakeCuda(const std::string& kind) {
  const fs::path folder = fs::path(FAKE_BACKENDS) / kind;
  return {{folder}, fs::directory_iterator(folder)->path()};
}

/// How often the stand-in was found, in all of this program.
int searchesOf(const CudaPlaces& places) {
  std::string failure;
  const auto library = SharedLibrary::open(places.driver, failure);
  const auto count = library ? reinterpret_cast<int (*)()>(library->find("kvasirFakeSearches")) : nullptr;
  EXPECT_NE(count, nullptr) << failure;
  return count ? count() : 0;
}

TEST_F(CliTest, LooksForDevicesOnceToListAndCheckThem) {
  const CudaPlaces places = fakeCuda("old_device");
  const int before = searchesOf(places);
  Arguments arguments;
  arguments.checksKernels = true;
  Console console(out, err, ProgressStyle::Silent);
  showDevices(places, arguments, console);
  EXPECT_EQ(searchesOf(places), before + 1);
}

TEST_F(CliTest, NamesTheKernelsOfADeviceThatDiffer) {
  Arguments arguments;
  arguments.checksKernels = true;
  Console console(out, err, ProgressStyle::Silent);
  try {
    showDevices(fakeCuda("wrong_kernel"), arguments, console);
    FAIL() << "the wrong kernels were not found";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "These kernels differ from the reference: gateRows, bf16 on Fake device; rotateRows, float on "
                 "Fake device; attendToken, float on Fake device.");
  }
  EXPECT_THAT(out.str(), AllOf(HasSubstr("Fake device\n    1.1 GB, compute capability 7.5"),
                               HasSubstr("DIFFERS"), HasSubstr("out of registers")));
}

TEST_F(CliTest, SaysWhyADeviceIsNotChecked) {
  Arguments arguments;
  arguments.checksKernels = true;
  arguments.isJson = true;
  Console console(out, err, ProgressStyle::Silent);
  showDevices(fakeCuda("old_device"), arguments, console);
  const Json result = Json::parse(out.str());
  EXPECT_THAT(result["cuda"]["devices"][0]["reason"].get<std::string>(), HasSubstr("too old"));
  for (const Json& check : result["checks"]) EXPECT_EQ(check["cuda"], false);
}

TEST_F(CliTest, ListsMethodsAndModels) {
  EXPECT_EQ(json({"methods"}).at(0)["name"], "full");
  EXPECT_EQ(json({"methods"}).at(0)["numbers"], Json::array());
  const Json models = json({"models"});
  const auto own =
      std::find_if(models.begin(), models.end(), [&](const Json& row) { return row["file"] == model; });
  ASSERT_NE(own, models.end());
  EXPECT_TRUE(own->contains("error"));  // an empty file is no model
}

TEST_F(CliTest, TellsTheNumbersOfAMethodAndTakesThem) {
  const Json rows = json({"methods", "streaming"});
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0]["numbers"][0]["name"], "sinks");
  EXPECT_EQ(rows[0]["numbers"][0]["usual"], 4);
  EXPECT_EQ(run({"methods", "streaming"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("sinks=4"));
  EXPECT_EQ(json({"ask", book, "What did the lamp burn?", "--method", "streaming:sinks=8"})["method"],
            "streaming:sinks=8");
  EXPECT_EQ(run({"ask", book, "What?", "--method", "streaming:sinks=65"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("sinks has to be a whole number from 0 to 64"));
  EXPECT_EQ(run({"methods", "streaming:sinks=65"}), 2);
  EXPECT_EQ(run({"methods", "nothing"}), 2);
}

}  // namespace
}  // namespace kvasir
