#include "tests/app/window/window_walk.h"

#include <QAbstractButton>
#include <QAbstractItemModel>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QApplication>
#include <QComboBox>
#include <QDropEvent>
#include <QHeaderView>
#include <QKeySequence>
#include <QLabel>
#include <QLineEdit>
#include <QMainWindow>
#include <QMap>
#include <QMenu>
#include <QMenuBar>
#include <QMimeData>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QProgressBar>
#include <QStyleOption>
#include <QTabBar>
#include <QTest>
#include <QTextBlock>
#include <QTextBrowser>
#include <QUrl>
#include <QWidget>

namespace {

/// Parts of Qt's own controls are reached through those.
bool isInner(const QWidget* widget) {
  const QString name = widget->objectName();
  if (name.startsWith(QLatin1String("qt_"))) return true;
  const QWidget* parent = widget->parentWidget();
  return parent && (parent->inherits("QAbstractSpinBox") || parent->inherits("QComboBox") ||
                    parent->inherits("QComboBoxPrivateContainer"));
}

QString nameOf(const QWidget* widget) {
  QString chain = QString::fromLatin1(widget->metaObject()->className());
  for (const QWidget* parent = widget->parentWidget(); parent; parent = parent->parentWidget())
    chain += QStringLiteral(" in ") + QString::fromLatin1(parent->metaObject()->className());
  return chain;
}

}  // namespace

void dropFiles(QWidget& window, const QStringList& files) {
  QMimeData data;
  QList<QUrl> urls;
  for (const QString& file : files) urls << QUrl::fromLocalFile(file);
  data.setUrls(urls);
  const QPoint middle = window.rect().center();
  QDragEnterEvent enter(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &enter);
  QDropEvent dropped(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &dropped);
}

bool clickButton(const QWidget& within, const QString& name) {
  for (QAbstractButton* button : within.findChildren<QAbstractButton*>()) {
    const QString called =
        button->accessibleName().isEmpty() ? button->text().remove(QLatin1Char('&')) : button->accessibleName();
    if (called != name || !button->isVisible()) continue;
    const bool isOn = button->isEnabled();
    if (isOn) QTest::mouseClick(button, Qt::LeftButton);
    return isOn;
  }
  return false;
}

void writeLongPdf(const QString& file, int pages) {
  static const QStringList kWords =
      QStringLiteral(
          "harbour ledger winter council timber engine valley letter bridge copper market "
          "signal garden ferry almanac witness quarry lantern treaty orchard")
          .split(QLatin1Char(' '));
  QPdfWriter writer(file);
  writer.setPageSize(QPageSize(QPageSize::A4));
  writer.setResolution(72);
  QPainter painter(&writer);
  painter.setFont(QFont(QStringLiteral("DejaVu Sans"), 10));
  unsigned state = 7;
  const auto word = [&] {
    state = state * 1664525U + 1013904223U;
    return kWords[static_cast<qsizetype>((state >> 16) % static_cast<unsigned>(kWords.size()))];
  };
  for (int page = 1; page <= pages; ++page) {
    if (page > 1) writer.newPage();
    for (int line = 1; line <= 40; ++line) {
      QString text = QStringLiteral("On page %1 the %2 of line %3 met").arg(page).arg(word()).arg(line);
      for (int more = 0; more < 5; ++more) text += QLatin1Char(' ') + word();
      painter.drawText(QPointF(40, 60 + 17 * line), text + QLatin1Char('.'));
    }
  }
}

QStringList controlsWithoutName(const QWidget& window) {
  QStringList found;
  for (QWidget* widget : window.findChildren<QWidget*>()) {
    if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisible() || isInner(widget)) continue;
    QAccessibleInterface* accessible = QAccessible::queryAccessibleInterface(widget);
    if (!accessible || accessible->text(QAccessible::Name).isEmpty()) found << nameOf(widget);
  }
  return found;
}

