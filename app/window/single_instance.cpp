#include "app/window/single_instance.h"

#include <stdexcept>
#include <utility>

#include <QCryptographicHash>
#include <QDataStream>
#include <QDeadlineTimer>
#include <QDir>
#include <QLocalServer>
#include <QLocalSocket>
#include <QThread>

#include "app/text.h"

namespace kvasir {
namespace {

constexpr int kConnectMilliseconds = 500;
constexpr int kPauseMilliseconds = 50;
constexpr qint64 kMostBytes = 1 << 20;  // of a message; more is not ours
constexpr char kTaken = 'k';

QString nameFor(const QString& place) {
  const QByteArray whole = (QDir::homePath() + QLatin1Char('\n') + place).toUtf8();
  return QStringLiteral("kvasir-") +
         QString::fromLatin1(QCryptographicHash::hash(whole, QCryptographicHash::Sha256).toHex().left(16));
}

/// The folder, made, by the one name that all starts know it by; as it was given where it cannot be made.
QString made(const QString& folder) {
  QDir().mkpath(folder);
  const QString whole = QDir(folder).canonicalPath();
  return whole.isEmpty() ? folder : whole;
}

}  // namespace

SingleInstance::SingleInstance(const QString& place, QObject* parent)
    : QObject(parent), place_(made(place)), name_(nameFor(place_)), server_(new QLocalServer(this)) {
  server_->setSocketOptions(QLocalServer::UserAccessOption);
  connect(server_, &QLocalServer::newConnection, this, &SingleInstance::accept);
}

// While the lock is held: afterwards the name is another's.
SingleInstance::~SingleInstance() { server_->close(); }

bool SingleInstance::lockPlace() {
  auto lock = FileLock::tryLock(pathOf((place_ + QStringLiteral("/kvasir.lock")).toStdString()));
  if (lock) lock_.emplace(std::move(*lock));
  return lock_.has_value();
}

SingleInstance::Standing SingleInstance::begin(const QStringList& files, const QString& question,
                                               std::chrono::milliseconds patience) {
  const QDeadlineTimer deadline(patience);
  try {
    while (!lockPlace()) {
      const std::chrono::milliseconds left(deadline.remainingTime());
      if (handOver(files, question, left)) return Standing::HandedOver;
      if (deadline.hasExpired()) return Standing::Unheard;
      QThread::msleep(kPauseMilliseconds);  // there is no window yet that this could hold up
    }
    return Standing::First;
  } catch (const std::runtime_error&) {
    // A folder that cannot be written has no lock; as far as can be told, whom nobody answers is the first.
    return handOver(files, question, patience) ? Standing::HandedOver : Standing::First;
  }
}

bool SingleInstance::handOver(const QStringList& files, const QString& question,
                              std::chrono::milliseconds patience) const {
  const QDeadlineTimer deadline(patience);
  QLocalSocket socket;
  socket.connectToServer(name_);
  if (!socket.waitForConnected(kConnectMilliseconds)) return false;
  QByteArray message;
  QDataStream stream(&message, QIODevice::WriteOnly);
  stream.setVersion(QDataStream::Qt_6_4);
  stream << files << question;
  socket.write(message);
  socket.flush();
  // One that is busy answers late, and had better not be sent the same twice; one that ends hangs up.
  while (socket.bytesAvailable() == 0) {
    if (!socket.waitForReadyRead(static_cast<int>(deadline.remainingTime()))) return false;
  }
  return socket.read(1) == QByteArray(1, kTaken);
}

void SingleInstance::listen() {
  if (server_->listen(name_)) return;
  QLocalServer::removeServer(name_);  // left by a run that did not end by itself
  server_->listen(name_);
}

void SingleInstance::accept() {
  while (QLocalSocket* socket = server_->nextPendingConnection()) {
    connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
    connect(socket, &QLocalSocket::readyRead, this, [this, socket] {
      if (socket->bytesAvailable() > kMostBytes) return socket->abort();
      QDataStream stream(socket);
      stream.setVersion(QDataStream::Qt_6_4);
      QStringList files;
      QString question;
      stream.startTransaction();
      stream >> files >> question;
      if (!stream.commitTransaction()) return;
      socket->write(QByteArray(1, kTaken));
      socket->flush();
      Q_EMIT received(files, question);
    });
  }
}

}  // namespace kvasir
