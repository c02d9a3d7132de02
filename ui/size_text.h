#pragma once

#include <QLocale>
#include <QString>

namespace kvasir {

/// "1.2 GB", "640 kB"
inline QString asSize(qint64 bytes) {
  return QLocale().formattedDataSize(bytes, bytes < 10'000'000 ? 0 : 1, QLocale::DataSizeSIFormat);
}

}  // namespace kvasir
