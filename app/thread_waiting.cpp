// Shortens the wait of OpenMP's threads, unless one is set already. They wait for work by spinning, by default
// for about 16 ms, which starves the rest of a busy machine and makes this program many times slower there;
// some microseconds bridge the gaps between the products of one token. The library reads the setting while it
// is loaded, so the program starts once more with it: from here, before any library begins, which LibTorch
// takes a fifth of a second for. Part of programs on Linux, not of a library.
#include <unistd.h>

#include <string_view>
#include <vector>

namespace {

void startWaitingLittle(int, char** values, char** environment) {
  static char setting[] = "GOMP_SPINCOUNT=2000";
  std::vector<char*> settings;
  for (; *environment; ++environment) {
    const std::string_view one = *environment;
    if (one.starts_with("GOMP_SPINCOUNT=") || one.starts_with("OMP_WAIT_POLICY=")) return;
    settings.push_back(*environment);
  }
  settings.insert(settings.end(), {setting, nullptr});
  char program[4096] = {};  // by its own name, which is what lists of processes show
  if (readlink("/proc/self/exe", program, sizeof program - 1) > 0) execve(program, values, settings.data());
  // It goes on as it is where that fails.
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const beforeLibraries)(int, char**,
                                                                            char**) = startWaitingLittle;

}  // namespace
