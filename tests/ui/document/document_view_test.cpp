#include "ui/document/document_view.h"

#include <QAbstractButton>
#include <QClipboard>
#include <QComboBox>
#include <QLineEdit>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <QTreeView>
#include <QVBoxLayout>
#include <fstream>

#include "importers/importer.h"
#include "tests/ui/context_menu.h"
#include "tests/ui/document/made_documents.h"
#include "tests/ui/document/shown_view.h"
#include "ui/document/find_bar.h"
#include "ui/document/flow_view.h"
#include "ui/document/page_view.h"
#include "ui/document/side_panel.h"

namespace kvasir {
namespace {

TextRange rangeOf(const Document& document, const std::string& words) {
  const std::size_t at = document.text.find(words);
  return at == std::string::npos ? TextRange{} : TextRange{at, at + words.size()};
}

TextRange lastRangeOf(const Document& document, const std::string& words) {
  const std::size_t at = document.text.rfind(words);
  return at == std::string::npos ? TextRange{} : TextRange{at, at + words.size()};
}

class DocumentViewTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    view_ = std::make_unique<DocumentView>();
    view_->resize(900, 1000);
  }

  void cleanup() { view_.reset(); }

  void litTextLiesUnderThePointerWhereItIsShown() {
    show(sampleDocument(), sampleFile());
    const Document& document = *sampleDocument();
    const Page& page = document.pages[12];
    const TextRange range{page.start + 200, page.start + 500};
    view_->light(Light::Evidence, {range});
    view_->reveal(range);
    const std::vector<QRect> boxes = view_->boxesInView(range);
    QVERIFY(!boxes.empty());
    QSignalSpy hovered(view_.get(), &DocumentView::hovered);
    auto* pages = view_->findChild<PageView*>();
    for (const QRect& box : boxes) {
      QVERIFY(view_->rect().contains(box));
      move(pages->viewport(), pages->viewport()->mapFrom(view_.get(), box.center()));
      const QPoint start(box.left() + 2, box.center().y());
      move(pages->viewport(), pages->viewport()->mapFrom(view_.get(), start));
      QVERIFY(!hovered.isEmpty());
      const auto byte = hovered.last().at(0).value<std::optional<std::size_t>>();
      QVERIFY(byte && *byte >= range.start && *byte < range.end);
    }
  }

  void aRangeOverAPageBreakIsLitOnBothPages() {
    show(sampleDocument(), sampleFile());
    const Page& page = sampleDocument()->pages[3];
    const TextRange range{page.end - 60, page.end + 60};
    view_->goTo({3, 0.5, 0.8});
    const auto boxes = view_->boxesInView(range);
    QVERIFY(boxes.size() >= 2);
    QVERIFY(boxes.back().top() - boxes.front().bottom() > 30);
  }

