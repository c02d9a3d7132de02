#pragma once

#include <QObject>

#include "app/window/lane.h"
#include "app/window/shelf.h"

namespace kvasir {

/// The window's way to library and engine. Two threads: one has the engine and does what takes long, one thing
/// at a time, questions before imports before reading; the other opens documents and keeps conversations. All
/// functions and signals are on the window's thread; what crosses is immutable. Failures arrive as sentences.
class Session : public QObject {
  Q_OBJECT
 public:
  explicit Session(const std::filesystem::path& library, QObject* parent = nullptr);
  /// Stops the engine's work, and waits until what is to be kept is kept.
  ~Session() override;

  enum class Reading { InBackground, WhenAsked };
  /// `method` and budget are those documents are read for. Lists the library; unread documents are read then.
  void start(const AskSettings& readFor, Reading reading);
  /// The same for others, or after setEngine. What documents are to be read in the background is not known
  /// before the engine is there, so it is loaded for that.
  void setReading(const AskSettings& readFor, Reading reading);
  void setEngine(const EngineJob& settings);

  const std::vector<LibraryRow>& rows() const { return shelf_.rows(); }
  const LibraryRow* row(const QString& key) const { return shelf_.find(key); }

  void addFiles(const QStringList& paths);  ///< files and folders
  void tryAgain(const QString& key);        ///< what failed or was stopped
  void stopWork(const QString& key);        ///< importing or reading; what was read is kept
  void remove(const QString& id);
  void unread(const QString& id);  ///< forgets what was read of it, and leaves it so until it is wished for
  void collect(const QString& id, const QString& name);

  /// The document that was opened last is read before the others.
  void open(const QString& id);
  void loadText(const QString& id);  ///< without opening it: quick
  /// Gives the question's number. Of several documents the question is asked as of one. They are read first, to
  /// their ends or as far as `extent` needs; reading goes on afterwards.
  quint64 ask(const QStringList& ids, const QString& question, const AskSettings& settings,
              Extent extent = Extent::Whole);
  /// Whether documents are read without being asked, for these settings.
  bool readsInBackground(const AskSettings& settings) const;
  bool readsByItself() const { return reading_ == Reading::InBackground; }
  void stopQuestion(quint64 number);
  /// Work that can be stopped by its number (stopQuestion); the exchange is told all the same.
  quint64 verify(const ExchangePointer& exchange);
  quint64 retrace(const ExchangePointer& exchange);
  void keep(const ExchangePointer& exchange);
  void forget(const QString& id);  ///< its conversations
  void talk(qint64 conversation);  ///< wishes to know what was said in it
  void nameConversation(qint64 conversation, const QString& title);
  void dropConversation(qint64 conversation);
  void findDevices();
  void checkDevices();
  void keepPlace(const QString& id, const DocumentPlace& place);

 Q_SIGNALS:
  void rowsChanged();
  void listed();
  void imported(QString path, QString id);
  void opened(std::shared_ptr<const kvasir::Opened> document);
  void openFailed(QString id, QString sentence);
  void textLoaded(QString id, std::shared_ptr<const kvasir::Document> document);
  void textFailed(QString id, QString sentence);
  void worked(kvasir::Progress progress);  ///< whatever is being done
  void idle();
  void readingEnded();  ///< of the last document that waited for it
  /// Of a verification too.
  void questionProgressed(quint64 question, kvasir::Progress progress, double secondsLeft);
  void answerGrew(quint64 question, QString piece);
  void answered(quint64 question, std::shared_ptr<const kvasir::Answered> answer);
  void questionStopped(quint64 question);
  void questionFailed(quint64 question, QString sentence);
  void verified(qint64 exchange, std::shared_ptr<const kvasir::FullAttention> full);
  void retraced(qint64 exchange, std::shared_ptr<const kvasir::Exchange> result);  ///< null: it failed
  void talked(std::shared_ptr<const kvasir::Talk> talk);
  void removed(QString id);
  void engineLoaded(QString device);
  void devicesFound(std::shared_ptr<const kvasir::Devices> devices);
  void devicesChecked(std::shared_ptr<const kvasir::Checked> checked);
  void documentFailed(QString key, QString sentence);  ///< its row says so too
  void addFailed(QString sentence);                    ///< nothing of what was added is imported
  void told(QString sentence);                         ///< a failure that belongs to nothing else

 private:
  void connectLane(Lane* lane);
  void onStarted(const Task& task);
  void onProgress(const Task& task, const Progress& progress, double secondsLeft);
  void onEnded(const Task& task, const Outcome& outcome);
  void end(const Task& task, const ListJob& job, const Outcome& outcome);
  void end(const Task& task, const ImportJob& job, const Outcome& outcome);
  void end(const Task& task, const ReadJob& job, const Outcome& outcome);
  void end(const Task& task, const AskJob& job, const Outcome& outcome);
  void end(const Task& task, const VerifyJob& job, const Outcome& outcome);
  void end(const Task& task, const RetraceJob& job, const Outcome& outcome);
  void end(const Task& task, const TalkJob& job, const Outcome& outcome);
  void end(const Task& task, const RemoveJob& job, const Outcome& outcome);
  void end(const Task& task, const UnreadJob& job, const Outcome& outcome);
  void end(const Task& task, const OpenJob& job, const Outcome& outcome);
  void end(const Task& task, const TextJob& job, const Outcome& outcome);
  void end(const Task& task, const CollectionsJob& job, const Outcome& outcome);
  void end(const Task& task, const DevicesJob& job, const Outcome& outcome);
  void end(const Task& task, const CheckJob& job, const Outcome& outcome);
  void end(const Task& task, const FindJob& job, const Outcome& outcome);
  template <class Other>
  void end(const Task& task, const Other& job, const Outcome& outcome);
  void endReading(const std::string& id, const Outcome& outcome);
  void fail(const QString& key, const QString& sentence);
  void listRows();
  void readSoon(const QString& id);
  void queueReading(const QString& id);
  void readFirst(const QString& id);
  bool isReadAlike(const AskSettings& settings) const;
  bool isReadingWanted(const QString& id) const;
  void queueImport(const QString& path);

  Shelf shelf_;
  AskSettings readFor_;
  Reading reading_ = Reading::InBackground;
  QString opened_, shown_;  // the second may just be opening
  bool isListOld_ = false;  ///< a document was imported while the library was being listed
  Lane* work_;
  Lane* imports_;  ///< so that files are imported while a document is read
  Lane* desk_;
};

}  // namespace kvasir
