#include "ui/maps/axis_marks.h"

#include <algorithm>
#include <numeric>

#include "ui/maps/value_scale.h"

namespace kvasir {
namespace {

// The first box whose number is a multiple of the stride.
std::size_t firstShown(std::size_t stride, std::size_t firstNumber) {
  return (stride - firstNumber % stride) % stride;
}

bool areApart(const std::vector<MarkBox>& boxes, double gap, std::size_t first, std::size_t stride) {
  for (std::size_t index = first; index + stride < boxes.size(); index += stride) {
    if (boxes[index].right + gap > boxes[index + stride].left) return false;
  }
  return true;
}

}  // namespace

std::vector<bool> thinByRank(const std::vector<MarkBox>& boxes, double gap) {
  std::vector<std::size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&boxes](std::size_t a, std::size_t b) { return boxes[a].rank < boxes[b].rank; });
  std::vector<bool> shown(boxes.size(), false);
  std::vector<MarkBox> taken;  // ascending and apart, so only two neighbours can meet a box
  for (const std::size_t index : order) {
    const MarkBox& box = boxes[index];
    const auto next = std::lower_bound(taken.begin(), taken.end(), box.left,
                                       [](const MarkBox& other, double left) { return other.left < left; });
    if (next != taken.end() && box.right + gap > next->left) continue;
    if (next != taken.begin() && std::prev(next)->right + gap > box.left) continue;
    taken.insert(next, box);
    shown[index] = true;
  }
  return shown;
}

std::vector<bool> thinEvenly(const std::vector<MarkBox>& boxes, double gap, std::size_t firstNumber) {
  std::size_t stride = 1;
  while (stride < boxes.size() && !areApart(boxes, gap, firstShown(stride, firstNumber), stride)) {
    stride = static_cast<std::size_t>(roundStep(static_cast<double>(stride) + 1));
  }
  std::vector<bool> shown(boxes.size(), false);
  for (std::size_t index = firstShown(stride, firstNumber); index < boxes.size(); index += stride)
    shown[index] = true;
  return shown;
}

}  // namespace kvasir
