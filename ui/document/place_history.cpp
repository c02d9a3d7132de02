#include "ui/document/place_history.h"

#include <QString>
#include <cmath>

namespace kvasir {
namespace {

bool isSamePlace(const DocumentPlace& a, const DocumentPlace& b) {
  return a.page == b.page && std::abs(a.top - b.top) < 0.02;
}

std::optional<DocumentPlace> step(std::vector<DocumentPlace>& from, std::vector<DocumentPlace>& to,
                                  const DocumentPlace& here) {
  while (!from.empty() && isSamePlace(from.back(), here)) from.pop_back();
  if (from.empty()) return std::nullopt;
  const DocumentPlace place = from.back();
  from.pop_back();
  to.push_back(here);
  return place;
}

}  // namespace

void PlaceHistory::leave(const DocumentPlace& place) {
  ahead_.clear();
  if (!behind_.empty() && isSamePlace(behind_.back(), place)) return;
  if (behind_.size() == kMostPlaces) behind_.erase(behind_.begin());
  behind_.push_back(place);
}

std::optional<DocumentPlace> PlaceHistory::back(const DocumentPlace& here) {
  return step(behind_, ahead_, here);
}

std::optional<DocumentPlace> PlaceHistory::forward(const DocumentPlace& here) {
  return step(ahead_, behind_, here);
}

void PlaceHistory::clear() {
  behind_.clear();
  ahead_.clear();
}

std::optional<int> pageNamed(const Document& document, const QString& name) {
  const QString wished = name.trimmed();
  if (wished.isEmpty()) return std::nullopt;
  for (std::size_t i = 0; i < document.pages.size(); ++i) {
    if (QString::fromStdString(document.pages[i].label).compare(wished, Qt::CaseInsensitive) == 0) {
      return static_cast<int>(i);
    }
  }
  bool isNumber = false;
  const int number = wished.toInt(&isNumber);
  const bool isPage = isNumber && number >= 1 && static_cast<std::size_t>(number) <= document.pages.size();
  return isPage ? std::optional<int>(number - 1) : std::nullopt;
}

}  // namespace kvasir
