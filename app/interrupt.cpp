#include "app/interrupt.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#ifndef _WIN32
#include <sys/time.h>
#include <unistd.h>
#endif

namespace kvasir {
namespace {

// The only mutable globals of the program: a signal handler can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;
const char* volatile lastSentence = "";

#ifdef _WIN32

void startTimer(int) {}

#else

void startTimer(int milliseconds) {
  const itimerval timer = {{0, 0}, {0, milliseconds * 1000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

/// Only what a signal handler may call.
extern "C" void endNow(int) {
  const char* sentence = lastSentence;
  if (write(STDERR_FILENO, sentence, std::strlen(sentence)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) _exit(1);
  _exit(1);
}

#endif

constexpr int kGraceMilliseconds = 100;  // of the 200 that stopping may take

extern "C" void noteInterrupt(int signal) {
  const int before = errno;  // of the work that is interrupted
  interrupted = 1;
  std::signal(signal, SIG_DFL);
  startTimer(kGraceMilliseconds);
  errno = before;
}

}  // namespace

InterruptGuard::InterruptGuard(const char* sentence) {
  interrupted = 0;
  lastSentence = sentence;
#ifndef _WIN32
  std::signal(SIGALRM, endNow);
#endif
  std::signal(SIGINT, noteInterrupt);
  std::signal(SIGTERM, noteInterrupt);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  disarm();
  interrupted = 0;
}

void InterruptGuard::disarm() { startTimer(0); }

bool isInterrupted() { return interrupted != 0; }

}  // namespace kvasir
