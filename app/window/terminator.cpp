#include "app/window/terminator.h"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include <QSocketNotifier>
#endif

namespace kvasir {

#ifdef _WIN32

Terminator::Terminator(QObject* parent) : QObject(parent) {}
Terminator::~Terminator() = default;

#else

namespace {

// A signal's handler reaches nothing but what is global.
std::atomic<int> wakeUp{-1};

void onSignal(int) {
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(wakeUp.load(), &byte, 1);
}

constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

}  // namespace

Terminator::Terminator(QObject* parent) : QObject(parent) {
  if (::pipe(pipe_) != 0) return;
  for (const int end : pipe_) {
    ::fcntl(end, F_SETFL, O_NONBLOCK);
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  wakeUp = pipe_[1];
  auto* notifier = new QSocketNotifier(pipe_[0], QSocketNotifier::Read, this);
  connect(notifier, &QSocketNotifier::activated, this, [this] {
    char byte = 0;
    while (::read(pipe_[0], &byte, 1) == 1) {
    }
    Q_EMIT wished();
  });
  for (const int number : kSignals) std::signal(number, onSignal);
}

Terminator::~Terminator() {
  if (pipe_[0] < 0) return;
  for (const int number : kSignals) std::signal(number, SIG_DFL);
  wakeUp = -1;
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

#endif

}  // namespace kvasir
