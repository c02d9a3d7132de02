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

#if defined(_M_X64)

// AVX-512 BF16 is bit 5 of leaf 7.1's EAX; the system must keep the wide registers: bits 1, 2, 5 to 7 of XCR0.
bool multipliesBfloat16() {
  constexpr unsigned long long kWideRegisters = 0xe6;
  int leaf[4];
  __cpuid(leaf, 0);
  if (leaf[0] < 7) return false;
  __cpuid(leaf, 1);
  const bool hasXgetbv = (leaf[2] >> 27 & 1) != 0;
  if (!hasXgetbv || (_xgetbv(0) & kWideRegisters) != kWideRegisters) return false;
  __cpuidex(leaf, 7, 1);
  return (leaf[0] >> 5 & 1) != 0;
}

#elif defined(__x86_64__)

bool multipliesBfloat16() { return __builtin_cpu_supports("avx512bf16") != 0; }

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

}  // namespace kvasir
