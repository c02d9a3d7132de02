#include "app/window/follow_up.h"

#include <algorithm>

namespace kvasir {
namespace {

constexpr qsizetype kRoom = qsizetype{4} * kFollowUpTokens;  // in bytes
constexpr qsizetype kMostOfOne = kRoom / 2 - 64;             // of a question or an answer: any turn fits

QString shortened(const QString& text) {
  QString line = text.simplified();
  if (line.toUtf8().size() <= kMostOfOne) return line;
  while (line.toUtf8().size() > kMostOfOne) line.chop(std::max<qsizetype>(1, line.size() / 50));
  if (const qsizetype cut = line.lastIndexOf(QLatin1Char(' ')); cut > 0) line.truncate(cut);
  return line + QStringLiteral("…");
}

}  // namespace

QString followUpOf(const std::vector<ExchangePointer>& before, const QString& question) {
  QStringList turns, questions;
  qsizetype room = kRoom;
  for (auto turn = before.rbegin(); turn != before.rend(); ++turn) {
    const Exchange& exchange = **turn;
    // Of a question that was asked again the last answer counts.
    if (exchange.answer.trimmed().isEmpty() || questions.contains(exchange.question)) continue;
    const QString said = QStringLiteral("Earlier I asked: %1\nThe answer was: %2\n")
                             .arg(shortened(exchange.question), shortened(exchange.answer));
    room -= said.toUtf8().size();
    if (room < 0) break;
    turns.prepend(said);
    questions << exchange.question;
  }
  return turns.isEmpty() ? QString() : turns.join(QString()) + QStringLiteral("Now I ask: ") + question;
}

}  // namespace kvasir
