#include "app/window/word_difference.h"

#include <algorithm>
#include <vector>

#include <QCoreApplication>
#include <QRegularExpression>

namespace kvasir {
namespace {

constexpr qsizetype kMostWords = 2000;

struct Words {
  Q_DECLARE_TR_FUNCTIONS(WordDifference)
};

QStringList wordsOf(const QString& sentence) {
  static const QRegularExpression space(QStringLiteral("\\s+"));
  return sentence.split(space, Qt::SkipEmptyParts).mid(0, kMostWords);
}

}  // namespace

WordDifference differenceOf(const QString& before, const QString& after) {
  const QStringList a = wordsOf(before), b = wordsOf(after);
  const auto rows = static_cast<std::size_t>(a.size()), columns = static_cast<std::size_t>(b.size());
  // common[i][j]: length of the longest common run of a from i and b from j
  std::vector<std::vector<int>> common(rows + 1, std::vector<int>(columns + 1, 0));
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      common[i][j] = a[static_cast<qsizetype>(i)] == b[static_cast<qsizetype>(j)]
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  WordDifference difference;
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[static_cast<qsizetype>(i)] == b[static_cast<qsizetype>(j)]) {
      ++i, ++j;
    } else if (j >= columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
      difference.gone << a[static_cast<qsizetype>(i++)];
    } else {
      difference.come << b[static_cast<qsizetype>(j++)];
    }
  }
  return difference;
}

QString describe(const WordDifference& difference) {
  if (difference.gone.isEmpty() && difference.come.isEmpty()) return Words::tr("The answer is the same.");
  const QString gone = difference.gone.join(QLatin1Char(' ')), come = difference.come.join(QLatin1Char(' '));
  if (difference.come.isEmpty()) return Words::tr("Gone: “%1”.").arg(gone);
  if (difference.gone.isEmpty()) return Words::tr("New: “%1”.").arg(come);
  return Words::tr("Gone: “%1”. New: “%2”.").arg(gone, come);
}

}  // namespace kvasir
