#pragma once

#include <QElapsedTimer>
#include <QStringList>
#include <QTimer>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

class QMainWindow;
class QTextBrowser;
class QWidget;

/// What dragging files over the window and letting them go does.
void dropFiles(QWidget& window, const QStringList& files);

/// Clicks the first link whose target begins so; false where there is none.
bool clickLink(QTextBrowser& browser, const QString& target);

/// Clicks the first button in view of that name, which is its accessible one or else its text without mnemonic;
/// false where there is none, or it is off.
bool clickButton(const QWidget& within, const QString& name);

/// Controls in view that can have the focus and have no accessible name: "QLineEdit in LibraryPanel".
QStringList controlsWithoutName(const QWidget& window);

/// Controls in view that cannot have the focus, but for those that are reached otherwise; and controls that Tab
/// does not come to on its way through the window, which must be active.
QStringList controlsOutOfReach(QWidget& window);

/// Texts that share a letter: entries of one menu; or menus' titles, buttons and labels of fields in what is in
/// view of the window, hidden ones among them: "&File, &Find:".
QStringList clashingLetters(const QMainWindow& window);

/// Labels, buttons, boxes, fields, tabs, meters and headers of tables in view whose text is wider or higher
/// than their place.
QStringList cutTexts(const QWidget& window);

/// A PDF of so many pages of text, no two lines the same.
void writeLongPdf(const QString& file, int pages);

/// The longest time between two turns of the event loop while it lives. A busy machine lets every thread wait:
/// a thread that does nothing but sleep tells how long, and that is not the window's.
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
  qint64 milliseconds() const { return std::max<qint64>(0, longest_ - machine_); }
  int turns() const { return turns_; }

 private:
  QTimer timer_;
  QElapsedTimer clock_;
  qint64 longest_ = 0;
  int turns_ = 0;
  std::atomic<qint64> machine_ = 0;
  std::jthread sleeper_{[this](const std::stop_token& stop) {
    QElapsedTimer clock;
    for (clock.start(); !stop.stop_requested();) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      machine_ = std::max<qint64>(machine_, clock.restart());
    }
  }};
};
