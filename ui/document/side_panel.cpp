#include "ui/document/side_panel.h"

#include <QHeaderView>
#include <QTabBar>

namespace kvasir {

SidePanel::SidePanel(PageImages* images, QWidget* parent)
    : QTabWidget(parent), outline_(new QTreeView(this)), thumbnails_(new ThumbnailView(images, this)) {
  setDocumentMode(true);
  setAccessibleName(tr("Outline and thumbnails"));
  tabBar()->setAccessibleName(tr("Outline or thumbnails"));
  outline_->setAccessibleName(tr("Outline"));
  outline_->setFrameShape(QFrame::NoFrame);
  outline_->setHeaderHidden(true);
  outline_->setUniformRowHeights(true);
  outline_->setModel(&model_);
  outline_->header()->setStretchLastSection(false);
  outline_->header()->setSectionResizeMode(0, QHeaderView::Stretch);
  // Only what is in view is measured: outlines can have thousands of rows.
  outline_->header()->setResizeContentsPrecision(0);
  outline_->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
  addTab(outline_, tr("Outline"));
  addTab(thumbnails_, tr("Pages"));
  const auto choose = [this](const QModelIndex& index) { Q_EMIT byteChosen(model_.byteOf(index)); };
  connect(outline_, &QTreeView::clicked, this, choose);
  connect(outline_, &QTreeView::activated, this, choose);
  outline_->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(outline_, &QTreeView::customContextMenuRequested, this, [this](QPoint at) {
    const QModelIndex index = outline_->indexAt(at);
    if (index.isValid()) Q_EMIT sectionMenuWished(model_.rangeOf(index), outline_->viewport()->mapToGlobal(at));
  });
  connect(thumbnails_, &ThumbnailView::pageChosen, this, &SidePanel::pageChosen);
}

void SidePanel::showDocument(std::shared_ptr<const Document> document) {
  const bool isPaged = document != nullptr && !document->pages.empty();
  const bool hasOutline = document != nullptr && !document->sections.empty();
  model_.setDocument(document);
  if (model_.rowCount({}) == 1) outline_->expand(model_.index(0, 0, {}));
  thumbnails_->showDocument(isPaged ? document : nullptr);
  setTabVisible(1, isPaged);
  setCurrentIndex(isPaged && !hasOutline ? 1 : 0);
}

void SidePanel::setPlace(int page, std::size_t byte) {
  thumbnails_->setCurrentPage(page);
  const QModelIndex section = model_.sectionAt(byte);
  if (section.isValid() && section != outline_->currentIndex()) outline_->setCurrentIndex(section);
}

}  // namespace kvasir
