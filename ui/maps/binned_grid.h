#pragma once

#include <memory>
#include <vector>

#include "ui/maps/value_scale.h"

namespace kvasir {

enum class BinRule { Maximum, Mean };

/// Rows by columns of values over a position axis, binned to the pixels that are seen. Columns may differ in
/// width: column c covers [edges[c], edges[c + 1]). What is not a number counts as nothing. Blocks of columns
/// are summed up once, so that a frame costs in step with the pixels, not with the columns.
class BinnedGrid {
 public:
  using Values = std::shared_ptr<const std::vector<float>>;  ///< rows of edges.size() - 1 values
  using Edges = std::shared_ptr<const std::vector<int>>;     ///< ascending, one more than columns

  BinnedGrid(int rows, Edges edges, Values values);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  double start() const { return columns_ ? edges_->front() : 0; }
  double end() const { return columns_ ? edges_->back() : 1; }
  double columnStart(int column) const { return (*edges_)[static_cast<std::size_t>(column)]; }
  double columnEnd(int column) const { return columnStart(column + 1); }
  const std::vector<float>& values() const { return *values_; }
  float value(int row, int column) const { return (*values_)[at(row, column)]; }

  /// The column that holds a position, the nearest one outside; columns() must not be 0.
  int columnAt(double position) const;

  /// rows() rows of `bins` values over [from, to); not a number where a bin holds no value. Columns before
  /// `firstColumn` are left out. Mean: weighted by the part of a column that lies in the bin.
  std::vector<float> bin(double from, double to, int bins, BinRule rule, int firstColumn = 0) const;

 private:
  struct Sum {
    double sum = 0, weight = 0;  // over columns, by width
  };
  struct Span {  // the columns a bin touches, and where it lies
    int first, last;
    double from, to;
  };

  std::size_t at(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>(column);
  }
  std::size_t blockAt(int row, int column) const;
  std::vector<Span> spans(double from, double to, int bins, int firstColumn) const;
  float maximumOf(int row, const Span& span) const;
  float meanOf(int row, const Span& span) const;
  void addTo(Sum& sum, int row, int column, double weight) const;
  void sumBlocks();

  int rows_ = 0, columns_ = 0, blocksInRow_ = 0;
  Edges edges_;
  Values values_;
  std::vector<float> blockMaxima_;
  std::vector<Sum> blockSums_;
};

/// The bins in view, kept while the view moves: bins begin at whole multiples of their width, so that a frame
/// makes only those that come into view.
class BinWindow {
 public:
  /// The bins over [from, to), `bins` of them and one more; rows of count() places on the scale.
  const std::vector<float>& move(std::shared_ptr<const BinnedGrid> grid, double from, double to, int bins,
                                 BinRule rule, int firstColumn, const ValueScale& scale);

  double width() const { return width_; }
  double start() const { return static_cast<double>(first_) * width_; }
  int count() const { return count_; }

 private:
  std::vector<float> make(long long first, int count) const;
  void copy(const std::vector<float>& from, long long fromFirst, int fromCount, std::vector<float>& to) const;

  std::shared_ptr<const BinnedGrid> grid_;
  BinRule rule_ = BinRule::Maximum;
  ValueScale scale_;
  int firstColumn_ = 0, count_ = 0;
  double width_ = 0;
  long long first_ = 0;  // bins from position 0
  std::vector<float> values_;
};

}  // namespace kvasir