  void thePlaceIsRestored() {
    show(sampleDocument(), sampleFile());
    const DocumentPlace place{7, 0.35, 1.5};
    view_->goTo(place);
    const auto isThere = [&] {
      const DocumentPlace now = view_->place();
      return now.page == 7 && std::abs(now.top - 0.35) < 0.01 && std::abs(now.zoom - 1.5) < 0.001;
    };
    QVERIFY(isThere());
    view_->resize(700, 600);
    QVERIFY(isThere());
    view_->goTo({-4, std::numeric_limits<double>::quiet_NaN(), -1});
    QCOMPARE(view_->place().page, 0);
    view_->goTo({100'000, 0, 1e9});
    QVERIFY(view_->place().page < 24);
  }

  void zoomKeepsThePlaceUnderThePointer() {
    show(sampleDocument(), sampleFile());
    auto* pages = view_->findChild<PageView*>();
    view_->goTo({5, 0.3, 1});
    const double before = pages->zoom();
    QTest::keyClick(pages, Qt::Key_Plus, Qt::ControlModifier);
    QVERIFY(pages->zoom() > before);
    QCOMPARE(view_->place().page, 5);
    QTest::keyClick(pages, Qt::Key_0, Qt::ControlModifier);
    QCOMPARE(pages->fit(), Fit::Page);
    QTest::keyClick(pages, Qt::Key_2, Qt::ControlModifier);
    QCOMPARE(pages->fit(), Fit::Width);
    QCOMPARE(pages->horizontalScrollBar()->maximum(), 0);
    view_->resize(600, 800);
    QCOMPARE(pages->horizontalScrollBar()->maximum(), 0);
    for (int i = 0; i < 60; ++i) QTest::keyClick(pages, Qt::Key_Plus, Qt::ControlModifier);
    QCOMPARE(pages->zoom(), PageView::kLargestZoom);
  }

  void theMouseSelectsOverPagesAndCopies() {
    show(sampleDocument(), sampleFile());
    const Document& document = *sampleDocument();
    const Page& page = document.pages[3];
    view_->goTo({3, 0.5, 0.8});
    const auto first = view_->boxesInView({page.end - 40, page.end});
    const auto last = view_->boxesInView({page.end, page.end + 60});
    QVERIFY(!first.empty() && !last.empty());
    auto* pages = view_->findChild<PageView*>();
    const auto inPages = [&](QPoint point) { return pages->viewport()->mapFrom(view_.get(), point); };
    QTest::mousePress(pages->viewport(), Qt::LeftButton, {}, inPages(first.front().center()));
    move(pages->viewport(), inPages(last.back().center()), Qt::LeftButton);
    QTest::mouseRelease(pages->viewport(), Qt::LeftButton, {}, inPages(last.back().center()));
    const auto selection = view_->selection();
    QVERIFY(selection && selection->start < page.end && selection->end > page.end);
    QTest::keyClick(pages, Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QGuiApplication::clipboard()->text().toStdString(),
             document.text.substr(selection->start, selection->end - selection->start));
    QSignalSpy marked(view_.get(), &DocumentView::rangeMarked);
    for (QAction* action : view_->actions()) {
      if (action->iconText().contains(QLatin1String("Mark"))) action->trigger();
    }
    QCOMPARE(marked.size(), 1);
    QCOMPARE(marked.first().at(0).value<TextRange>(), *selection);
  }

  void aDoubleClickTakesTheWord() {
    show(sampleDocument(), sampleFile());
    const TextRange word = rangeOf(*sampleDocument(), "Performance");
    view_->reveal(word);
    auto* pages = view_->findChild<PageView*>();
    const QPoint at = pages->viewport()->mapFrom(view_.get(), view_->boxesInView(word).front().center());
    QTest::mouseDClick(pages->viewport(), Qt::LeftButton, {}, at);
    QVERIFY(view_->selection());
    QVERIFY(view_->selection()->start <= word.start && view_->selection()->end >= word.end);
  }

  void findGoesFromMatchToMatch() {
    show(sampleDocument(), sampleFile());
    auto* pages = view_->findChild<PageView*>();
    auto* bar = view_->findChild<FindBar*>();
    QVERIFY(!bar->isVisible());
    QTest::keyClick(pages, Qt::Key_F, Qt::ControlModifier);
    QVERIFY(bar->isVisible());
    QTest::keyClicks(bar->findChild<QLineEdit*>(), QStringLiteral("HUMAN resources"));
    QLabel* count = labelNamed(*bar, QStringLiteral("Matches"));
    QTRY_VERIFY(count->text().startsWith(QLatin1String("1 of ")));
    const DocumentPlace first = view_->place();
    for (int i = 0; i < 10; ++i) QTest::keyClick(bar, Qt::Key_F3);
    QTRY_VERIFY(count->text().startsWith(QLatin1String("11 of ")));
    QVERIFY(view_->place().page > first.page || view_->place().top > first.top);
    for (int i = 0; i < 11; ++i) QTest::keyClick(bar, Qt::Key_F3, Qt::ShiftModifier);
    QVERIFY(!count->text().startsWith(QLatin1String("1 of ")));  // around the start to the last
    bar->findChild<QLineEdit*>()->setText(QStringLiteral("zzzz"));
    QTRY_COMPARE(count->text(), QStringLiteral("Not found"));
    QTest::keyClick(bar->findChild<QLineEdit*>(), Qt::Key_Escape);
    QVERIFY(!bar->isVisible());
  }

  void thePageBoxTakesLabelsAndBackLeadsBack() {
    show(sampleDocument(), sampleFile());
    const Document& document = *sampleDocument();
    QLineEdit* box = nullptr;
    for (QLineEdit* edit : view_->findChildren<QLineEdit*>()) {
      if (edit->accessibleName() == QLatin1String("Page")) box = edit;
    }
    QVERIFY(box != nullptr);
    QCOMPARE(box->text().toStdString(), document.pages[0].label);
    auto* pages = view_->findChild<PageView*>();
    const auto enter = [&](const std::string& name) {
      QTest::keyClick(pages, Qt::Key_G, Qt::ControlModifier);
      box->setText(QString::fromStdString(name));
      QTest::keyClick(box, Qt::Key_Return);
    };
    enter(document.pages[10].label);
    QCOMPARE(view_->place().page, 10);
    enter("no such page");
    QCOMPARE(view_->place().page, 10);
    QVERIFY(labelNamed(*view_, QStringLiteral("Message"))->text().contains(QLatin1String("no such page")));
    QTest::keyClick(pages, Qt::Key_Left, Qt::AltModifier);
    QCOMPARE(view_->place().page, 0);
    QTest::keyClick(pages, Qt::Key_Right, Qt::AltModifier);
    QCOMPARE(view_->place().page, 10);
    QTest::keyClick(pages, Qt::Key_End, Qt::ControlModifier);
    QVERIFY(view_->place().page >= 22);
  }

  void theOutlineLeadsToItsSections() {
    show(sampleDocument(), sampleFile());
    auto* pages = view_->findChild<PageView*>();
    QTest::keyClick(pages, Qt::Key_F7);
    auto* outline = view_->findChild<QTreeView*>();
    QVERIFY(outline->isVisible());
    outline->expandAll();
    QModelIndex last = outline->model()->index(0, 0);
    while (outline->indexBelow(last).isValid()) last = outline->indexBelow(last);
    outline->setCurrentIndex(last);
    QTest::keyClick(outline, Qt::Key_Return);
    const auto page = pagesOf(*sampleDocument(), sampleDocument()->sections.back().start,
                              sampleDocument()->sections.back().start + 1);
    QVERIFY(std::abs(view_->place().page - page->first) <= 1);
    QVERIFY(view_->place().page > 0);
  }

  void aClickOnAThumbnailLeadsToItsPage() {
    show(sampleDocument(), sampleFile());
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F7);
    auto* tabs = view_->findChild<SidePanel*>()->tabBar();
    QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(1).center());
    auto* thumbnails = view_->findChild<ThumbnailView*>();
    QVERIFY(thumbnails->isVisible());
    const QModelIndex page = thumbnails->model()->index(3, 0);
    thumbnails->scrollTo(page);
    QTest::mouseClick(thumbnails->viewport(), Qt::LeftButton, {}, thumbnails->visualRect(page).center());
    QCOMPARE(view_->place().page, 3);
    thumbnails->setFocus();
    QTest::keyClick(thumbnails, Qt::Key_Down);
    QTest::keyClick(thumbnails, Qt::Key_Return);
    QVERIFY(view_->place().page > 3);
  }

