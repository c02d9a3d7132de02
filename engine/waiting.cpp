#include "engine/waiting.h"

#include <cstdlib>

namespace kvasir {

#if defined(__linux__) && defined(__GLIBC__)
namespace {

/// OpenMP's threads wait for work by spinning, by default for about 16 ms, which starves the program's other threads
/// and everybody else on a busy machine. Two dozen microseconds bridge the gaps between products of one token. The
/// library reads the setting when it is loaded, so it is made before any library's start-up code runs.
void shortenWaiting(int, char**, char**) {
  if (!std::getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "500", /*overwrite=*/0);
}

__attribute__((section(".preinit_array"), used)) void (*const kShortenWaiting)(int, char**, char**) = shortenWaiting;

}  // namespace
#endif

void linkShortWaiting() {}

}  // namespace kvasir
