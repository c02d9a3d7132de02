#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/check.h"
#include "kernels/cuda_backend.h"
#include "kernels/host_backend.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A stand-in for the library (fake_backend.cpp), beside a driver that opens: any library does.
CudaPlaces placesOf(const std::string& kind) {
  const fs::path folder = fs::path(FAKE_BACKENDS) / kind;
  for (const auto& entry : fs::directory_iterator(folder)) return {{"nowhere", folder}, entry.path()};
  return {{folder}};
}

std::vector<std::string> wrongOf(const std::vector<KernelCheck>& checks) {
  std::vector<std::string> names;
  for (const KernelCheck& check : checks)
    if (!check.isRight) names.push_back(check.kernel);
  return names;
}

TEST(FindCuda, SaysWhereThereIsNoDriver) {
  CudaPlaces places = placesOf("wrong_kernel");
  places.driver = "libno-such-driver.so.1";
  const CudaSearch search = findCuda(places);
  EXPECT_EQ(search.backend, nullptr);
  EXPECT_THAT(search.devices, IsEmpty());
  EXPECT_THAT(search.reason, AllOf(HasSubstr("no CUDA driver"), HasSubstr("libno-such-driver.so.1")));
}

TEST(FindCuda, SaysWhereNoLibraryLiesWithTheProgram) {
  CudaPlaces places = placesOf("wrong_kernel");
  places.folders = {"nowhere", "elsewhere"};
  const CudaSearch search = findCuda(places);
  EXPECT_EQ(search.backend, nullptr);
  EXPECT_THAT(search.reason, HasSubstr("came without CUDA kernels"));
}

TEST(FindCuda, SaysThatALibraryDoesNotOpen) {
  CudaPlaces places = placesOf("wrong_kernel");
  const fs::path folder = fs::path(testing::TempDir()) / "kvasir-no-library";
  fs::create_directories(folder);
  std::ofstream(folder / places.driver.filename()) << "no library";
  places.folders = {folder};
  const CudaSearch search = findCuda(places);
  fs::remove_all(folder);
  EXPECT_EQ(search.backend, nullptr);
  EXPECT_THAT(search.reason, HasSubstr("does not open"));
}

TEST(FindCuda, RefusesALibraryOfAnotherVersion) {
  const CudaSearch search = findCuda(placesOf("other_version"));
  EXPECT_EQ(search.backend, nullptr);
  EXPECT_THAT(search.reason, HasSubstr("another version of Kvasir"));
}

TEST(FindCuda, SaysThatTheDriverHasNoDevice) {
  const CudaSearch search = findCuda(placesOf("no_device"));
  EXPECT_EQ(search.backend, nullptr);
  EXPECT_EQ(search.driver, "13.2");
  EXPECT_THAT(search.reason, HasSubstr("no device: no CUDA-capable device is detected."));
}

TEST(FindCuda, ListsADeviceThatIsTooOldAndDoesNotUseIt) {
  const CudaSearch search = findCuda(placesOf("old_device"));
  EXPECT_EQ(search.backend, nullptr);
  ASSERT_EQ(search.devices.size(), 1u);
  EXPECT_THAT(search.devices[0].reason, AllOf(HasSubstr("too old"), HasSubstr("6.1"), HasSubstr("7.5")));
  EXPECT_THAT(search.reason, HasSubstr("too old"));
}

TEST(FindCuda, OpensTheFirstLibraryFoundAndListsItsDevices) {
  const CudaSearch search = findCuda(placesOf("wrong_kernel"));
  ASSERT_NE(search.backend, nullptr) << search.reason;
  ASSERT_EQ(search.devices.size(), 1u);
  EXPECT_STREQ(search.devices[0].device.name, "Fake device");
  EXPECT_EQ(search.devices[0].reason, "");
  EXPECT_EQ(search.driver, "13.2");
}

TEST(CheckKernels, ReportsTheKernelsOfABackendThatDiffer) {
  const CudaSearch search = findCuda(placesOf("wrong_kernel"));
  ASSERT_NE(search.backend, nullptr) << search.reason;
  const std::vector<KernelCheck> checks = checkKernels(*search.backend, 0);
  EXPECT_THAT(wrongOf(checks), ElementsAre("gateRows, bf16", "rotateRows, float", "attendToken, float"));
  for (const KernelCheck& check : checks) {
    if (check.kernel == "rotateRows, float") {
      EXPECT_NEAR(check.difference, 0.01, 0.001);
      EXPECT_LT(check.tolerance, 0.001);
    }
    if (check.kernel == "gateRows, bf16") {
      EXPECT_EQ(check.failure, "out of registers");
    }
    if (check.isRight) {
      EXPECT_LE(check.difference, check.tolerance) << check.kernel;
      EXPECT_GT(check.milliseconds, 0) << check.kernel;
    }
  }
}

TEST(CheckKernels, LeavesOutOfTheTableWhatWasNotRight) {
  const CudaSearch search = findCuda(placesOf("wrong_kernel"));
  ASSERT_NE(search.backend, nullptr) << search.reason;
  const KernelTable& all = search.backend->kernels;
  const KernelTable right = rightKernels(all, checkKernels(*search.backend, 0));
  EXPECT_EQ(right.rotateRows.floats, nullptr);
  EXPECT_EQ(right.gateRows.bfloats, nullptr);
  EXPECT_EQ(right.attendToken.floats, nullptr);
  EXPECT_EQ(right.rotateRows.bfloats, all.rotateRows.bfloats);
  EXPECT_EQ(right.multiplyExactly, all.multiplyExactly);
  EXPECT_EQ(right.scoreChunks, all.scoreChunks);
  EXPECT_EQ(right.attendRows.bfloats, all.attendRows.bfloats);
}

TEST(CheckKernels, FindsCopiesThatAreNotDoneWhenTheirStreamIs) {
  KernelBackend late = hostBackend();
  late.startCopyOut = [](void*, const void*, std::size_t, void*) -> Failure { return nullptr; };
  const std::vector<KernelCheck> checks = checkKernels(late, 0);
  EXPECT_THAT(wrongOf(checks), ElementsAre(kCopiesCheck));
  const KernelTable right = rightKernels(late.kernels, checks);
  EXPECT_EQ(right.multiplyDense.floats, nullptr);
  EXPECT_EQ(right.multiplyDense.bfloats, nullptr);
  EXPECT_EQ(right.multiplyVector.floats, late.kernels.multiplyVector.floats);
}

TEST(CheckKernels, NeedsNoPinnedMemory) {
  KernelBackend backend = hostBackend();
  backend.allocatePinned = [](std::size_t, void**) -> Failure { return "out of memory"; };
  EXPECT_THAT(wrongOf(checkKernels(backend, 0)), IsEmpty());
}

TEST(CheckKernels, UsesNoKernelThatWasNotChecked) {
  const KernelTable right = rightKernels(hostBackend().kernels, {});
  EXPECT_EQ(right.multiplyExactly, nullptr);
  EXPECT_EQ(right.attendRows.floats, nullptr);
}

TEST(CheckHost, FindsEveryKernelRightByEveryInstructionSet) {
  const std::vector<InstructionSetCheck> checks = checkHost();
  std::vector<std::string> sets;
  for (const InstructionSetCheck& check : checks) {
    sets.push_back(check.instructions);
    EXPECT_EQ(check.kernels.size(), 34u);
    EXPECT_THAT(wrongOf(check.kernels), IsEmpty()) << check.instructions;
  }
  EXPECT_EQ(sets, instructionSets());
}

}  // namespace
}  // namespace kvasir
