#pragma once

#include <vector>

#include "ui/panels/exchange.h"

namespace kvasir {

/// A conversation with what it rested on, for export.
struct Report {
  QString title, file;
  std::vector<ExchangePointer> exchanges;
};

QString asMarkdown(const Report& report);
QString asHtml(const Report& report);
/// One line a chunk: question, rank, score, layers, share, section, pages, bytes, text. With a heading, CRLF,
/// RFC 4180.
QString evidenceAsCsv(const Report& report);

/// Writes by the suffix: md, html, pdf or csv. Throws a sentence when the file cannot be written.
void writeReport(const Report& report, const QString& file);

}  // namespace kvasir
