#include "app/interrupt.h"

#include <csignal>

namespace kvasir {
namespace {

// The one mutable global of the program: a signal handler can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;

extern "C" void noteInterrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted = 0;
  std::signal(SIGINT, noteInterrupt);
  std::signal(SIGTERM, noteInterrupt);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  interrupted = 0;
}

bool isInterrupted() { return interrupted != 0; }

}  // namespace kvasir
