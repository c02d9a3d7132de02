#pragma once

#include <vector>

namespace kvasir {

/// A label along an axis, in pixels; lower rank goes first.
struct MarkBox {
  double left = 0, right = 0;
  int rank = 0;
};

/// Which labels are shown so that none meets another, nor comes nearer than `gap`: by rank, then from left to
/// right. Boxes ascend by `left`.
std::vector<bool> thinByRank(const std::vector<MarkBox>& boxes, double gap);

/// The same for labels of one kind (pages): every 1st, 2nd, 5th, 10th, … so that they stand evenly.
/// `firstNumber` counts the labels from 1, so that the same ones are shown wherever the view begins.
std::vector<bool> thinEvenly(const std::vector<MarkBox>& boxes, double gap, std::size_t firstNumber = 1);

}  // namespace kvasir
