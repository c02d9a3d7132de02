#pragma once

#ifndef _WIN32
#include <sys/resource.h>

#include <csignal>

namespace kvasir {

/// While it lives no file of this process grows beyond a few bytes, as if the disk were full.
class FullDisk {
 public:
  FullDisk() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit little = {kMostBytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &little);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  static constexpr rlim_t kMostBytes = 64;
  void (*handler_)(int);
  rlimit before_ = {};
};

}  // namespace kvasir
#endif
