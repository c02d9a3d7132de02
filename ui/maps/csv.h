#pragma once

#include <QByteArray>
#include <QStringList>

namespace kvasir {

/// One record of RFC 4180, with its CR LF: fields with commas, quotes or line ends are quoted. UTF-8.
QByteArray csvRecord(const QStringList& fields);

/// A number as every program reads it: a point, no grouping; nothing for what is not a number.
QString csvNumber(double value);

}  // namespace kvasir
