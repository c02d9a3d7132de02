#include "app/thread_waiting.h"

#include <cstdlib>

#ifdef __linux__
#include <unistd.h>
#endif

namespace kvasir {

void shortenThreadWaiting([[maybe_unused]] char** values) {
#ifdef __linux__
  if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
  setenv("GOMP_SPINCOUNT", "2000", 0);
  execv("/proc/self/exe", values);  // goes on as it is where that fails
#endif
}

}  // namespace kvasir
