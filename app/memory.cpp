#include "app/memory.h"

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>

#include <psapi.h>
#else
#include <sys/resource.h>

#include <fstream>
#include <string>
#endif

namespace kvasir {

#ifdef _WIN32

std::uint64_t peakMemoryBytes() {
  PROCESS_MEMORY_COUNTERS counters{};
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) return 0;
  return counters.PeakWorkingSetSize;
}

#elif defined(__APPLE__)

std::uint64_t peakMemoryBytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_maxrss) : 0;
}

#else

// Not getrusage: on Linux its figure also holds the peak of the program that started this one.
std::uint64_t peakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    std::uint64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_maxrss) * 1024 : 0;
}

#endif

}  // namespace kvasir
