#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace kvasir {

/// What a long piece of work is doing now.
enum class Stage { Loading, Importing, Reading, Retrieving, Answering, Training };

struct Progress {
  Stage stage = Stage::Loading;
  std::int64_t done =
      0;  ///< tokens (Reading, Answering), bytes (Loading), pages (Importing) or steps (Training)
  std::int64_t total = 0;      ///< in the same unit; 0 when not known
  double tokensPerSecond = 0;  ///< 0 when not known
};

/// Thrown by a listener to stop the work; whatever was written stays whole.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("Stopped on request.") {}
};

/// Hears of long work, on the thread that does it. A call may throw (`Cancelled`): that is how work is stopped,
/// so every worker calls `progress` several times in 200 ms and holds its resources in RAII objects.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void progress(const Progress&) {}
  /// The next piece of an answer, whole UTF-8 characters.
  virtual void answerText(std::string_view) {}
  /// A sentence about the work, for people; it may be left out.
  virtual void remark(const std::string&) {}
};

}  // namespace kvasir
