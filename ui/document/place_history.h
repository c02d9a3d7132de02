#pragma once

#include <optional>
#include <vector>

#include "ui/document/document_view.h"

namespace kvasir {

/// Places left by a jump, as a browser keeps them: a new jump forgets those ahead.
class PlaceHistory {
 public:
  static constexpr std::size_t kMostPlaces = 200;

  /// Before a jump: `place` is where the reader leaves.
  void leave(const DocumentPlace& place);
  /// `here` can be come back to by the other of the two.
  std::optional<DocumentPlace> back(const DocumentPlace& here);
  std::optional<DocumentPlace> forward(const DocumentPlace& here);

  bool hasBack() const { return !behind_.empty(); }
  bool hasForward() const { return !ahead_.empty(); }
  void clear();

 private:
  std::vector<DocumentPlace> behind_, ahead_;
};

/// The page a reader means by what they typed: a printed label first, else a number from 1.
std::optional<int> pageNamed(const Document& document, const QString& name);

}  // namespace kvasir
