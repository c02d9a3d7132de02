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

/// Throws a sentence when the file cannot be written, as does the next.
void writeBytes(const QByteArray& bytes, const QString& file);
/// By the suffix: html, pdf, else Markdown.
void writeReport(const Report& report, const QString& file);

}  // namespace kvasir
