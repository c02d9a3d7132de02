#pragma once

#include <QString>

namespace kvasir {

/// A name as a menu shows it whole, where a single & would mark a key.
inline QString asMenuText(QString name) { return name.replace(QLatin1Char('&'), QLatin1String("&&")); }

}  // namespace kvasir
