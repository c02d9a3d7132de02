#include "ui/panels/conversation_html.h"

#include <QCoreApplication>
#include <QLocale>
#include <QSet>

#include "ui/panels/answer_marks.h"
#include "ui/panels/answer_notice.h"
#include "ui/size_text.h"

namespace kvasir {
namespace {

constexpr qsizetype kBestPassages = 3;

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Conversation)
};

QString escaped(const QString& plain) {
  return plain.toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>"));
}

/// Text colour moved towards the background: readable, but behind the answer.
QString quietColour(const QPalette& palette) {
  const QColor ink = palette.color(QPalette::Text), paper = palette.color(QPalette::Base);
  const auto mixed = [](int a, int b) { return (3 * a + 2 * b) / 5; };
  return QColor(mixed(ink.red(), paper.red()), mixed(ink.green(), paper.green()),
                mixed(ink.blue(), paper.blue()))
      .name();
}

QString questionHtml(const QString& question, const QPalette& palette) {
  return QStringLiteral(
             "<table width=\"100%\" cellpadding=\"6\" style=\"margin-top:12px\"><tr><td bgcolor=\"%1\">"
             "<b>%2</b></td></tr></table>")
      .arg(palette.color(QPalette::AlternateBase).name(), escaped(question));
}

QString linkHtml(const QString& target, const QString& shown) {
  return QStringLiteral("<a href=\"%1\">%2</a>").arg(target, shown);
}

QString answerHtml(const Exchange& exchange) {
  QString html;
  int written = 0, sentence = 0;
  for (const SentenceMark& mark : marksOf(exchange.answer, exchange.evidence)) {
    html += escaped(exchange.answer.mid(written, mark.end - written));
    for (const int rank : mark.ranks) {
      html += QStringLiteral(" ") +
              linkHtml(QStringLiteral("mark:%1:%2:%3").arg(exchange.number).arg(rank).arg(sentence),
                       QStringLiteral("[%1]").arg(rank));
    }
    written = mark.end;
    ++sentence;
  }
  return html + escaped(exchange.answer.mid(written));
}

/// Links to the best passages, for an answer that has no marks of its own.
QString passagesHtml(const Exchange& exchange) {
  QStringList links;
  for (const EvidenceRow& row : exchange.evidence) {
    if (links.size() == kBestPassages) break;
    if (row.isBlocked || row.layers == 0) continue;
    QStringList place = {QStringLiteral("[%1]").arg(row.rank)};
    if (!row.title.isEmpty()) place << row.title;
    if (!row.pages.isEmpty()) place << Words::tr("page %1").arg(row.pages);
    if (!row.section.isEmpty()) place << row.section;
    links << linkHtml(QStringLiteral("mark:%1:%2:-1").arg(exchange.number).arg(row.rank),
                      place.join(QLatin1Char(' ')).toHtmlEscaped());
  }
  return links.isEmpty() ? QString() : QStringLiteral("<p>%1</p>").arg(links.join(QStringLiteral("<br>")));
}

/// On how many of the documents asked the answer rests; without passages, how many they were.
QString documentsHtml(const Exchange& exchange) {
  int passages = 0;
  QSet<QString> documents;
  for (const EvidenceRow& row : exchange.evidence) {
    if (row.isBlocked || row.layers == 0) continue;
    ++passages;
    documents.insert(row.document);
  }
  const auto asked = exchange.documents.size();
  if (passages == 0) return Words::tr("%1 documents").arg(asked);
  if (passages == 1) return Words::tr("1 passage from 1 of %1 documents").arg(asked);
  return Words::tr("%1 passages from %2 of %3 documents").arg(passages).arg(documents.size()).arg(asked);
}

QString footerHtml(const Exchange& exchange, bool isShown) {
  const QString id = QString::number(exchange.number);
  QStringList parts;
  if (exchange.documents.size() > 1) parts << documentsHtml(exchange);
  parts << exchange.method.toHtmlEscaped();
  parts << Words::tr("budget %1").arg(QLocale().toString(exchange.budgetTokens));
  if (exchange.totalSeconds > 0) parts << Words::tr("%1 s").arg(exchange.totalSeconds, 0, 'f', 1);
  if (exchange.answerTokens > 0) parts << Words::tr("%n tokens", "", exchange.answerTokens);
  if (exchange.kvBytesInMemory > 0) parts << Words::tr("KV %1").arg(asSize(exchange.kvBytesInMemory));
  if (exchange.coverage) parts << Words::tr("coverage %1 %").arg(qRound(*exchange.coverage * 100));
  if (!exchange.isUnanswered)
    parts << (isShown ? Words::tr("evidence shown")
                      : linkHtml(QStringLiteral("show:") + id, Words::tr("Show evidence")));
  parts << linkHtml(QStringLiteral("again:") + id, Words::tr("Ask again"));
  parts << linkHtml(QStringLiteral("edit:") + id, Words::tr("Edit question"));
  return parts.join(QStringLiteral(" · "));
}

QString quietHtml(const QString& html, const QPalette& palette) {
  return QStringLiteral("<p style=\"color:%1; margin-top:2px\"><small>%2</small></p>")
      .arg(quietColour(palette), html);
}

}  // namespace

ConversationLink parseLink(const QString& link) {
  const QStringList parts = link.split(QLatin1Char(':'));
  if (parts.size() < 2) return {};
  ConversationLink parsed;
  parsed.exchange = parts[1].toLongLong();
  if (parts[0] == QLatin1String("again")) parsed.kind = ConversationLink::Kind::Again;
  if (parts[0] == QLatin1String("edit")) parsed.kind = ConversationLink::Kind::Edit;
  if (parts[0] == QLatin1String("show")) parsed.kind = ConversationLink::Kind::Show;
  if (parts[0] == QLatin1String("mark") && parts.size() == 4) {
    parsed.kind = ConversationLink::Kind::Mark;
    parsed.rank = parts[2].toInt();
    parsed.sentence = parts[3].toInt();
  }
  return parsed;
}

namespace {

QString headHtml(const QString& question, const QString& asked, const QString& note, const QPalette& palette) {
  QString html = questionHtml(question, palette);
  if (!asked.isEmpty()) html += quietHtml(Words::tr("Asked: %1").arg(escaped(asked)), palette);
  if (!note.isEmpty()) html += QStringLiteral("<p><i>%1</i></p>").arg(escaped(note));
  return html;
}

}  // namespace

QString htmlOf(const Exchange& exchange, bool isShown, const QPalette& palette) {
  QString html = headHtml(exchange.question, exchange.asked, exchange.note, palette);
  html += QStringLiteral("<p>%1</p>").arg(answerHtml(exchange));
  if (const QString notice = answerNotice(exchange); !notice.isEmpty())
    html += QStringLiteral("<p><i>%1</i></p>").arg(escaped(notice));
  if (isNotInDocument(exchange)) html += passagesHtml(exchange);
  if (!exchange.steps.isEmpty()) html += quietHtml(escaped(exchange.steps.join(QLatin1Char('\n'))), palette);
  return html + quietHtml(footerHtml(exchange, isShown), palette);
}

QString htmlOfPending(const QString& question, const QString& asked, const QString& note,
                      const QPalette& palette) {
  return headHtml(question, asked, note, palette) + QStringLiteral("<p></p>");
}

}  // namespace kvasir
