#include "app/cli/training_curves.h"

#include <cmath>
#include <cstdio>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "app/cli/pictures.h"
#include "app/text.h"

namespace kvasir {
namespace {

constexpr const char* kHead = "step,loss,held_out_loss,held_out_recall";

std::runtime_error cannotBeWritten(const std::filesystem::path& file) {
  return std::runtime_error(utf8Of(file) + " cannot be written; check its folder and the disk.");
}

std::optional<double> numberIn(const std::string& cell) {
  std::istringstream stream(cell);
  double number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

std::string rowOf(const TrainingStep& step) {
  std::ostringstream row;
  row << step.step;
  for (const std::optional<double>& cell : {step.loss, step.heldOutLoss, step.heldOutRecall}) {
    row << ",";
    if (cell) row << *cell;
  }
  return row.str();
}

/// A row of the table; nothing for its head, and for what is none.
std::optional<TrainingStep> stepOf(const std::string& line) {
  std::istringstream stream(line);
  std::string number, loss, heldOut, recall;
  std::getline(stream, number, ',');
  std::getline(stream, loss, ',');
  if (!std::getline(stream, heldOut, ',') || !numberIn(number)) return std::nullopt;
  std::getline(stream, recall, ',');
  TrainingStep step;
  step.step = static_cast<int>(*numberIn(number));
  step.loss = numberIn(loss);
  step.heldOutLoss = numberIn(heldOut);
  step.heldOutRecall = numberIn(recall);
  return step;
}

/// Asked before the training, which what is drawn later would end. What stands in the file stays.
void requireWritable(const std::filesystem::path& picture) {
  std::error_code error;
  const bool isNew = !std::filesystem::exists(picture, error);
  if (!std::ofstream(picture, std::ios::app)) throw cannotBeWritten(picture);
  if (isNew) std::filesystem::remove(picture, error);
}

}  // namespace

TrainingCurves::TrainingCurves(const std::filesystem::path& table, std::filesystem::path picture,
                               Console& console)
    : console_(console), picture_(std::move(picture)) {
  if (!picture_.empty()) requireWritable(picture_);
  if (!table.empty()) takeUp(table);
}

/// A last line that was cut off says nothing; a line of its own begins behind it.
void TrainingCurves::takeUp(const std::filesystem::path& table) {
  std::ifstream stream(table, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const std::size_t whole = text.rfind('\n') + 1;  // 0 where there is no line
  std::istringstream lines(text.substr(0, whole));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (const auto step = stepOf(line)) put(*step);
    rows_.insert(line);
  }
  table_.open(table, std::ios::app);
  if (whole < text.size()) table_ << std::endl;
  if (whole == 0) table_ << kHead << std::endl;
  if (!table_) throw cannotBeWritten(table);
}

/// Steps after the last checkpoint are taken once more when a training goes on, and another training begins
/// with the first.
void TrainingCurves::put(const TrainingStep& step) {
  while (!steps_.empty() && steps_.back().step >= step.step) steps_.pop_back();
  steps_.push_back(step);
}

std::optional<double> TrainingCurves::best() const {
  std::optional<double> best;
  for (const TrainingStep& step : steps_)
    if (step.heldOutLoss && std::isfinite(*step.heldOutLoss) && (!best || *step.heldOutLoss < *best))
      best = step.heldOutLoss;
  return best;
}

void TrainingCurves::add(const TrainingStep& step) {
  put(step);
  write(step);
  if (step.isPast) return;
  if (step.loss) {
    sum_ += *step.loss;
    ++count_;
  }
  if (!step.heldOutLoss) return;
  tell(step);
  draw();
}

/// Of past steps those that the table lacks.
void TrainingCurves::write(const TrainingStep& step) {
  if (!table_.is_open()) return;
  const std::string row = rowOf(step);
  if (!step.isPast || !rows_.contains(row)) table_ << row << std::endl;
}

void TrainingCurves::tell(const TrainingStep& step) {
  char line[160], loss[40] = "", recall[40] = "";
  if (count_ > 0) std::snprintf(loss, sizeof loss, "loss %.3f, ", sum_ / count_);
  if (step.heldOutRecall) std::snprintf(recall, sizeof recall, ", recall %.3f", *step.heldOutRecall);
  std::snprintf(line, sizeof line, "step %d of %d: %son texts held out %.3f%s%s", step.step, step.steps, loss,
                *step.heldOutLoss, recall, step.isBest ? " (best so far, saved)" : "");
  console_.remark(line);
  sum_ = count_ = 0;
}

/// A picture that cannot be drawn any more, as on a full disk, is no reason to end a training.
void TrainingCurves::draw() {
  if (picture_.empty() || !isDrawn_) return;
  try {
    drawTraining(steps_, picture_);
  } catch (const std::runtime_error& error) {
    isDrawn_ = false;
    console_.remark(std::string(error.what()) + " The training goes on without the picture.");
  }
}

}  // namespace kvasir
