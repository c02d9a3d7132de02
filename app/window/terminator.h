#pragma once

#include <QObject>

namespace kvasir {

/// Hears when the system or a terminal wishes the program to end (SIGTERM, SIGINT, SIGHUP), so that it ends as
/// by its window. One at a time. Where there are no such signals it does nothing.
class Terminator : public QObject {
  Q_OBJECT
 public:
  explicit Terminator(QObject* parent = nullptr);
  ~Terminator() override;

 Q_SIGNALS:
  void wished();

 private:
  int pipe_[2] = {-1, -1};  ///< the handler writes a byte, the event loop reads it
};

}  // namespace kvasir
