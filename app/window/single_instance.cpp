#include "app/window/single_instance.h"

#include <QCryptographicHash>
#include <QDataStream>
#include <QDir>
#include <QLocalServer>
#include <QLocalSocket>

namespace kvasir {
namespace {

constexpr int kWaitMilliseconds = 500;
constexpr qint64 kMostBytes = 1 << 20;  // of a message; more is not ours
constexpr char kTaken = 'k';

QString nameFor(const QString& place) {
  const QByteArray whole = (QDir::homePath() + QLatin1Char('\n') + place).toUtf8();
  return QStringLiteral("kvasir-") +
         QString::fromLatin1(QCryptographicHash::hash(whole, QCryptographicHash::Sha256).toHex().left(16));
}

}  // namespace

SingleInstance::SingleInstance(const QString& place, QObject* parent)
    : QObject(parent), name_(nameFor(place)), server_(new QLocalServer(this)) {
  server_->setSocketOptions(QLocalServer::UserAccessOption);
  connect(server_, &QLocalServer::newConnection, this, &SingleInstance::accept);
}

SingleInstance::~SingleInstance() = default;

bool SingleInstance::handOver(const QStringList& files, const QString& question) const {
  QLocalSocket socket;
  socket.connectToServer(name_);
  if (!socket.waitForConnected(kWaitMilliseconds)) return false;
  QByteArray message;
  QDataStream stream(&message, QIODevice::WriteOnly);
  stream.setVersion(QDataStream::Qt_6_4);
  stream << files << question;
  socket.write(message);
  socket.flush();
  while (socket.bytesAvailable() == 0) {
    if (!socket.waitForReadyRead(kWaitMilliseconds)) return false;
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
