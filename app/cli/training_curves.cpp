#include "app/cli/training_curves.h"

#include <sstream>
#include <stdexcept>

#include "app/cli/pictures.h"
#include "app/text.h"

namespace kvasir {
namespace {

std::optional<double> numberIn(const std::string& cell) {
  std::istringstream stream(cell);
  double number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

/// A line of the table; nothing for the first, and for one that was cut off.
std::optional<TrainingStep> stepOf(const std::string& line) {
  std::istringstream stream(line);
  std::string number, loss, heldOut, recall;
  std::getline(stream, number, ',');
  std::getline(stream, loss, ',');
  if (!std::getline(stream, heldOut, ',') || !numberIn(number) || !numberIn(loss)) return std::nullopt;
  std::getline(stream, recall, ',');
  TrainingStep step;
  step.step = static_cast<int>(*numberIn(number));
  step.loss = *numberIn(loss);
  step.heldOutLoss = numberIn(heldOut);
  step.heldOutRecall = numberIn(recall);
  return step;
}

}  // namespace

TrainingCurves::TrainingCurves(const std::filesystem::path& table, std::filesystem::path picture,
                               Console& console)
    : console_(console), picture_(std::move(picture)) {
  if (table.empty()) return;
  std::error_code error;
  const bool isNew = !std::filesystem::exists(table, error);
  if (!isNew) takeUp(table);
  table_.open(table, std::ios::app);
  if (isNew) table_ << "step,loss,held_out_loss,held_out_recall" << std::endl;
  if (!table_) throw std::runtime_error(utf8Of(table) + " cannot be written; check its folder and the disk.");
}

void TrainingCurves::takeUp(const std::filesystem::path& table) {
  std::ifstream stream(table);
  for (std::string line; std::getline(stream, line);)
    if (const auto step = stepOf(line)) put(*step);
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
    if (step.heldOutLoss && (!best || *step.heldOutLoss < *best)) best = step.heldOutLoss;
  return best;
}

void TrainingCurves::add(const TrainingStep& step) {
  put(step);
  write(step);
  sum_ += step.loss;
  ++count_;
  if (!step.heldOutLoss) return;
  tell(step);
  if (!picture_.empty()) drawTraining(steps_, picture_);
}

void TrainingCurves::write(const TrainingStep& step) {
  if (!table_.is_open()) return;
  table_ << step.step << "," << step.loss << ",";
  if (step.heldOutLoss) table_ << *step.heldOutLoss;
  table_ << ",";
  if (step.heldOutRecall) table_ << *step.heldOutRecall;
  table_ << std::endl;
}

void TrainingCurves::tell(const TrainingStep& step) {
  char line[160], recall[40] = "";
  if (step.heldOutRecall) std::snprintf(recall, sizeof recall, ", recall %.3f", *step.heldOutRecall);
  std::snprintf(line, sizeof line, "step %d of %d: loss %.3f, on texts held out %.3f%s%s", step.step,
                step.steps, sum_ / count_, *step.heldOutLoss, recall,
                step.isBest ? " (best so far, saved)" : "");
  console_.remark(line);
  sum_ = count_ = 0;
}

}  // namespace kvasir
