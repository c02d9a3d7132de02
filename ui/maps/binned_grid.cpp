#include "ui/maps/binned_grid.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace kvasir {
namespace {

constexpr int kBlock = 8;           // columns; bins of the widest maps touch about a hundred
constexpr double kRounding = 1e-7;  // of a bin
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

// Comparisons with what is not a number are false, so it is passed over.
inline void raise(float& maximum, float value) {
  if (value > maximum && value < kInfinity) maximum = value;
}

}  // namespace

BinnedGrid::BinnedGrid(int rows, Edges edges, Values values)
    : rows_(rows), edges_(std::move(edges)), values_(std::move(values)) {
  columns_ = edges_->empty() ? 0 : static_cast<int>(edges_->size()) - 1;
  assert(values_->size() == static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_) &&
         "a value for each row and column");
  sumBlocks();
}

std::size_t BinnedGrid::blockAt(int row, int column) const {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(blocksInRow_) +
         static_cast<std::size_t>(column / kBlock);
}

void BinnedGrid::addTo(Sum& sum, int row, int column, double weight) const {
  const float value = this->value(row, column);
  if (!std::isfinite(value) || weight <= 0) return;
  sum.sum += weight * static_cast<double>(value);
  sum.weight += weight;
}

void BinnedGrid::sumBlocks() {
  blocksInRow_ = columns_ / kBlock;
  const std::size_t blocks = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(blocksInRow_);
  blockMaxima_.assign(blocks, -kInfinity);
  blockSums_.assign(blocks, {});
  for (int row = 0; row < rows_; ++row) {
    for (int column = 0; column < blocksInRow_ * kBlock; ++column) {
      const std::size_t block = blockAt(row, column);
      raise(blockMaxima_[block], value(row, column));
      addTo(blockSums_[block], row, column, columnEnd(column) - columnStart(column));
    }
  }
}

int BinnedGrid::columnAt(double position) const {
  const auto after = std::upper_bound(edges_->begin(), edges_->end(), position,
                                      [](double wanted, int edge) { return wanted < edge; });
  return std::clamp(static_cast<int>(after - edges_->begin()) - 1, 0, columns_ - 1);
}

std::vector<BinnedGrid::Span> BinnedGrid::spans(double from, double to, int bins, int firstColumn) const {
  std::vector<Span> found;
  const double width = (to - from) / bins;
  for (int bin = 0; bin < bins; ++bin) {
    Span span{0, -1, from + bin * width, from + (bin + 1) * width};
    if (columns_ > 0 && span.to > start() && span.from < end()) {
      // What only rounding lets a bin touch is not in it.
      span.first = std::max(columnAt(span.from + width * kRounding), firstColumn);
      span.last = columnAt(span.to - width * kRounding);
    }
    found.push_back(span);
  }
  return found;
}

float BinnedGrid::maximumOf(int row, const Span& span) const {
  const float* values = values_->data() + at(row, 0);
  const float* blocks = blockMaxima_.data() + blockAt(row, 0);
  const int end = span.last + 1;
  const int firstBlock = (span.first + kBlock - 1) / kBlock, lastBlock = end / kBlock;
  float maximum = -kInfinity;
  if (firstBlock < lastBlock) {
    for (int column = span.first; column < firstBlock * kBlock; ++column) raise(maximum, values[column]);
    for (int block = firstBlock; block < lastBlock; ++block) raise(maximum, blocks[block]);
    for (int column = lastBlock * kBlock; column < end; ++column) raise(maximum, values[column]);
  } else {
    for (int column = span.first; column < end; ++column) raise(maximum, values[column]);
  }
  return maximum > -kInfinity ? maximum : kNothing;
}

// The first and the last column may lie partly in the bin.
float BinnedGrid::meanOf(int row, const Span& span) const {
  Sum sum;
  int column = span.first;
  while (column <= span.last) {
    const bool isBlock = column % kBlock == 0 && column > span.first && column + kBlock <= span.last;
    if (isBlock) {
      const Sum& block = blockSums_[blockAt(row, column)];
      sum.sum += block.sum;
      sum.weight += block.weight;
      column += kBlock;
      continue;
    }
    addTo(sum, row, column, std::min(columnEnd(column), span.to) - std::max(columnStart(column), span.from));
    ++column;
  }
  return sum.weight > 0 ? static_cast<float>(sum.sum / sum.weight) : kNothing;
}

std::vector<float> BinnedGrid::bin(double from, double to, int bins, BinRule rule, int firstColumn) const {
  const std::vector<Span> found = spans(from, to, bins, firstColumn);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(rows_) * found.size());
  for (int row = 0; row < rows_; ++row) {
    for (const Span& span : found) {
      values.push_back(rule == BinRule::Maximum ? maximumOf(row, span) : meanOf(row, span));
    }
  }
  return values;
}

std::vector<float> BinWindow::make(long long first, int count) const {
  if (count <= 0) return {};
  const double start = static_cast<double>(first) * width_, end = static_cast<double>(first + count) * width_;
  std::vector<float> values = grid_->bin(start, end, count, rule_, firstColumn_);
  for (float& value : values) value = static_cast<float>(scale_.position(static_cast<double>(value)));
  return values;
}

void BinWindow::copy(const std::vector<float>& from, long long fromFirst, int fromCount,
                     std::vector<float>& to) const {
  const long long start = std::max(first_, fromFirst), end = std::min(first_ + count_, fromFirst + fromCount);
  for (int row = 0; row < grid_->rows() && start < end; ++row) {
    const auto source = from.begin() + static_cast<long long>(row) * fromCount + (start - fromFirst);
    std::copy_n(source, end - start, to.begin() + static_cast<long long>(row) * count_ + (start - first_));
  }
}

const std::vector<float>& BinWindow::move(std::shared_ptr<const BinnedGrid> grid, double from, double to,
                                          int bins, BinRule rule, int firstColumn, const ValueScale& scale) {
  const double width = (to - from) / bins;
  const bool isSame = grid == grid_ && scale == scale_ && rule == rule_ && firstColumn == firstColumn_ &&
                      count_ == bins + 1 && std::abs(width - width_) <= 1e-9 * width;
  if (!isSame) width_ = width;
  grid_ = std::move(grid);
  rule_ = rule;
  scale_ = scale;
  firstColumn_ = firstColumn;
  count_ = bins + 1;
  const long long before = first_, after = before + count_;
  first_ = static_cast<long long>(std::floor(from / width_));
  const long long moved = first_ - before;
  if (isSame && moved == 0) return values_;
  if (!isSame || std::abs(moved) >= count_) return values_ = make(first_, count_);
  std::vector<float> values(values_.size());
  copy(values_, before, count_, values);
  const int missing = static_cast<int>(std::abs(moved));
  const long long start = moved > 0 ? after : first_;
  copy(make(start, missing), start, missing, values);
  return values_ = std::move(values);
}

}  // namespace kvasir