bool clickLink(QTextBrowser& browser, const QString& target) {
  for (QTextBlock block = browser.document()->begin(); block.isValid(); block = block.next()) {
    for (auto part = block.begin(); !part.atEnd(); ++part) {
      if (!part.fragment().charFormat().anchorHref().startsWith(target)) continue;
      QTextCursor cursor(browser.document());
      cursor.setPosition(part.fragment().position() + 1);
      browser.setTextCursor(cursor);
      browser.ensureCursorVisible();
      QTest::mouseClick(browser.viewport(), Qt::LeftButton, Qt::NoModifier,
                        browser.cursorRect(cursor).center());
      return true;
    }
  }
  return false;
}

namespace {

bool isControl(const QWidget* widget) {
  return qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QComboBox*>(widget) ||
         qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget) ||
         qobject_cast<const QAbstractScrollArea*>(widget) || qobject_cast<const QTabBar*>(widget) ||
         widget->inherits("QCustomPlot");
}

/// What needs no focus: its work can be done otherwise.
bool isReachedOtherwise(const QWidget* widget) {
  const QWidget* parent = widget->parentWidget();
  return widget->inherits("QDockWidgetTitleButton") ||  // the menu View
         qobject_cast<const QHeaderView*>(widget) ||    // "Sort by" in the table's menu
         widget->inherits("QTableCornerButton") ||      // Ctrl+A
         (parent && (parent->inherits("QLineEdit") ||   // clears the text
                     parent->inherits("QTabBar") ||     // scrolls tabs, as the arrow keys do
                     parent->inherits("QToolBar")));    // its actions are in the menus
}

}  // namespace

QStringList controlsOutOfReach(QWidget& window) {
  QStringList found;
  QList<QWidget*> wanted;
  for (QWidget* widget : window.findChildren<QWidget*>()) {
    if (!isControl(widget) || !widget->isVisible() || !widget->isEnabled() || isInner(widget)) continue;
    if (widget->focusPolicy() & Qt::TabFocus)
      wanted << widget;
    else if (widget->focusPolicy() == Qt::NoFocus && !isReachedOtherwise(widget) && !widget->focusProxy())
      found << nameOf(widget);
  }
  constexpr int kMostSteps = 500;
  for (int step = 0; step < kMostSteps && !wanted.isEmpty(); ++step) {
    QWidget* at = QApplication::focusWidget();
    if (!at) break;
    for (QWidget* passed = at; passed; passed = passed->parentWidget()) wanted.removeAll(passed);
    QTest::keyClick(at, Qt::Key_Tab);
  }
  for (const QWidget* widget : wanted) found << QStringLiteral("Tab does not reach ") + nameOf(widget);
  return found;
}

namespace {

using TextsByLetter = QMap<QString, QStringList>;

void addLetter(TextsByLetter& letters, const QString& text) {
  const QKeySequence key = QKeySequence::mnemonic(text);
  if (!key.isEmpty()) letters[key.toString()] << text;
}

QStringList sharedLetters(const TextsByLetter& letters) {
  QStringList found;
  for (const QStringList& texts : letters) {
    if (texts.size() > 1) found << texts.join(QStringLiteral(", "));
  }
  return found;
}

QStringList clashesIn(const QMenu& menu) {
  TextsByLetter letters;
  QStringList found;
  for (const QAction* action : menu.actions()) {
    addLetter(letters, action->text());
    if (const QMenu* below = action->menu()) found += clashesIn(*below);
  }
  return found + sharedLetters(letters);
}

}  // namespace

QStringList clashingLetters(const QMainWindow& window) {
  TextsByLetter letters;
  QStringList found;
  for (const QAction* action : window.menuBar()->actions()) {
    addLetter(letters, action->text());
    if (const QMenu* menu = action->menu()) found += clashesIn(*menu);
  }
  const auto isInView = [](const QWidget* widget) {
    return widget->parentWidget() && widget->parentWidget()->isVisible();
  };
  for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) {
    if (isInView(button)) addLetter(letters, button->text());
  }
  for (const QLabel* label : window.findChildren<QLabel*>()) {
    if (label->buddy() && isInView(label)) addLetter(letters, label->text());
  }
  return found + sharedLetters(letters);
}

