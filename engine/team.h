#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace kvasir {

/// Threads that share work in pieces of some microseconds, as one token's products are. Whoever is free takes
/// the next piece, the caller too, so that a thread the system has taken away holds up one piece and not all.
/// Between calls the threads look for work for some 50 microseconds, then sleep. One caller at a time.
class Team {
 public:
  explicit Team(int threads);  ///< the caller counts as one
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// work(begin, end) for parts of [0, count), each at most `most` long, in any order and side by side. Returns
  /// when all is done. The work must not throw.
  template <class Work>
  void share(std::int64_t count, std::int64_t most, const Work& work) {
    if (count <= 0) return;
    if (workers_.empty() || count <= most) return work(std::int64_t{0}, count);
    const auto call = [](const void* what, std::int64_t begin, std::int64_t end) {
      (*static_cast<const Work*>(what))(begin, end);
    };
    run({call, &work, count, most});
  }

 private:
  struct Job {
    void (*call)(const void* work, std::int64_t begin, std::int64_t end) = nullptr;
    const void* work = nullptr;
    std::int64_t count = 0, most = 1;

    std::int64_t pieces() const { return (count + most - 1) / most; }
  };

  void run(const Job& job);
  bool takePiece();
  void serve();
  bool hasPieces() const;

  /// The job's number in the upper half, pieces that nobody has taken in the lower: a piece is taken by an
  /// exchange, which fails when the job has changed. What has been taken keeps job_ as it is until it is done.
  std::atomic<std::uint64_t> state_{0};
  Job job_;
  std::atomic<std::int64_t> done_{0};
  std::atomic<std::uint32_t> calls_{0};  ///< sleepers wait for it to change
  std::atomic<int> asleep_{0};
  std::atomic<bool> ends_{false};
  std::vector<std::thread> workers_;
};

}  // namespace kvasir
