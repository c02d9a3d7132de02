#pragma once

#include <QElapsedTimer>
#include <QStringList>
#include <QTimer>

#include <algorithm>

class QWidget;

/// What dragging files over the window and letting them go does.
void dropFiles(QWidget& window, const QStringList& files);

/// Controls in view that can have the focus and have no accessible name: "QLineEdit in LibraryPanel".
QStringList controlsWithoutName(const QWidget& window);

/// Labels, buttons, boxes and headers of tables in view whose text is wider or higher than their place.
QStringList cutTexts(const QWidget& window);

/// A PDF of so many pages of text, no two lines the same.
void writeLongPdf(const QString& file, int pages);

/// The longest time between two turns of the event loop while it lives.
class LongestGap {
 public:
  LongestGap() {
    clock_.start();
    QObject::connect(&timer_, &QTimer::timeout, &timer_, [this] {
      longest_ = std::max(longest_, clock_.restart());
      ++turns_;
    });
    timer_.start(1);  // not 0, which would keep a core busy
  }
  qint64 milliseconds() const { return longest_; }
  int turns() const { return turns_; }

 private:
  QTimer timer_;
  QElapsedTimer clock_;
  qint64 longest_ = 0;
  int turns_ = 0;
};
