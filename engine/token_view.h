#pragma once

#include <cstddef>
#include <span>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// Token ids that lie at equal distances, in an array of their own or within other records,
/// which outlive the view.
class TokenView {
 public:
  TokenView() = default;
  TokenView(std::span<const TokenId> tokens) : TokenView(tokens.data(), tokens.size(), sizeof(TokenId)) {}
  /// bytes: from one to the next.
  TokenView(const TokenId* first, std::size_t size, std::size_t bytes)
      : first_(reinterpret_cast<const std::byte*>(first)), size_(size), bytes_(bytes) {}

  std::size_t size() const { return size_; }
  TokenId operator[](std::size_t place) const {
    return *reinterpret_cast<const TokenId*>(first_ + place * bytes_);
  }

 private:
  const std::byte* first_ = nullptr;
  std::size_t size_ = 0, bytes_ = 0;
};

}  // namespace kvasir
