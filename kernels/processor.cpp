#include "kernels/processor.h"

#if defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

#include <cstddef>
#endif

namespace kvasir {

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
