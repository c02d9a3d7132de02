#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QToolBar>

#include "ui/document/document_view.h"

namespace kvasir {

/// The row above the pages: buttons of the view's actions, the page box and the zoom box.
class DocumentBar : public QToolBar {
  Q_OBJECT
 public:
  explicit DocumentBar(QWidget* parent = nullptr);

  void addButton(QAction* action);
  void addPageBox();
  void addZoomBox();
  void addSpace();

  void showPage(const QString& label, int index, int count);
  void showZoom(double zoom);
  void focusPageBox();

 Q_SIGNALS:
  void pageWished(QString name);
  void zoomWished(double zoom);
  void fitWished(Fit fit);
  void left();  ///< the reader is done with a box: back to the pages

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void setWidths();
  void readZoom(const QString& text);

  QLineEdit* page_;
  QLabel* pages_;
  QComboBox* zoom_;
  QString shownZoom_;
};

}  // namespace kvasir
