#pragma once

#include <cstddef>

#include "kernels/backend.h"

namespace kvasir {

/// A stand-in for a device: its kernels are the processor's, its memory is its own. Between calls nothing may
/// touch that memory, and kernels refuse pointers into any other, so that what runs on it would on a device.
/// Kernels and copies on streams are done as late as they may be: when what they are given to is waited for.
struct FarDevice {
  static constexpr std::size_t kMemory = std::size_t{1} << 30;

  static const KernelBackend& backend();
  /// As it is at first: with all its memory and in order. What is held stays.
  static void reset();

  static std::size_t limit;    ///< of the memory it has
  static std::size_t held;     ///< of that, what is allocated
  static std::size_t copied;   ///< bytes, either way
  static int streams;          ///< that were made and not ended
  static int launches;         ///< of all kernels
  static int attentions;       ///< of attendRows
  static const char* failure;  ///< what every kernel says; null: they work

  static int pinned;                 ///< pieces of pinned memory that are allocated
  static const char* pinnedFailure;  ///< why there is none; null: there is
  static int lateCopies;             ///< that streams were given
  static const char* copyFailure;    ///< what these fail of when they are done; null: they work
  static bool othersFirst;  ///< waiting for a stream does first what others were given, last ones first
};

}  // namespace kvasir
