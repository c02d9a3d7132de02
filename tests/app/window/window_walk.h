#pragma once

#include <QStringList>

class QWidget;

/// Controls in view that can have the focus and have no accessible name: "QLineEdit in LibraryPanel".
QStringList controlsWithoutName(const QWidget& window);

/// Labels, buttons and boxes in view whose text is wider or higher than their place.
QStringList cutTexts(const QWidget& window);
