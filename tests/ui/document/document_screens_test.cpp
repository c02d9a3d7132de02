#include <QApplication>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QTest>

#include "importers/importer.h"
#include "tests/ui/document/made_documents.h"
#include "tests/ui/document/shown_view.h"
#include "ui/document/document_view.h"
#include "ui/document/find_bar.h"
#include "ui/document/flow_parts.h"
#include "ui/document/page_view.h"
#include "ui/document/side_panel.h"

namespace kvasir {
namespace {

/// Writes what the view looks like in its main states, to be looked at; only geometry is asserted.
class DocumentScreensTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    view_ = std::make_unique<DocumentView>();
    view_->resize(900, 1000);
  }

  void cleanup() { view_.reset(); }

  void nothingIsCutWithLargeLetters() {
    const QFont before = QApplication::font();
    QFont large = before;
    large.setPointSizeF(before.pointSizeF() * 1.5);
    QApplication::setFont(large);
    show(sampleDocument(), sampleFile());
    view_->light(Light::Evidence, {{0, 300}});
    view_->light(Light::Marked, {{400, 700}});
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F7);
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F, Qt::ControlModifier);
    view_->findChild<FindBar*>()->findChild<QLineEdit*>()->setText(QStringLiteral("employees"));
    waitForPages(*view_);
    for (const QLabel* label : view_->findChildren<QLabel*>()) {
      if (label->isVisible() && !label->wordWrap())
        QVERIFY2(label->width() >= label->sizeHint().width(), qPrintable(label->text()));
    }
    for (const QLineEdit* edit : view_->findChildren<QLineEdit*>()) {
      if (edit->isVisible()) QVERIFY(edit->width() > edit->fontMetrics().horizontalAdvance(edit->text()) + 6);
    }
    save(QStringLiteral("large_letters"));
    QApplication::setFont(before);
  }

  void screens_data() {
    QTest::addColumn<bool>("isDark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
  }

  void screens() {
    QFETCH(bool, isDark);
    const QPalette before = QGuiApplication::palette();
    if (isDark) QGuiApplication::setPalette(darkPalette());
    const QString theme = isDark ? QStringLiteral("dark") : QStringLiteral("light");
    show(sampleDocument(), sampleFile());
    waitForPages(*view_);
    save(QStringLiteral("pages_") + theme);
    const Document& document = *sampleDocument();
    const TextRange evidence{document.pages[3].end - 300, document.pages[3].end + 500};
    view_->light(Light::Evidence, {evidence});
    view_->light(Light::Marked, {{evidence.end + 40, evidence.end + 160}});
    view_->light(Light::Hovered, {{evidence.end + 200, evidence.end + 330}});
    view_->goTo({3, 0.62, 1.2});
    waitForPages(*view_);
    save(QStringLiteral("evidence_") + theme);
    view_->setInverted(true);
    save(QStringLiteral("inverted_") + theme);
    view_->setInverted(false);
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F, Qt::ControlModifier);
    view_->findChild<FindBar*>()->findChild<QLineEdit*>()->setText(QStringLiteral("employees"));
    QTRY_VERIFY(labelNamed(*view_, QStringLiteral("Matches"))->text().contains(QLatin1String(" of ")));
    waitForPages(*view_);
    save(QStringLiteral("find_") + theme);
    QTest::keyClick(view_->findChild<FindBar*>(), Qt::Key_Escape);
    QTest::keyClick(view_->findChild<PageView*>(), Qt::Key_F7);
    waitForPages(*view_);
    save(QStringLiteral("outline_") + theme);
    view_->findChild<SidePanel*>()->setCurrentIndex(1);
    waitForPages(*view_);
    save(QStringLiteral("thumbnails_") + theme);
    view_->findChild<SidePanel*>()->setCurrentIndex(0);
    show(sampleDocument(), QStringLiteral("/nowhere/opm_report_2014.pdf"));
    QTRY_VERIFY(labelNamed(*view_, QStringLiteral("Message"))->isVisible());
    waitForPages(*view_);
    save(QStringLiteral("words_") + theme);
    showBook();
    save(QStringLiteral("book_") + theme);
    view_->setInverted(true);
    save(QStringLiteral("book_inverted_") + theme);
    QGuiApplication::setPalette(before);
  }

  void screensOfOtherFiles_data() {
    QTest::addColumn<int>("page");
    QTest::newRow("tracemonkey_two_column.pdf") << 0;
    QTest::newRow("japanese_vertical.pdf") << 0;
    QTest::newRow("clinical_protocol_en_ar.pdf") << 1;
    QTest::newRow("rotated_page.pdf") << 0;
    QTest::newRow("encrypted_aes256_pw_foo_or_baz.pdf") << 0;
  }

  void screensOfOtherFiles() {
    QFETCH(int, page);
    const QString name = QString::fromLatin1(QTest::currentDataTag());
    const QString file = sharedFile(name);
    if (file.isEmpty()) QSKIP("the shared documents are not beside this checkout");
    const bool isLocked = name.startsWith(QLatin1String("encrypted"));
    const auto document =
        isLocked ? sampleDocument() : std::make_shared<const Document>(importFile(file.toStdString()));
    show(document, file);
    const Page& at = document->pages[static_cast<std::size_t>(page)];
    const TextRange all{at.start, at.end};
    const std::size_t third = (all.end - all.start) / 3;
    view_->light(Light::Evidence, {{all.start + third / 3, all.start + 2 * third}});
    view_->light(Light::Marked, {{all.start + 2 * third + 20, all.end + 400}});
    view_->goTo({page, 0, 1, Fit::Page});
    waitForPages(*view_);
    QVERIFY(!view_->boxesInView(all).empty());
    save(QStringLiteral("other_") + name.section(u'.', 0, 0));
  }

 private:
  void show(std::shared_ptr<const Document> document, const QString& file) {
    showIn(*view_, std::move(document), file);
  }

  void showBook() {
    const QString file = sharedFile(QStringLiteral("sherlock_holmes_adventures.epub"));
    const auto book =
        file.isEmpty() ? madeBook(12, 20) : std::make_shared<const Document>(importFile(file.toStdString()));
    show(book, file);
    const FlowParts parts(*book);
    const TextRange part = parts.range(std::min(2, parts.count() - 1));
    view_->light(Light::Evidence, {{part.start + 600, part.start + 1200}});
    view_->light(Light::Marked, {{part.start + 1300, part.start + 1400}});
    view_->light(Light::Hovered, {{part.start + 1500, part.start + 1600}});
    view_->reveal({part.start, part.start + 1});
  }

  void save(const QString& name) {
    const QString folder = QStringLiteral(KVASIR_SCREENSHOTS "/document");
    QVERIFY(QDir().mkpath(folder));
    const QString scale = view_->devicePixelRatioF() > 1 ? QStringLiteral("_2x") : QString();
    QVERIFY(view_->grab().save(folder + u'/' + name + scale + QStringLiteral(".png")));
  }

  static QPalette darkPalette() {
    QPalette palette(QColor(48, 48, 48), QColor(38, 38, 38));
    palette.setColor(QPalette::Base, QColor(30, 30, 30));
    return palette;
  }

  std::unique_ptr<DocumentView> view_;
};

}  // namespace
}  // namespace kvasir

QTEST_MAIN(kvasir::DocumentScreensTest)
#include "document_screens_test.moc"
