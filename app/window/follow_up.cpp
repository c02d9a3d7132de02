#include "app/window/follow_up.h"

namespace kvasir {
namespace {

constexpr qsizetype kMostCharacters = 400;

QString shortened(const QString& text) {
  const QString line = text.simplified();
  if (line.size() <= kMostCharacters) return line;
  const qsizetype cut = line.lastIndexOf(QLatin1Char(' '), kMostCharacters);
  return line.left(cut > 0 ? cut : kMostCharacters) + QStringLiteral("…");
}

}  // namespace

QString followUpOf(const Exchange& before, const QString& question) {
  if (before.answer.trimmed().isEmpty()) return question;
  return QStringLiteral("Earlier I asked: %1\nThe answer was: %2\nNow I ask: %3")
      .arg(shortened(before.question), shortened(before.answer), question);
}

}  // namespace kvasir
