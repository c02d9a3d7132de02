#include "kernels/processor.h"

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>

#include <array>
#include <cstddef>
#else
#include <unistd.h>

#include <fstream>
#endif

#if defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>

#include <array>
#include <cstring>
#elif defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace kvasir {

#ifdef _WIN32

std::string processorName() {
#ifdef _M_X64
  // The brand string: leaves 0x80000002 to 0x80000004.
  std::array<char, 49> name{};
  for (int part = 0; part < 3; ++part) {
    int leaf[4];
    __cpuid(leaf, static_cast<int>(0x80000002u + static_cast<unsigned>(part)));
    std::memcpy(name.data() + 16 * part, leaf, sizeof leaf);
  }
  if (name[0]) return name.data();
#endif
  return "unknown";
}

std::uint64_t machineMemoryBytes() {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
}

#elif defined(__APPLE__)

std::string processorName() {
  std::array<char, 256> name{};
  std::size_t size = name.size() - 1;
  if (sysctlbyname("machdep.cpu.brand_string", name.data(), &size, nullptr, 0) != 0) return "unknown";
  return name.data();
}

std::uint64_t machineMemoryBytes() {
  std::uint64_t bytes = 0;
  std::size_t size = sizeof bytes;
  return sysctlbyname("hw.memsize", &bytes, &size, nullptr, 0) == 0 ? bytes : 0;
}

#else

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::uint64_t machineMemoryBytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
  return pages > 0 && bytes > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(bytes) : 0;
}

#endif

#if defined(_M_X64) || defined(__x86_64__)

namespace {

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// What the processor says of itself; zeros where it knows no such leaf. Virtual machines answer slowly, so
/// what products ask for is asked once.
Leaf askProcessor(unsigned leaf, unsigned part) {
  Leaf told;
#ifdef _M_X64
  int words[4];
  __cpuid(words, 0);
  if (static_cast<unsigned>(words[0]) < leaf) return told;
  __cpuidex(words, static_cast<int>(leaf), static_cast<int>(part));
  std::memcpy(&told, words, sizeof told);
#else
  __get_cpuid_count(leaf, part, &told.eax, &told.ebx, &told.ecx, &told.edx);
#endif
  return told;
}

/// Registers that the system keeps for programs: bits of XCR0.
unsigned keptRegisters() {
  constexpr unsigned kHasXgetbv = 1u << 27;
  if (!(askProcessor(1, 0).ecx & kHasXgetbv)) return 0;
#ifdef _M_X64
  return static_cast<unsigned>(_xgetbv(0));
#else
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
#endif
}

bool keeps(unsigned registers) { return (keptRegisters() & registers) == registers; }

}  // namespace

bool multipliesBfloat16() {
  constexpr unsigned kWideRegisters = 0xe6, kAvx512Bf16 = 1u << 5;
  static const bool does = keeps(kWideRegisters) && (askProcessor(7, 1).eax & kAvx512Bf16);
  return does;
}

bool multipliesBfloat16Tiles() {
  constexpr unsigned kTileRegisters = 0x60000, kAmxBf16 = 1u << 22;
  static const bool does = keeps(kTileRegisters) && (askProcessor(7, 0).edx & kAmxBf16);
  return does;
}

#elif defined(__aarch64__) && defined(__linux__)

bool multipliesBfloat16() {
  constexpr unsigned long kBfloat16 = 1ul << 14;  // HWCAP2_BF16
  return (getauxval(AT_HWCAP2) & kBfloat16) != 0;
}

#elif defined(__aarch64__) && defined(__APPLE__)

bool multipliesBfloat16() {
  int has = 0;
  std::size_t size = sizeof has;
  return sysctlbyname("hw.optional.arm.FEAT_BF16", &has, &size, nullptr, 0) == 0 && has != 0;
}

#else

bool multipliesBfloat16() { return false; }

#endif

#if !defined(_M_X64) && !defined(__x86_64__)
// ARM's bf16 comes with products of matrices.
bool multipliesBfloat16Tiles() { return multipliesBfloat16(); }
#endif

}  // namespace kvasir
