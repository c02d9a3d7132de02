#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <QString>
#include <QStringList>
#include <QWidget>

#include "engine/engine.h"
#include "ui/text_range.h"

namespace kvasir {

/// One chunk that a method's answer rested on.
struct CompareEvidence {
  TextRange range;
  double share = 0;  ///< of the attention, 0 to 1
};

/// What one method made of the question.
struct CompareEntry {
  QString method;
  bool isRunning = false;  ///< the figures below are not known yet
  QString failure;         ///< a sentence; empty: it went well
  QString answer;
  double totalSeconds = 0, firstTokenSeconds = 0;
  std::size_t kvBytes = 0;  ///< held in memory
  std::vector<CompareEvidence> evidence;
  std::size_t documentBytes = 0;  ///< length of the text that the ranges are of
  bool hasMaps = false;
  bool isWaiting = false;  ///< for its turn, while it is running
};

/// The same question by several methods, side by side: answers, figures, where the evidence lies and how much
/// of it the methods share. Shows values and emits wishes.
class ComparePanel : public QWidget {
  Q_OBJECT
 public:
  explicit ComparePanel(QWidget* parent = nullptr);
  ~ComparePanel() override;

  void setMethods(const std::vector<MethodInfo>& methods);  ///< to choose from; chosen ones stay chosen
  /// One more to choose from, below the one it is a kind of ("snapkv:window=64"), if it is not there yet.
  void addMethod(const QString& name);
  void setEntries(std::vector<CompareEntry> entries);
  void setStage(const QString& sentence);  ///< what is being done; empty: nothing
  void setBusy(bool isBusy);               ///< while busy the button stops instead of comparing
  QStringList chosenMethods() const;

 Q_SIGNALS:
  void compareWished(const QStringList& methods);
  void stopWished();
  void mapsWished(int entry);  ///< and evidence, of one of the entries

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kvasir
