#pragma once

#include <QLabel>
#include <QTest>

#include "ui/document/document_view.h"
#include "ui/document/page_view.h"

/// What the tests of the document view share.
namespace kvasir {

inline QLabel* labelNamed(const QWidget& view, const QString& name) {
  for (QLabel* label : view.findChildren<QLabel*>()) {
    if (label->accessibleName() == name) return label;
  }
  return nullptr;
}

inline void showIn(DocumentView& view, std::shared_ptr<const Document> document, const QString& file) {
  view.showDocument(std::move(document), file);
  view.show();
  QVERIFY(QTest::qWaitForWindowExposed(&view));
  view.setFocus();
  view.activateWindow();
}

/// Until nothing that is in view remains to be drawn.
inline void waitForPages(DocumentView& view) {
  const PageImages* images = view.findChild<PageView*>()->images();
  for (int round = 0; round < 2; ++round) {
    QCoreApplication::processEvents();
    view.repaint();
    QTRY_VERIFY(images->isIdle());
  }
}

}  // namespace kvasir
