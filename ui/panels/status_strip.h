#pragma once

#include <cstdint>
#include <optional>

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace kvasir {

/// Figures of the last answer and of what is being done. What is not known is left out.
struct StatusValues {
  double tokensPerSecond = 0;
  double firstTokenSeconds = 0;
  std::int64_t kvBytesInMemory = 0, kvBytesOnDisk = 0;
  int attendedTokens = 0, budgetTokens = 0;
  QString device;
  std::optional<double> coverage;
  bool isCoverageExact = false;   ///< verified against full attention
  bool isCoverageAtMost = false;  ///< and no more than that: chunks that were seen in part count as whole
  int passagesReadAnew = 0;  ///< which the answer was given from; 0: it was given over the document's own KV
  bool canUseMore = false;   ///< whether a larger budget would show the model more of the document
};

/// The line below the window.
class StatusStrip : public QWidget {
  Q_OBJECT
 public:
  explicit StatusStrip(QWidget* parent = nullptr);
  void setValues(const StatusValues& values);
  const StatusValues& values() const { return values_; }

 Q_SIGNALS:
  void moreBudgetWished();

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  QLabel* addLabel(const QString& name, const QString& explanation);
  void setPart(QLabel* label, bool isKnown, const QString& text);
  void fit();  ///< leaves out what has no room, the least wanted first

  StatusValues values_;
  QLabel *speed_, *firstToken_, *kv_, *budget_, *device_;
  QProgressBar* coverage_;
  QPushButton* more_;
};

}  // namespace kvasir
