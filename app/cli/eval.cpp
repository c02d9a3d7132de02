#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/setup.h"
#include "app/evaluation.h"
#include "app/file_lock.h"
#include "app/memory.h"
#include "app/results.h"
#include "app/stopwatch.h"
#include "app/text.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A folder of its own for readings that nobody will ask again; gone at the end. Those of programs that were
/// ended before they could do so go first: nobody holds their locks.
class ScratchFolder {
 public:
  ScratchFolder() : path_(fs::temp_directory_path() / (kPrefix + std::to_string(std::random_device{}()))) {
    removeForsaken();
    fs::create_directories(path_);
    lock_.emplace(FileLock::tryLock(path_ / kLockName).value());
  }
  ~ScratchFolder() {
    std::error_code error;  // a folder that stays is no reason to fail
    lock_.reset();
    fs::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  static void removeForsaken() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fs::temp_directory_path(), error)) {
      const bool isOurs = utf8Of(entry.path().filename()).starts_with(kPrefix);
      // Without its lock file a folder is being made or taken away by another.
      if (!isOurs || !fs::exists(entry.path() / kLockName, error)) continue;
      try {
        if (!FileLock::tryLock(entry.path() / kLockName)) continue;
        fs::remove_all(entry.path(), error);
      } catch (const std::runtime_error&) {
        // Another user's: not ours to take away.
      }
    }
  }

  static constexpr const char* kPrefix = "kvasir-eval-";
  static constexpr const char* kLockName = "lock";
  fs::path path_;
  std::optional<FileLock> lock_;
};

/// Asks rows one after the other; rows in a run with the same context share its reading.
class RowAsker {
 public:
  RowAsker(const Arguments& arguments, Console& console)
      : arguments_(arguments),
        console_(console),
        engine_(loadEngine(arguments, console)),
        settings_(readSettingsFor(*engine_, arguments)) {}

  RowResult ask(const EvaluationRow& row) {
    RowResult result;
    result.id = row.id;
    result.task = row.task;
    result.length = row.length;
    result.readSeconds = read(row.context);
    const Answer answer = engine_->ask(*reading_, row.question, arguments_.asking, console_);
    result.prediction = answer.text;
    result.gold = findGold(row, answer, reading_->chunks(), arguments_.asking.budgetTokens);
    result.documentTokens = reading_->tokens();
    result.questionTokens = answer.questionTokens;
    result.answerTokens = answer.answerTokens;
    result.attendedTokens = answer.attendedTokens;
    result.firstTokenSeconds = answer.firstTokenSeconds;
    result.answerSeconds = answer.totalSeconds;
    judge(row, result);
    return result;
  }

  const std::string& modelName() const { return engine_->model().name; }

 private:
  double read(const std::string& context) {
    if (reading_ && context == context_) return 0;
    const Stopwatch watch;
    const fs::path file = scratch_.path() / "reading.kv";
    reading_.reset();
    fs::remove(file);
    context_ = context;
    reading_ = engine_->read(context_, settings_, file, console_);
    return watch.seconds();
  }

  const Arguments& arguments_;
  Console& console_;
  ScratchFolder scratch_;
  std::unique_ptr<Engine> engine_;
  ReadSettings settings_;
  std::string context_;
  std::shared_ptr<const Reading> reading_;
};

/// Where each row's result goes as it comes; nowhere without a name.
class RowsFile {
 public:
  explicit RowsFile(const fs::path& file) : file_(file) {
    if (file.empty()) return;
    stream_.open(file, std::ios::binary | std::ios::trunc);
    check();
  }
  void write(const RowResult& result) {
    if (file_.empty()) return;
    stream_ << asLine(toJson(result)) << std::endl;
    check();
  }

 private:
  void check() const {
    if (!stream_)
      throw std::runtime_error(utf8Of(file_) + " cannot be written; check its folder and the disk.");
  }
  fs::path file_;
  std::ofstream stream_;
};

struct EvaluationTimes {
  double read = 0, answer = 0;
};

Json summaryOf(const Arguments& arguments, const RowAsker& asker, const Tally& tally,
               const EvaluationTimes& times, double wholeSeconds) {
  Json json = tally.summary();
  json["seconds"] = wholeSeconds;
  json["peak_rss"] = peakMemoryBytes();
  json["read_seconds"] = times.read;
  json["answer_seconds"] = times.answer;
  json["method"] = arguments.asking.method;
  json["budget"] = arguments.asking.budgetTokens;
  json["model"] = asker.modelName();
  return json;
}

}  // namespace

void evalCommand(const Arguments& arguments, Console& console) {
  const Stopwatch whole;
  checkMethod(arguments.asking.method);
  const std::vector<bool> isChosen = chooseRows(arguments.file, arguments.rows);
  const auto chosen = std::count(isChosen.begin(), isChosen.end(), true);
  if (chosen == 0)
    throw std::runtime_error(utf8Of(arguments.file) + " has no rows; it takes one JSON object a line.");
  RowsFile rowsFile(arguments.rowsFile);
  RowAsker asker(arguments, console);
  EvaluationRows rows(arguments.file);
  Tally tally;
  EvaluationTimes times;
  int number = 0;
  for (const bool isWanted : isChosen) {
    const auto row = rows.next();
    if (!row) break;
    if (!isWanted) continue;
    console.setSubject("row " + std::to_string(++number) + " of " + std::to_string(chosen));
    const RowResult result = asker.ask(*row);
    rowsFile.write(result);
    tally.add(result);
    times.read += result.readSeconds;
    times.answer += result.answerSeconds;
  }
  const Json summary = summaryOf(arguments, asker, tally, times, whole.seconds());
  if (arguments.isJson) {
    console.out() << asLine(summary) << "\n";
    return;
  }
  console.out() << tally.table() << asDuration(whole.seconds()) << " in all, " << asDuration(times.read)
                << " of it reading and " << asDuration(times.answer) << " answering; at most "
                << asBytes(peakMemoryBytes()) << " of memory\n";
}

}  // namespace kvasir
