#pragma once

#include <QApplication>
#include <QDir>
#include <QPalette>
#include <QTest>
#include <QWidget>

namespace kvasir {

inline QPalette lightPalette() {
  QPalette colors(QColor(240, 240, 240), QColor(240, 240, 240));
  colors.setColor(QPalette::Base, Qt::white);
  colors.setColor(QPalette::AlternateBase, QColor(246, 246, 246));
  colors.setColor(QPalette::Highlight, QColor(30, 100, 180));
  colors.setColor(QPalette::HighlightedText, Qt::white);
  return colors;
}

inline QPalette darkPalette() {
  QPalette colors(QColor(53, 53, 53), QColor(45, 45, 45));
  colors.setColor(QPalette::Base, QColor(30, 30, 30));
  colors.setColor(QPalette::AlternateBase, QColor(38, 38, 38));
  colors.setColor(QPalette::Highlight, QColor(70, 130, 200));
  colors.setColor(QPalette::HighlightedText, Qt::white);
  colors.setColor(QPalette::PlaceholderText, QColor(160, 160, 160));
  return colors;
}

/// Light and dark, named after the state and the screen's density.
inline void saveScreenshots(QWidget& widget, const QString& state) {
  QDir().mkpath(QStringLiteral(KVASIR_SCREENSHOTS));
  for (const bool isDark : {true, false}) {
    QApplication::setPalette(isDark ? darkPalette() : lightPalette());
    QTest::qWait(60);
    const QString file = QStringLiteral("%1/%2_%3_%4x.png")
                             .arg(QStringLiteral(KVASIR_SCREENSHOTS), state,
                                  isDark ? QStringLiteral("dark") : QStringLiteral("light"))
                             .arg(widget.devicePixelRatioF());
    QVERIFY(widget.grab().save(file));
  }
}

}  // namespace kvasir
