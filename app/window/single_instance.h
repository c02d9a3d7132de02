#pragma once

#include <chrono>
#include <optional>

#include <QObject>
#include <QStringList>

#include "app/file_lock.h"

class QLocalServer;

namespace kvasir {

/// One window a library: a second start hands its files to the first, and ends. The first is who holds a lock,
/// from its start until this object goes, so that neither two starts at once nor one that is just ending count
/// for two.
class SingleInstance : public QObject {
  Q_OBJECT
 public:
  enum class Standing {
    First,       ///< no other runs
    HandedOver,  ///< another took the files
    Unheard      ///< another runs, and did not answer
  };

  /// `place`, a folder that is made where it is missing, tells instances apart: those of another library or
  /// user are others.
  explicit SingleInstance(const QString& place, QObject* parent = nullptr);
  ~SingleInstance() override;

  /// Tries both so long: another may be about to listen, or about to end.
  Standing begin(const QStringList& files, const QString& question, std::chrono::milliseconds patience);
  /// True when a running instance took them. Waits no longer for its answer.
  bool handOver(const QStringList& files, const QString& question, std::chrono::milliseconds patience) const;
  /// Takes files from now on; for the first alone.
  void listen();

 Q_SIGNALS:
  void received(QStringList files, QString question);

 private:
  void accept();
  bool lockPlace();

  QString place_, name_;
  std::optional<FileLock> lock_;
  QLocalServer* server_;
};

}  // namespace kvasir
