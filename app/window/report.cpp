#include "app/window/report.h"

#include <set>
#include <stdexcept>

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QPageSize>
#include <QPdfWriter>
#include <QTextDocument>

#include "ui/panels/answer_marks.h"
#include "ui/panels/answer_notice.h"
#include "ui/save_whole.h"
#include "ui/size_text.h"

namespace kvasir {
namespace {

constexpr int kQuotes = 8;  // of an answer, beside those its marks name

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Report)
};

QString onOneLine(const QString& passage) { return passage.simplified(); }

/// "[1][3]" behind each sentence, as in the window.
QString markedAnswer(const Exchange& exchange) {
  QString marked;
  int written = 0;
  for (const SentenceMark& mark : marksOf(exchange.answer, exchange.evidence)) {
    marked += exchange.answer.mid(written, mark.end - written);
    for (const int rank : mark.ranks) marked += QStringLiteral(" [%1]").arg(rank);
    written = mark.end;
  }
  return (marked + exchange.answer.mid(written)).trimmed();
}

/// The first passages, and those that the answer's marks name.
std::vector<EvidenceRow> quotesOf(const Exchange& exchange) {
  std::set<int> named;
  for (const SentenceMark& mark : marksOf(exchange.answer, exchange.evidence))
    named.insert(mark.ranks.begin(), mark.ranks.end());
  std::vector<EvidenceRow> quotes;
  for (const EvidenceRow& row : exchange.evidence)
    if (row.rank <= kQuotes || named.count(row.rank) > 0) quotes.push_back(row);
  return quotes;
}

QString settingsOf(const Exchange& exchange) {
  QString line = Words::tr("Method %1, budget %2 tokens").arg(exchange.method).arg(exchange.budgetTokens);
  if (exchange.kvBytesInMemory > 0)
    line += Words::tr(", KV %1 in memory").arg(asSize(exchange.kvBytesInMemory));
  if (exchange.coverage) line += Words::tr(", coverage %1 %").arg(qRound(*exchange.coverage * 100));
  if (!exchange.when.isEmpty()) line += Words::tr(", asked %1").arg(exchange.when);
  return line;
}

QString placeOf(const EvidenceRow& row) {
  QStringList parts;
  if (!row.title.isEmpty()) parts << row.title;
  if (!row.pages.isEmpty()) parts << Words::tr("page %1").arg(row.pages);
  if (!row.section.isEmpty()) parts << row.section;
  return parts.join(QStringLiteral(", "));
}

QString escapedMarkdown(QString plain) {
  for (const char c : {'\\', '*', '_', '`', '[', ']', '<', '>', '#'})
    plain.replace(QLatin1Char(c), QStringLiteral("\\") + QLatin1Char(c));
  return plain;
}

QByteArray asPdf(const Report& report) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  QPdfWriter writer(&buffer);
  writer.setPageSize(QPageSize(QPageSize::A4));
  writer.setPageMargins(QMarginsF(20, 20, 20, 20), QPageLayout::Millimeter);
  writer.setTitle(report.title);
  writer.setCreator(Words::tr("Kvasir"));
  QTextDocument document;
  document.setDefaultFont(QFont(QStringLiteral("sans-serif"), 10));
  document.setHtml(asHtml(report));
  document.print(&writer);
  return bytes;
}

}  // namespace

QString asMarkdown(const Report& report) {
  QString out = QStringLiteral("# %1\n\n").arg(escapedMarkdown(report.title));
  if (!report.file.isEmpty()) out += Words::tr("Document: `%1`").arg(report.file) + QStringLiteral("\n\n");
  for (const ExchangePointer& exchange : report.exchanges) {
    out += QStringLiteral("## %1\n\n").arg(escapedMarkdown(onOneLine(exchange->question)));
    if (!exchange->asked.isEmpty())
      out += Words::tr("Asked: %1").arg(escapedMarkdown(onOneLine(exchange->asked))) + QStringLiteral("\n\n");
    if (!exchange->note.isEmpty())
      out += QStringLiteral("*%1*\n\n").arg(escapedMarkdown(onOneLine(exchange->note)));
    out += escapedMarkdown(markedAnswer(*exchange)) + QStringLiteral("\n\n");
    if (const QString notice = answerNotice(*exchange); !notice.isEmpty())
      out += QStringLiteral("*%1*\n\n").arg(notice);
    for (const EvidenceRow& row : quotesOf(*exchange)) {
      out += QStringLiteral("> [%1] %2  \n> %3\n\n")
                 .arg(row.rank)
                 .arg(escapedMarkdown(placeOf(row)), escapedMarkdown(onOneLine(row.text)));
    }
    out += settingsOf(*exchange) + QStringLiteral("\n\n");
  }
  return out;
}

QString asHtml(const Report& report) {
  QString out = QStringLiteral(
                    "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>%1</title></head><body>"
                    "<h1>%1</h1>")
                    .arg(report.title.toHtmlEscaped());
  if (!report.file.isEmpty())
    out += QStringLiteral("<p>%1</p>").arg(Words::tr("Document: %1").arg(report.file.toHtmlEscaped()));
  for (const ExchangePointer& exchange : report.exchanges) {
    out += QStringLiteral("<h2>%1</h2>").arg(exchange->question.toHtmlEscaped());
    if (!exchange->asked.isEmpty())
      out += QStringLiteral("<p>%1</p>")
                 .arg(Words::tr("Asked: %1").arg(onOneLine(exchange->asked).toHtmlEscaped()));
    if (!exchange->note.isEmpty())
      out += QStringLiteral("<p><i>%1</i></p>").arg(exchange->note.toHtmlEscaped());
    out += QStringLiteral("<p>%1</p>")
               .arg(markedAnswer(*exchange).toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>")));
    if (const QString notice = answerNotice(*exchange); !notice.isEmpty())
      out += QStringLiteral("<p><i>%1</i></p>").arg(notice);
    for (const EvidenceRow& row : quotesOf(*exchange)) {
      out += QStringLiteral("<blockquote><p><b>[%1] %2</b><br>%3</p></blockquote>")
                 .arg(row.rank)
                 .arg(placeOf(row).toHtmlEscaped(), onOneLine(row.text).toHtmlEscaped());
    }
    out += QStringLiteral("<p><small>%1</small></p>").arg(settingsOf(*exchange).toHtmlEscaped());
  }
  return out + QStringLiteral("</body></html>\n");
}

void writeBytes(const QByteArray& bytes, const QString& file) {
  const QString problem = saveWhole(bytes, file);
  if (problem.isEmpty()) return;
  throw std::runtime_error(Words::tr("%1 cannot be written: %2.").arg(file, problem).toStdString());
}

void writeReport(const Report& report, const QString& file) {
  const QString suffix = QFileInfo(file).suffix().toLower();
  if (suffix == QLatin1String("pdf")) return writeBytes(asPdf(report), file);
  if (suffix == QLatin1String("html") || suffix == QLatin1String("htm"))
    return writeBytes(asHtml(report).toUtf8(), file);
  writeBytes(asMarkdown(report).toUtf8(), file);
}

}  // namespace kvasir