  void aMenuTellsWhatIsWishedOfAPassageASelectionOrASection() {
    show(sampleDocument(), sampleFile());
    QSignalSpy wished(view_.get(), &DocumentView::wished);
    auto* pages = view_->findChild<PageView*>();
    const Word& word = sampleDocument()->words[40];
    const TextRange place{word.start, word.end};
    view_->reveal(place);
    const QPoint at = pages->viewport()->mapFrom(view_.get(), view_->boxesInView(place).at(0).center());
    move(pages->viewport(), at);
    QVERIFY(chooseFromMenu(pages->viewport(), at, QStringLiteral("Always attend")));
    const auto pointed = wished.last()[0].value<TextRange>();
    QVERIFY(pointed.start >= place.start && pointed.end <= place.end);
    QVERIFY(wished.last()[1].value<Wish>() == Wish::Always);
    QTest::mouseDClick(pages->viewport(), Qt::LeftButton, {}, at);
    QVERIFY(chooseFromMenu(pages->viewport(), at, QStringLiteral("Never attend")));
    QVERIFY(wished.last()[0].value<TextRange>() == *view_->selection());
    QTest::keyClick(pages, Qt::Key_F7);
    auto* outline = view_->findChild<QTreeView*>();
    const QModelIndex first = outline->model()->index(0, 0);
    outline->scrollTo(first);
    QVERIFY(chooseFromMenu(outline->viewport(), outline->visualRect(first).center(),
                           QStringLiteral("Let the method choose")));
    const auto section = wished.last()[0].value<TextRange>();
    QCOMPARE(section.start, sampleDocument()->sections[0].start);
    QVERIFY(section.end > section.start);
    view_->setWishObstacle(QStringLiteral("Not now."));
    QVERIFY(!chooseFromMenu(pages->viewport(), at, QStringLiteral("Always attend")));
    QApplication::activePopupWidget()->close();
  }

