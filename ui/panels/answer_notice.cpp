#include "ui/panels/answer_notice.h"

#include <cmath>

#include <QCoreApplication>

#include "ui/panels/answer_marks.h"

namespace kvasir {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(AnswerNotice)
};

bool isDenial(const QString& answer) {
  return answer.trimmed().startsWith(QString::fromLatin1(kNotInDocument).chopped(1), Qt::CaseInsensitive);
}

}  // namespace

bool isNotInDocument(const Exchange& exchange) {
  if (exchange.isStopped || exchange.isUnanswered) return false;
  return isDenial(exchange.answer) || exchange.answer.trimmed().isEmpty() ||
         !isSupported(exchange.question, exchange.answer, exchange.evidence);
}

QString answerNotice(const Exchange& exchange) {
  if (exchange.isUnanswered) return Words::tr("Not answered.");
  QStringList parts;
  const bool isHalf = shareRead(exchange) < 1;
  if (exchange.isStopped) parts << Words::tr("Stopped; this is what had been said.");
  if (!exchange.isStopped && exchange.answer.trimmed().isEmpty())
    parts << Words::tr("The model gave no answer.");
  if (isNotInDocument(exchange)) {
    const QString where =
        isHalf ? Words::tr("Not in what has been read of it so far") : Words::tr("Not in the document");
    parts << (isDenial(exchange.answer)
                  ? Words::tr("%1, says the model of the passages it was shown.").arg(where)
                  : Words::tr("%1, as far as the passages found show.").arg(where));
    if (!exchange.evidence.empty()) parts << Words::tr("The best of them are listed all the same.");
  }
  if (isHalf) {
    parts << Words::tr(
                 "Answered from the first %1 % of the document, which was still being read; ask again to ask "
                 "all of it.")
                 .arg(static_cast<int>(std::floor(shareRead(exchange) * 100)));
  }
  if (exchange.isCut) parts << Words::tr("The answer was cut at the longest length allowed.");
  return parts.join(QLatin1Char(' '));
}

}  // namespace kvasir
