#pragma once

#include <QStringList>

namespace kvasir {

/// Words of `before` that are gone from `after`, and those that came, both in order: what a longest common run
/// of words leaves over.
struct WordDifference {
  QStringList gone, come;
};
WordDifference differenceOf(const QString& before, const QString& after);

/// One sentence that says it.
QString describe(const WordDifference& difference);

}  // namespace kvasir
