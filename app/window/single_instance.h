#pragma once

#include <memory>

#include <QObject>
#include <QStringList>

class QLocalServer;

namespace kvasir {

/// One window a library: a second start hands its files to the first, and ends.
class SingleInstance : public QObject {
  Q_OBJECT
 public:
  /// `place` tells instances apart: those of another library or user are others.
  explicit SingleInstance(const QString& place, QObject* parent = nullptr);
  ~SingleInstance() override;

  /// True when a running instance took them. Waits half a second at most for its answer.
  bool handOver(const QStringList& files, const QString& question) const;
  /// Takes files from now on.
  void listen();

 Q_SIGNALS:
  void received(QStringList files, QString question);

 private:
  void accept();

  QString name_;
  QLocalServer* server_;
};

}  // namespace kvasir
