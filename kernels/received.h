#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// How much attention keys of one KV head received from its queries, added up by query head: what H2O keeps
/// score of (§4), the window of SnapKV and the share of evidence, once attention has given the sums that
/// softmax divides by. No more than a tile of scores is held. Value, and what bf16 is rounded to: as of
/// BlockAttention.
template <class Value>
struct ReceivedAttention {
  const Value* queries = nullptr;  ///< [rows, dimension], rotated
  int rows = 0;
  int rowsOfHead = 1;  ///< so many rows, one behind the other, are of one query head; divides rows
  int dimension = 0;
  const Value* keys = nullptr;  ///< [count, dimension], rotated
  int count = 0;
  const int* begins = nullptr;  ///< [rows]: a row sees keys [begin, end)
  const int* ends = nullptr;
  const float* logSums =
      nullptr;                ///< [rows]: log of the sum of exp(score) over all that a row sees, here or not
  float scale = 1;            ///< of the products, before softmax
  float* received = nullptr;  ///< [heads, count]

  KERNEL_FN std::int64_t heads() const { return rows / rowsOfHead; }
  KERNEL_FN bool sees(std::int64_t row, std::int64_t key) const {
    return begins[row] <= key && key < ends[row];
  }
  /// The arithmetic: what one key received of one query head.
  KERNEL_FN float sumOf(std::int64_t head, std::int64_t key) const {
    float sum = 0;
    for (std::int64_t row = head * rowsOfHead; row < (head + 1) * rowsOfHead; ++row)
      if (sees(row, key))
        sum += std::exp(dotProduct(queries + row * dimension, keys + key * dimension, dimension) * scale -
                        logSums[row]);
    return sum;
  }
};

/// Keys [begin, end) of every head. Callers divide the keys among threads; stretches of a thousand and more are
/// best.
void receiveAttention(const ReceivedAttention<float>& attention, std::int64_t begin, std::int64_t end);
void receiveAttention(const ReceivedAttention<std::uint16_t>& attention, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