namespace {

/// The text of a box, field or meter and the width there is for it; no text: nothing to be cut.
std::pair<QString, int> textAndRoom(const QWidget* widget) {
  QStyleOptionComboBox boxOption;
  QStyleOptionFrame frame;
  if (const auto* box = qobject_cast<const QComboBox*>(widget)) {
    // What people named is cut where it is long, and whole in the list.
    if (box->objectName() == QLatin1String("conversations") || box->objectName() == QLatin1String("scopes"))
      return {};
    boxOption.initFrom(box);
    boxOption.editable = box->isEditable();
    const QRect field =
        box->style()->subControlRect(QStyle::CC_ComboBox, &boxOption, QStyle::SC_ComboBoxEditField, box);
    return {box->currentText(), field.width()};
  }
  if (const auto* field = qobject_cast<const QLineEdit*>(widget)) {
    frame.initFrom(field);
    frame.lineWidth = field->hasFrame() ? field->style()->pixelMetric(QStyle::PM_DefaultFrameWidth) : 0;
    const int room = field->style()->subElementRect(QStyle::SE_LineEditContents, &frame, field).width();
    return {field->text().isEmpty() ? field->placeholderText() : QString(), room};
  }
  if (const auto* meter = qobject_cast<const QProgressBar*>(widget); meter && meter->isTextVisible())
    return {meter->text(), meter->width()};
  return {};
}

}  // namespace

QStringList cutTexts(const QWidget& window) {
  QStringList found;
  for (const QLabel* label : window.findChildren<QLabel*>()) {
    if (!label->isVisible() || label->text().isEmpty()) continue;
    const bool isCut = label->wordWrap() ? label->heightForWidth(label->width()) > label->height() + 1
                                         : label->sizeHint().width() > label->width() + 1;
    if (isCut) found << nameOf(label) + QStringLiteral(": ") + label->text();
  }
  for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) {
    if (!button->isVisible() || button->text().isEmpty()) continue;
    if (button->sizeHint().width() > button->width() + 1 &&
        button->minimumSizeHint().width() > button->width() + 1)
      found << nameOf(button) + QStringLiteral(": ") + button->text();
  }
  for (const QWidget* widget : window.findChildren<QWidget*>()) {
    if (!widget->isVisible() || qobject_cast<const QAbstractSpinBox*>(widget->parentWidget()) ||
        qobject_cast<const QComboBox*>(widget->parentWidget()))
      continue;
    const auto [text, room] = textAndRoom(widget);
    if (!text.isEmpty() && widget->fontMetrics().horizontalAdvance(text) > room + 1)
      found << nameOf(widget) + QStringLiteral(": ") + text;
    const auto* spin = qobject_cast<const QAbstractSpinBox*>(widget);
    if (spin && spin->minimumSizeHint().width() > spin->width() + 1)
      found << nameOf(spin) + QStringLiteral(": ") + spin->text();
  }
  for (const QTabBar* bar : window.findChildren<QTabBar*>()) {
    for (int tab = 0; bar->isVisible() && tab < bar->count(); ++tab) {
      QString text = bar->tabText(tab);
      const int needed = bar->fontMetrics().horizontalAdvance(text.remove(QLatin1Char('&')));
      if (bar->isTabVisible(tab) &&
          (needed > bar->tabRect(tab).width() || bar->tabRect(tab).right() > bar->width()))
        found << nameOf(bar) + QStringLiteral(": ") + text;
    }
  }
  for (const QHeaderView* header : window.findChildren<QHeaderView*>()) {
    if (!header->isVisible() || header->orientation() != Qt::Horizontal) continue;
    for (int section = 0; section < header->count(); ++section) {
      const bool isShown =
          !header->isSectionHidden(section) && header->sectionViewportPosition(section) < header->width();
      if (isShown && header->sectionSizeHint(section) > header->sectionSize(section) + 1)
        found << nameOf(header) + QStringLiteral(": ") +
                     header->model()->headerData(section, Qt::Horizontal).toString();
    }
  }
  return found;
}