  void aMissingOrDamagedFileShowsItsWords_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("complaint");
    const QString broken = scratch_.filePath(QStringLiteral("broken.pdf"));
    std::ofstream(broken.toStdString()) << "%PDF-1.7\nnothing that can be read";
    const QString empty = scratch_.filePath(QStringLiteral("empty.pdf"));
    std::ofstream{empty.toStdString()};
    QTest::newRow("gone") << scratch_.filePath(QStringLiteral("gone.pdf")) << QStringLiteral("no longer");
    QTest::newRow("damaged") << broken << QStringLiteral("cannot be opened");
    QTest::newRow("empty") << empty << QStringLiteral("cannot be opened");
    QTest::newRow("a folder") << scratch_.path() << QStringLiteral("no longer");
    const QString locked = sharedFile(QStringLiteral("encrypted_aes256_pw_foo_or_baz.pdf"));
    if (!locked.isEmpty()) QTest::newRow("locked") << locked << QStringLiteral("password");
    const QString cut = sharedFile(QStringLiteral("damaged_zen_of_python.pdf"));
    if (!cut.isEmpty()) QTest::newRow("mended") << cut << QString();  // Poppler puts it right
    const QString headless = sharedFile(QStringLiteral("corrupted_no_trailer.pdf"));
    if (!headless.isEmpty()) QTest::newRow("without trailer") << headless << QString();
  }

  void aMissingOrDamagedFileShowsItsWords() {
    QFETCH(QString, file);
    QFETCH(QString, complaint);
    PageImages images;
    QSignalSpy opened(&images, &PageImages::opened);
    QSignalSpy drawn(&images, &PageImages::drawn);
    images.open(sampleDocument(), file);
    const TileKey key{20, 1, 0, 0};  // beyond the pages of any of these files
    images.want(ImageUse::Pages, {key});
    QTRY_COMPARE(drawn.size(), 1);
    QVERIFY(opened.first().at(0).toString().contains(complaint));
    const QImage* image = images.find(ImageUse::Pages, key);
    const auto boxes = boxesOfPage(20);
    QVERIFY(image != nullptr && !boxes.empty());
    int inked = 0;
    for (const QRectF& box : boxes) inked += hasInk(*image, box.toRect()) ? 1 : 0;
    QVERIFY(inked > static_cast<int>(boxes.size()) * 9 / 10);
    show(sampleDocument(), file);
    QLabel* message = labelNamed(*view_, QStringLiteral("Message"));
    if (!complaint.isEmpty()) QTRY_VERIFY(message->isVisible() && message->text().contains(complaint));
  }

  void saysWhyItGotNoFile() {
    const QString complaint = QStringLiteral("It has changed.");
    show(sampleDocument(), {});
    view_->showDocument(sampleDocument(), {}, complaint);
    QLabel* message = labelNamed(*view_, QStringLiteral("Message"));
    QTRY_VERIFY(message->isVisible() && message->text() == complaint);
    view_->showDocument(madeBook(12, 20), {}, complaint);
    QTRY_VERIFY(message->isVisible() && message->text() == complaint);
    view_->showDocument(madeBook(12, 20), {});
    QTRY_VERIFY(!message->isVisible());
  }

  void aBookWithoutPagesIsShownByPart() {
    const auto book = madeBook(12, 20);
    show(book, {});
    auto* flow = view_->findChild<FlowView*>();
    QVERIFY(flow->isVisible());
    QCOMPARE(flow->partCount(), 12);
    const TextRange range = lastRangeOf(*book, "Paragraph 17 of Chapter 9 tells of a naïve traveller");
    view_->light(Light::Evidence, {range});
    view_->reveal(range);
    QCOMPARE(view_->place().page, 8);
    const auto boxes = view_->boxesInView(range);
    QVERIFY(!boxes.empty());
    QSignalSpy hovered(view_.get(), &DocumentView::hovered);
    move(flow->viewport(), flow->viewport()->mapFrom(view_.get(), boxes.front().center()));
    QVERIFY(!hovered.isEmpty());
    const auto byte = hovered.last().at(0).value<std::optional<std::size_t>>();
    QVERIFY(byte && *byte >= range.start && *byte < range.end);
    const DocumentPlace place = view_->place();
    view_->goTo({2, 0, 1});
    QCOMPARE(view_->place().page, 2);
    view_->goTo(place);
    QCOMPARE(view_->place().page, 8);
    QVERIFY(std::abs(view_->place().top - place.top) < 0.02);
    QVERIFY(!view_->boxesInView(range).empty());
  }

  void aBooksWordsAreFoundAndSelected() {
    const auto book = madeBook(12, 20);
    show(book, {});
    auto* flow = view_->findChild<FlowView*>();
    QTest::keyClick(flow, Qt::Key_F, Qt::ControlModifier);
    auto* bar = view_->findChild<FindBar*>();
    bar->findChild<QLineEdit*>()->setText(QStringLiteral("paragraph 3 of chapter 10"));
    QTRY_COMPARE(view_->place().page, 9);
    QCOMPARE(labelNamed(*bar, QStringLiteral("Matches"))->text(), QStringLiteral("1 of 1"));
    QTest::keyClick(flow, Qt::Key_Left, Qt::AltModifier);
    QCOMPARE(view_->place().page, 0);
    QTextCursor cursor = flow->textCursor();
    cursor.setPosition(0);
    cursor.setPosition(9, QTextCursor::KeepAnchor);
    flow->setTextCursor(cursor);
    QCOMPARE(view_->selection(), std::optional(TextRange{0, 9}));
  }

  void anOpenFindBarLeavesTheNextDocumentWhereItIsShown() {
    show(madeBook(12, 20), {});
    auto* flow = view_->findChild<FlowView*>();
    QTest::keyClick(flow, Qt::Key_F, Qt::ControlModifier);
    auto* bar = view_->findChild<FindBar*>();
    bar->findChild<QLineEdit*>()->setText(QStringLiteral("paragraph 3 of chapter 10"));
    QTRY_COMPARE(view_->place().page, 9);
    view_->showDocument(madeBook(12, 20), {});
    view_->goTo({2, 0, 1});
    QTRY_COMPARE(labelNamed(*bar, QStringLiteral("Matches"))->text(), QStringLiteral("1 of 1"));
    QCOMPARE(view_->place().page, 2);
    QTest::keyClick(flow, Qt::Key_F3);
    QCOMPARE(view_->place().page, 9);
    QTest::keyClick(flow, Qt::Key_Left, Qt::AltModifier);
    QCOMPARE(view_->place().page, 2);
    view_->showDocument(madeBook(12, 20), {});
    view_->goTo({2, 0, 1});
    bar->findChild<QLineEdit*>()->setText(QStringLiteral("paragraph 3 of chapter 11"));
    QTRY_COMPARE(view_->place().page, 10);
  }

  void itsKeysWorkWithTheFocusElsewhere() {
    QWidget window;
    window.resize(900, 1000);
    auto* column = new QVBoxLayout(&window);
    auto* elsewhere = new QLineEdit(QStringLiteral("How many whales?"), &window);
    auto* view = new DocumentView(&window);
    column->addWidget(elsewhere);
    column->addWidget(view, 1);
    view->showDocument(sampleDocument(), sampleFile());
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    view->goTo({5, 0.3, 1});
    elsewhere->setFocus();
    QTest::keyClick(elsewhere, Qt::Key_Plus, Qt::ControlModifier);
    QVERIFY(view->place().zoom > 1);
    QTest::keyClick(elsewhere, Qt::Key_F7);
    QVERIFY(view->findChild<SidePanel*>()->isVisible());
    // These two are the text's own.
    QTest::keyClick(elsewhere, Qt::Key_Home, Qt::ControlModifier);
    QTest::keyClick(elsewhere, Qt::Key_End, Qt::ControlModifier);
    QCOMPARE(view->place().page, 5);
    QTest::keyClick(elsewhere, Qt::Key_F, Qt::ControlModifier);
    QVERIFY(view->findChild<FindBar*>()->isVisible());
  }

  void pagingOnLeavesAPart() {
    show(madeBook(3, 4), {});
    auto* flow = view_->findChild<FlowView*>();
    for (int i = 0; i < 8; ++i) QTest::keyClick(flow, Qt::Key_PageDown);
    QCOMPARE(view_->place().page, 2);
    for (int i = 0; i < 8; ++i) QTest::keyClick(flow, Qt::Key_PageUp);
    QCOMPARE(view_->place().page, 0);
  }

  void clearingLeavesNothingAndNothingBreaksWithout() {
    show(sampleDocument(), sampleFile());
    view_->light(Light::Marked, {{0, 100}});
    view_->clear();
    QVERIFY(!view_->selection());
    view_->light(Light::Hovered, {{5, 10}});
    view_->reveal({5, 10});
    view_->goTo({3, 0.5, 2});
    view_->setInverted(true);
    QVERIFY(view_->isInverted());
    QVERIFY(view_->boxesInView({0, 10}).empty());
    auto* pages = view_->findChild<PageView*>();
    for (const auto key : {Qt::Key_F3, Qt::Key_PageDown, Qt::Key_F7}) QTest::keyClick(pages, key);
    QTest::keyClick(pages, Qt::Key_F, Qt::ControlModifier);
    QVERIFY(!view_->findChild<FindBar*>()->isVisible());
    QTest::mouseClick(pages->viewport(), Qt::LeftButton, {}, {50, 50});
    show(madeBook(1, 1), {});
    view_->clear();
    show(std::make_shared<const Document>(), {});
    view_->reveal({5, 10});
  }

  void rangesBeyondTheTextDoNoHarm() {
    show(sampleDocument(), sampleFile());
    const std::size_t size = sampleDocument()->text.size();
    view_->light(Light::Evidence, {{size + 5, size + 10}, {10, 5}, {0, SIZE_MAX}});
    view_->reveal({size + 5, size + 10});
    view_->reveal({SIZE_MAX - 1, SIZE_MAX});
    QVERIFY(!view_->grab().isNull());
  }

  void everyControlHasANameAndTakesTheKeyboard() {
    show(sampleDocument(), sampleFile());
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F7);
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F, Qt::ControlModifier);
    for (const QWidget* widget : view_->findChildren<QWidget*>()) {
      const bool isControl = qobject_cast<const QAbstractButton*>(widget) ||
                             qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QComboBox*>(widget) ||
                             qobject_cast<const QAbstractScrollArea*>(widget);
      if (!isControl || !widget->isVisible() || widget->objectName().startsWith(QLatin1String("qt_scrollarea")))
        continue;
      if (qobject_cast<const QLineEdit*>(widget->parentWidget()) != nullptr) continue;  // Qt's own clear button
      QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
      QVERIFY2(widget->focusPolicy() != Qt::NoFocus, qPrintable(widget->accessibleName()));
    }
  }

  void theZoomBoxTakesPercentagesAndFits() {
    show(sampleDocument(), sampleFile());
    auto* box = view_->findChild<QComboBox*>();
    auto* pages = view_->findChild<PageView*>();
    const auto enter = [&](const QString& text) {
      box->setEditText(text);
      QTest::keyClick(box->lineEdit(), Qt::Key_Return);
    };
    enter(QStringLiteral("150"));
    QCOMPARE(pages->zoom(), 1.5);
    QCOMPARE(box->currentText(), QStringLiteral("150 %"));
    enter(QStringLiteral("fit page"));
    QCOMPARE(pages->fit(), Fit::Page);
    const double fitted = pages->zoom();
    enter(QStringLiteral("no number"));
    QCOMPARE(pages->zoom(), fitted);
    enter(QStringLiteral("75 %"));
    QCOMPARE(pages->zoom(), 0.75);
  }

  void pagesAreDrawnWhileAnotherFileIsImported() {
    PageImages images;
    images.open(sampleDocument(), sampleFile());
    const std::unique_ptr<QThread> importing(QThread::create([] {
      for (int i = 0; i < 2; ++i) importFile(sampleFile().toStdString());
    }));
    importing->start();
    for (int round = 0; round < 3; ++round) {
      for (int page = 0; page < 24; ++page) {
        const TileKey key{page, 0.5 + round, 0, 0};
        images.want(ImageUse::Pages, {key});
        QTRY_VERIFY(images.find(ImageUse::Pages, key) != nullptr);
      }
    }
    QVERIFY(importing->wait(60'000));
  }

  void aScreenReaderIsGivenThePagesText() {
    show(sampleDocument(), sampleFile());
    view_->goTo({2, 0, 1});
    const Page& page = sampleDocument()->pages[2];
    const std::string text = sampleDocument()->text.substr(page.start, 40);
    QVERIFY(view_->findChild<PageView*>()->accessibleDescription().toStdString().starts_with(text));
  }

 private:
  void show(std::shared_ptr<const Document> document, const QString& file) {
    showIn(*view_, std::move(document), file);
  }

  /// QTest::mouseMove presses no button, and moves nothing where the pointer stands already.
  static void move(QWidget* widget, QPoint to, Qt::MouseButtons buttons = Qt::NoButton) {
    QMouseEvent event(QEvent::MouseMove, QPointF(to), widget->mapToGlobal(QPointF(to)), Qt::NoButton, buttons,
                      {});
    QCoreApplication::sendEvent(widget, &event);
  }

  static std::vector<QRectF> boxesOfPage(int page) {
    std::vector<QRectF> boxes;
    for (const Word& word : sampleDocument()->words) {
      if (word.page == page)
        boxes.emplace_back(QPointF(word.box.left, word.box.top), QPointF(word.box.right, word.box.bottom));
    }
    return boxes;
  }

  static bool hasInk(const QImage& image, const QRect& area) {
    const QRect inside = area.intersected(image.rect());
    for (int y = inside.top(); y <= inside.bottom(); ++y) {
      for (int x = inside.left(); x <= inside.right(); ++x) {
        if (qGray(image.pixel(x, y)) < 200) return true;
      }
    }
    return false;
  }

  QTemporaryDir scratch_;
  std::unique_ptr<DocumentView> view_;
};

}  // namespace
}  // namespace kvasir

QTEST_MAIN(kvasir::DocumentViewTest)
#include "document_view_test.moc"
