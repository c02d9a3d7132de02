#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>

#include "ui/panels/method_box.h"

using namespace kvasir;

namespace {

using Kind = MethodNumber::Kind;

std::vector<MethodChoice> someMethods() {
  return {{QStringLiteral("full"), QStringLiteral("everything")},
          {QStringLiteral("snapkv"),
           QStringLiteral("what the question attends to"),
           {{"window", "Last tokens whose attention counts", 32, 1, 128},
            {"neighbours", "Tokens that a score is spread over", 5, 1, 63, Kind::Odd},
            {"page", "Tokens of a page", 0, 0, 64, Kind::PowerOfTwo},
            {"share", "Share of the budget", .5, 0, 1, Kind::Real, false}},
           {{QStringLiteral("+kivi-4"), QStringLiteral("4 bits")},
            {QStringLiteral("+kivi-2"), QStringLiteral("2 bits")}}},
          {QStringLiteral("streaming"),
           QStringLiteral("recent tokens"),
           {},
           {{QStringLiteral("+kivi-2"), QStringLiteral("2 bits")}}}};
}

}  // namespace

class MethodBoxTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    box_ = std::make_unique<MethodBox>(QStringLiteral("Method"));
    box_->setMethods(someMethods());
  }

  void offersNumbersWhereThereAreSome() {
    QCOMPARE(box_->method(), QStringLiteral("full"));
    QVERIFY(!button()->isEnabled());
    box_->setMethod(QStringLiteral("snapkv"));
    QVERIFY(button()->isEnabled());
    QVERIFY(!button()->accessibleName().isEmpty());
  }

  void saysWhatTheMethodShownDoes() {
    QCOMPARE(box_->list()->toolTip(), QStringLiteral("everything"));
    for (const char* name : {"snapkv", "snapkv+kivi-4:window=64"}) {
      box_->setMethod(QString::fromLatin1(name));
      QCOMPARE(box_->list()->toolTip(), QStringLiteral("what the question attends to"));
      QCOMPARE(box_->list()->accessibleDescription(), box_->list()->toolTip());
    }
  }

  void chosenNumbersAreOneMoreMethod() {
    box_->setMethod(QStringLiteral("snapkv"));
    QSignalSpy changed(box_.get(), &MethodBox::methodChanged);
    NumbersDialog* dialog = opened();
    field<QSpinBox>(dialog, "window")->setValue(64);
    field<QComboBox>(dialog, "page")->setCurrentText(QStringLiteral("16"));
    QCOMPARE(dialog->name(), QStringLiteral("snapkv:window=64:page=16"));
    field<QDoubleSpinBox>(dialog, "share")->setValue(0.25);
    dialog->accept();
    QCOMPARE(box_->method(), QStringLiteral("snapkv:window=64:page=16:share=0.25"));
    QCOMPARE(changed.size(), 1);
    QCOMPARE(changed[0][0].toString(), box_->method());
    QCOMPARE(box_->list()->count(), 4);
    QCOMPARE(box_->list()->findText(box_->method()), 2);  // below its row
    // The same numbers are not listed twice, and those that are usual again are the row itself.
    opened()->accept();
    QCOMPARE(box_->list()->count(), 4);
    dialog = opened();
    QCOMPARE(field<QSpinBox>(dialog, "window")->value(), 64);
    dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::RestoreDefaults)->click();
    QCOMPARE(dialog->name(), QStringLiteral("snapkv"));
    dialog->accept();
    QCOMPARE(box_->method(), QStringLiteral("snapkv"));
  }

  void nothingChangesWithoutConsent() {
    box_->setMethod(QStringLiteral("snapkv"));
    NumbersDialog* dialog = opened();
    field<QSpinBox>(dialog, "window")->setValue(64);
    dialog->reject();
    QCOMPARE(box_->method(), QStringLiteral("snapkv"));
    QCOMPARE(box_->list()->count(), 3);
  }

  void takesTheNearestThatCanBe() {
    box_->setMethod(QStringLiteral("snapkv"));
    NumbersDialog* dialog = opened();
    field<QSpinBox>(dialog, "neighbours")->setValue(8);
    QCOMPARE(dialog->name(), QStringLiteral("snapkv:neighbours=9"));
  }

  void saysWhenADocumentIsReadAnew() {
    box_->setMethod(QStringLiteral("snapkv"));
    NumbersDialog* dialog = opened();
    QVERIFY(!saysThatItIsReadAnew(dialog));
    field<QDoubleSpinBox>(dialog, "share")->setValue(0.25);
    QVERIFY(!saysThatItIsReadAnew(dialog));
    field<QSpinBox>(dialog, "window")->setValue(64);
    QVERIFY(saysThatItIsReadAnew(dialog));
    field<QSpinBox>(dialog, "window")->setValue(32);
    field<QComboBox>(dialog, "packing")->setCurrentText(QStringLiteral("2 bits"));
    QVERIFY(saysThatItIsReadAnew(dialog));
  }

  void chosenBitsAreOneMoreMethod() {
    box_->setMethod(QStringLiteral("snapkv"));
    NumbersDialog* dialog = opened();
    auto* packings = field<QComboBox>(dialog, "packing");
    QCOMPARE(packings->count(), 3);
    QCOMPARE(packings->currentText(), QStringLiteral("full precision"));
    packings->setCurrentText(QStringLiteral("4 bits"));
    QCOMPARE(dialog->name(), QStringLiteral("snapkv+kivi-4"));
    field<QSpinBox>(dialog, "window")->setValue(64);
    dialog->accept();
    QCOMPARE(box_->method(), QStringLiteral("snapkv+kivi-4:window=64"));
    QCOMPARE(box_->list()->findText(box_->method()), 2);  // below its row
    dialog = opened();
    QCOMPARE(field<QComboBox>(dialog, "packing")->currentText(), QStringLiteral("4 bits"));
    QCOMPARE(field<QSpinBox>(dialog, "window")->value(), 64);
    dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::RestoreDefaults)->click();
    QCOMPARE(dialog->name(), QStringLiteral("snapkv"));
  }

  void offersBitsWhereThereAreNoNumbers() {
    QVERIFY(!button()->isEnabled());
    box_->setMethod(QStringLiteral("streaming"));
    QVERIFY(button()->isEnabled());
    NumbersDialog* dialog = opened();
    QVERIFY(dialog->findChildren<QSpinBox*>().isEmpty());
    auto* packings = field<QComboBox>(dialog, "packing");
    QCOMPARE(packings->count(), 2);
    QVERIFY(!packings->accessibleName().isEmpty());
    packings->setCurrentText(QStringLiteral("2 bits"));
    dialog->accept();
    QCOMPARE(box_->method(), QStringLiteral("streaming+kivi-2"));
  }

  void keepsANameThatWasStored() {
    box_->setMethod(QStringLiteral("snapkv:window=64"));
    QCOMPARE(box_->method(), QStringLiteral("snapkv:window=64"));
    for (const char* name : {"snapkv:window=0", "snapkv:sinks=4", "none:window=64", "full:window=64",
                             "snapkv:", "snapkv+kivi-3", "snapkv+", "snapkv+kivi-4:window=0",
                             "snapkv:window=32+kivi-4", "full+kivi-4", "streaming+kivi-4", "none+kivi-4"}) {
      box_->setMethod(QString::fromLatin1(name));
      QCOMPARE(box_->method(), QStringLiteral("snapkv:window=64"));
    }
    for (const char* name : {"snapkv+kivi-2:window=64", "streaming+kivi-2"}) {
      box_->setMethod(QString::fromLatin1(name));
      QCOMPARE(box_->method(), QString::fromLatin1(name));
    }
  }

 private:
  QToolButton* button() const { return box_->findChild<QToolButton*>(QStringLiteral("methodNumbers")); }
  /// The dialog that a click on the button opens.
  NumbersDialog* opened() const {
    button()->click();
    const QList<NumbersDialog*> dialogs = box_->findChildren<NumbersDialog*>();
    return dialogs.isEmpty() ? nullptr : dialogs.back();
  }
  static bool saysThatItIsReadAnew(const QDialog* dialog) {
    for (const QLabel* label : dialog->findChildren<QLabel*>())
      if (label->text().contains(QLatin1String("read anew"))) return label->isVisible();
    return false;
  }
  template <class Field>
  static Field* field(const QDialog* dialog, const char* name) {
    return dialog->findChild<Field*>(QString::fromLatin1(name));
  }

  std::unique_ptr<MethodBox> box_;
};

QTEST_MAIN(MethodBoxTest)
#include "method_box_test.moc"
