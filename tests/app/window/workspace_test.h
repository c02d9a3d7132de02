#pragma once

#include <memory>

#include <QObject>
#include <QString>
#include <QUrl>
#include <QWidget>

#include "tests/app/window/driven_window.h"

class QInputDialog;

namespace kvasir {
class HeatPlot;
}  // namespace kvasir

inline const QString kQuestion = kvasir::sampleQuestionText();

/// The whole window over the stand-in for the engine. One object, its tests by subject in several files.
class WorkspaceTest : public QObject {
  Q_OBJECT

 private:
  using Sample = kvasir::DrivenWindow::Sample;
  using Start = kvasir::DrivenWindow::Start;

  std::unique_ptr<kvasir::DrivenWindow> driven_;
  QUrl openedUrl_;
  void start(Sample sample = Sample::None, Start how = Start::Usual) { driven_->start(sample, how); }
  void restart();
  kvasir::Workspace& workspace() { return driven_->workspace(); }
  kvasir::MainWindow& window() { return driven_->window(); }
  kvasir::AskPanel& panel() { return driven_->panel(); }
  kvasir::QuestionBox& box() { return driven_->box(); }
  const kvasir::Exchange* shown() { return driven_->shown(); }
  QString conversation() { return driven_->conversation(); }
  bool isReady() { return driven_->isReady(); }
  void openSample() { driven_->openSample(); }
  void ask(const QString& question) { driven_->ask(question); }
  void askAndWait(const QString& question) { driven_->askAndWait(question); }
  bool clickLink(const QString& target) { return driven_->clickLink(target); }
  bool isFound(int chunk);
  /// The map by position, in view and with the chunk in its middle.
  kvasir::HeatPlot& mapAt(int chunk);
  static QPoint placeOf(const kvasir::HeatPlot& plot, int chunk);
  bool chooseOnMap(int chunk, const QString& text);
  void clickOnMap(int chunk);
  /// Opens a long document and then a short one, asks both for what stands in the long one's beginning, and
  /// gives a chunk of it that was not found.
  int askBesideALongDocument();
  void clickInLibrary(const QString& title);
  /// Asks, from now on with time between an answer's words, and comes back when so many have come.
  void askUntilHeard(const QString& question, int words);
  /// What the lower part of the window can show.
  QWidgetList lowerViews();
  /// From now on an answer takes six seconds.
  static void answerSlowly();
  void typeInto(QInputDialog* dialog, const QString& text);
  QString textInTable(int chunk);

 public Q_SLOTS:
  void onUrl(const QUrl& url) { openedUrl_ = url; }

 private Q_SLOTS:
  void init();
  void cleanup() { driven_.reset(); }

  // workspace_asking_test.cpp
  void startsWithTheSampleAndItsQuestion();
  void opensByDropAndAnswersWithMarks();
  void answersFromWhatHasBeenReadSoFar();
  void showsWhatAStoppedAnswerRestedOn();
  void keepsWhatAStoppedAnswerRestedOnWhileAnotherConversationIsShown();
  void stopsWhatIsReadForAQuestion();
  void readsNoFurtherForAnAnswerThatWasStopped();
  void saysThatTheDocumentDoesNotSay();
  void stopsMidwayAndKeepsTheText();
  void asksAgainByItsLink();
  void sendsWhatWasSaidWithAFollowUp();
  void stopsByEscWhereverTheFocusIs();
  void asksTheDocumentThatIsOpenWhatCameWithItsFile();
  void asksTheDocumentItCameWithWhateverIsClickedMeanwhile();
  void asksNoOtherDocumentWhatCameWithAFileThatFailed();
  void keepsTheQuestionThatCameWithADocumentThatDoesNotOpen();
  void keepsTheQuestionThatCameWithAFolderOfNoDocuments();
  void leavesInTheBoxWhatCameWithAFileWhileAnotherQuestionIsAnswered();
  void usesMoreBudget();

  // workspace_evidence_test.cpp
  void showsTheTextOfAPinnedChunkOfAnotherDocument();
  void saysWhyAPinnedChunkHasNoText();
  void showsWhereSingleTokensLooked();
  void pinsASection();
  void pinsTheSectionOfAChunkThatWasNotFound();
  void sendsPinsAndBlocksWithTheNextQuestion();
  void takesWishesFromMapPageAndOutline();
  void offersNoWishesThatAMethodDoesNotHeed();
  void showsWhatAChunkChanges();
  void showsWhatStatesAndWordsGaveOfAScore();
  void lightsTheChunkUnderTheMouseEverywhere();

  // workspace_comparing_test.cpp
  void comparesMethods();
  void stopsAComparison();
  void tellsThatLongWorkHasEnded();
  void endsAComparisonWithItsDocument();
  void endsAComparisonForAnotherDocument();
  void takesAwayItsOwnNoticesOnly();
  void verifiesAgainstFullAttention();
  void saysHowMuchItIsAtMostWhereChunksWereSeenInPart();
  void stopsVerifyingForAQuestion();

  // workspace_library_test.cpp
  void asksSeveralDocumentsAndGoesToTheRightOne();
  void staysWithTheSelectedDocumentsWhileMoreAreSelected();
  void selectsTheDocumentThatIsOpened();
  void opensRecentFiles();
  void findsDocumentsByCollectionAndSearch();
  void tellsWhyADocumentFailedAndTriesAgain();
  void readsOnAndForgetsByTheMenuOfARow();
  void readsAnewForAnotherBudgetAndAnotherModel();
  void saysThatTheOpenFileHasChanged();

  // workspace_keeping_test.cpp
  void keepsSeveralConversations();
  void exportsTheConversation();
  void exportsByTheButtonAndItsDialog();
  void findsEverythingAgainAtTheNextStart();
  void findsTheQuestionAgainThatACrashCutOff();
  void showsAQuestionOnceWhileItIsAnswered();
  void keepsAQuestionThatFailed();
  void startsSafeAfterACrash();
  void offersTheLogAfterACrash();
  void leavesAndFindsThePlaceInADocument();

  // workspace_controls_test.cpp
  void isUsableWithinASecond();
  void fieldsLeaveDropsToTheWindow();
  void neverStallsOverALongPdf();
  void neverStallsWhileTheEngineWorks();
  void saysInTheStatusLineWhatIsKnown();
  void reachesEveryControlByKey();
  void leadsFromTheLibraryToTheEvidenceByTab();
  void givesALetterToOneControlOnly();
  void namesEveryControl();
  void cutsNoTextAtOneAndAHalfTimesTheFont();
  void tellsOfDevicesAndChecksTheKernels();
  void tellsThatSettingsCannotBeWritten();
  void tellsThatTheMethodOfTheSettingsIsNotThere();
  void keepsAMethodWithTheBitsThatWereChosen();
  void showsDialogs();
};
