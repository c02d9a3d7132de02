#include "ui/document/document_view.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/document/bar_icons.h"
#include "ui/document/document_bar.h"
#include "ui/document/find_bar.h"
#include "ui/document/finder.h"
#include "ui/document/legend.h"
#include "ui/document/page_words.h"
#include "ui/document/place_history.h"
#include "ui/document/reading_area.h"
#include "ui/document/side_panel.h"

namespace kvasir {
namespace {

constexpr double kZoomStep = 1.2;
constexpr int kSideCharacters = 34;

}  // namespace

/// The widgets inside and what connects them. Only its view uses it.
class DocumentView::Parts : public QObject {
 public:
  explicit Parts(DocumentView* view);
  ~Parts() override;

  void showDocument(std::shared_ptr<const Document> document, const QString& file, const QString& complaint);
  void leave() { history_.leave(area_->place()); }
  void jumpTo(const TextRange& range);
  void setInverted(bool inverted);
  void closeFind();

  DocumentView* view_;
  Highlights highlights_;
  Finder finder_;
  PlaceHistory history_;
  PageImages images_;
  std::shared_ptr<const Document> document_;
  QString complaint_, givenComplaint_, wishObstacle_;
  std::optional<std::size_t> hovered_;
  std::size_t findFrom_ = 0;
  bool isFindFollowed_ = false;  // a jump of this find has been remembered
  bool followsFind_ = true;      // the view goes to the match that is current

  std::unique_ptr<QWidget> body_;  // holds all below; goes before what they show
  DocumentBar* bar_;
  QLabel* message_;
  SidePanel* side_;
  ReadingArea* area_;
  Legend* legend_;
  FindBar* find_;
  QAction *sideAction_, *back_, *forward_, *zoomOut_, *zoomIn_, *fitWidth_, *fitPage_, *invert_, *findAction_;
  QAction *copy_, *mark_, *findNext_, *findPrevious_;

 private:
  QAction* add(const QString& text, BarIcon icon, const QList<QKeySequence>& keys, void (Parts::*run)());
  void makeActions();
  void makeBar();
  void layOut();
  void connectParts();

  void say(const QString& sentence);
  void showPlace();
  void showFound();
  void openFind();
  void find(const QString& query);
  void step(int direction);
  void goToPageNamed(const QString& name);
  void goToPage(int page);
  void move(const std::optional<DocumentPlace>& place);
  void zoomTo(double zoom);
  void showMenu(QPoint at);
  void showSectionMenu(const TextRange& section, QPoint at);

  void goBack() { move(history_.back(area_->place())); }
  void goForward() { move(history_.forward(area_->place())); }
  void goToFirst() { goToPage(0); }
  void goToLast() { goToPage(area_->pageCount() - 1); }
  void zoomIn() { zoomTo(area_->zoom() * kZoomStep); }
  void zoomOut() { zoomTo(area_->zoom() / kZoomStep); }
  void zoomActual() { zoomTo(1); }
  void fitWidth() { area_->setFit(Fit::Width); }
  void fitPage() { area_->setFit(Fit::Page); }
  void toggleSide() { side_->setVisible(sideAction_->isChecked()); }
  void toggleInverted() { setInverted(invert_->isChecked()); }
  void findNext() { step(1); }
  void findPrevious() { step(-1); }
  void askPage() { bar_->focusPageBox(); }
  void copy();
  void mark();
};

DocumentView::Parts::Parts(DocumentView* view) : view_(view), body_(std::make_unique<QWidget>(view)) {
  QWidget* body = body_.get();
  bar_ = new DocumentBar(body);
  message_ = new QLabel(body);
  side_ = new SidePanel(&images_, body);
  area_ = new ReadingArea(&images_, &highlights_, body);
  legend_ = new Legend(body);
  find_ = new FindBar(body);
  highlights_.matches = &finder_.matches();
  makeActions();
  makeBar();
  layOut();
  connectParts();
  showPlace();
}

DocumentView::Parts::~Parts() {
  for (QObject* part : std::initializer_list<QObject*>{bar_, side_, area_, find_}) part->disconnect(this);
}

// Commands.

QAction* DocumentView::Parts::add(const QString& text, BarIcon icon, const QList<QKeySequence>& keys,
                                  void (Parts::*run)()) {
  auto* action = new QAction(barIcon(icon), text, view_);
  action->setShortcuts(keys);
  action->setShortcutContext(Qt::WindowShortcut);
  const QString key = action->shortcut().toString(QKeySequence::NativeText);
  action->setToolTip(key.isEmpty() ? action->iconText() : tr("%1 (%2)").arg(action->iconText(), key));
  connect(action, &QAction::triggered, this, run);
  view_->addAction(action);
  return action;
}

void DocumentView::Parts::makeActions() {
  using Keys = QList<QKeySequence>;
  sideAction_ = add(tr("Outline and &thumbnails"), BarIcon::Side, Keys{Qt::Key_F7}, &Parts::toggleSide);
  sideAction_->setCheckable(true);
  back_ = add(tr("&Back"), BarIcon::Back, Keys{Qt::ALT | Qt::Key_Left}, &Parts::goBack);
  forward_ = add(tr("&Forward"), BarIcon::Forward, Keys{Qt::ALT | Qt::Key_Right}, &Parts::goForward);
  zoomOut_ = add(tr("Zoom &out"), BarIcon::ZoomOut, Keys{Qt::CTRL | Qt::Key_Minus}, &Parts::zoomOut);
  zoomIn_ = add(tr("Zoom &in"), BarIcon::ZoomIn, Keys{Qt::CTRL | Qt::Key_Plus, Qt::CTRL | Qt::Key_Equal},
                &Parts::zoomIn);
  fitWidth_ = add(tr("Fit &width"), BarIcon::FitWidth, Keys{Qt::CTRL | Qt::Key_2}, &Parts::fitWidth);
  fitPage_ = add(tr("Fit &page"), BarIcon::FitPage, Keys{Qt::CTRL | Qt::Key_0}, &Parts::fitPage);
  invert_ = add(tr("In&vert colours"), BarIcon::Invert, Keys{Qt::CTRL | Qt::SHIFT | Qt::Key_I},
                &Parts::toggleInverted);
  invert_->setCheckable(true);
  findAction_ =
      add(tr("Fi&nd…"), BarIcon::Find, QKeySequence::keyBindings(QKeySequence::Find), &Parts::openFind);
  findNext_ = add(tr("Find n&ext"), BarIcon::Down, Keys{Qt::Key_F3}, &Parts::findNext);
  findPrevious_ = add(tr("Find p&revious"), BarIcon::Up, Keys{Qt::SHIFT | Qt::Key_F3}, &Parts::findPrevious);
  copy_ = add(tr("&Copy"), BarIcon::Side, QKeySequence::keyBindings(QKeySequence::Copy), &Parts::copy);
  mark_ = add(tr("&Mark for the maps"), BarIcon::Side, {}, &Parts::mark);
  const QList<QAction*> more{
      add(tr("&Actual size"), BarIcon::ZoomIn, Keys{Qt::CTRL | Qt::Key_1}, &Parts::zoomActual),
      add(tr("&Go to page…"), BarIcon::Side, Keys{Qt::CTRL | Qt::Key_G}, &Parts::askPage),
      add(tr("First page"), BarIcon::Up, Keys{Qt::CTRL | Qt::Key_Home}, &Parts::goToFirst),
      add(tr("Last page"), BarIcon::Down, Keys{Qt::CTRL | Qt::Key_End}, &Parts::goToLast),
      copy_,
      mark_};
  for (QAction* action : more) action->setIcon({});
  // Text elsewhere has these keys too.
  for (QAction* action : {more[2], more[3], copy_}) action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
}

void DocumentView::Parts::makeBar() {
  for (QAction* action : {sideAction_, back_, forward_}) bar_->addButton(action);
  bar_->addSeparator();
  bar_->addPageBox();
  bar_->addSeparator();
  bar_->addButton(zoomOut_);
  bar_->addZoomBox();
  for (QAction* action : {zoomIn_, fitWidth_, fitPage_}) bar_->addButton(action);
  bar_->addSpace();
  for (QAction* action : {invert_, findAction_}) bar_->addButton(action);
}

// The widgets and what they wish for.

void DocumentView::Parts::layOut() {
  message_->setWordWrap(true);
  message_->setMargin(6);
  message_->setFrameShape(QFrame::StyledPanel);
  message_->setAccessibleName(tr("Message"));
  message_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  message_->setFocusPolicy(Qt::NoFocus);
  message_->hide();
  auto* splitter = new QSplitter(body_.get());
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(side_);
  splitter->addWidget(area_);
  splitter->setStretchFactor(1, 1);
  const int sideWidth = view_->fontMetrics().averageCharWidth() * kSideCharacters;
  splitter->setSizes({sideWidth, 4 * sideWidth});
  side_->hide();
  find_->hide();
  auto* whole = new QVBoxLayout(view_);
  whole->setContentsMargins({});
  whole->addWidget(body_.get());
  auto* column = new QVBoxLayout(body_.get());
  column->setContentsMargins({});
  column->setSpacing(0);
  column->addWidget(bar_);
  column->addWidget(message_);
  column->addWidget(splitter, 1);
  column->addWidget(legend_);
  column->addWidget(find_);
  view_->setFocusProxy(area_);
}

void DocumentView::Parts::connectParts() {
  connect(bar_, &DocumentBar::pageWished, this, &Parts::goToPageNamed);
  connect(bar_, &DocumentBar::zoomWished, this, &Parts::zoomTo);
  connect(bar_, &DocumentBar::fitWished, area_, &ReadingArea::setFit);
  connect(bar_, &DocumentBar::left, this, [this] { area_->setFocus(); });
  connect(side_, &SidePanel::byteChosen, this, [this](std::size_t byte) { jumpTo({byte, byte + 1}); });
  connect(side_, &SidePanel::pageChosen, this, &Parts::goToPage);
  connect(area_, &ReadingArea::placeChanged, this, [this] {
    showPlace();
    Q_EMIT view_->placeChanged();
  });
  connect(area_, &ReadingArea::zoomChanged, this, [this] { bar_->showZoom(area_->zoom()); });
  connect(area_, &ReadingArea::hovered, this, [this](std::optional<std::size_t> byte) {
    hovered_ = byte;
    Q_EMIT view_->hovered(byte);
  });
  connect(side_, &SidePanel::sectionMenuWished, this, &Parts::showSectionMenu);
  connect(area_, &ReadingArea::menuWished, this, &Parts::showMenu);
  connect(area_, &ReadingArea::selectionChanged, this, [this] {
    copy_->setEnabled(area_->selection().has_value());
    mark_->setEnabled(area_->selection().has_value());
  });
  connect(&images_, &PageImages::opened, this, [this](const QString& complaint) {
    const QString drawers = area_->isPaged() ? complaint : QString();
    complaint_ = givenComplaint_.isEmpty() ? drawers : givenComplaint_;
    say(complaint_);
  });
  connect(find_, &FindBar::queryChanged, this, &Parts::find);
  connect(find_, &FindBar::stepWished, this, &Parts::step);
  connect(find_, &FindBar::closed, this, &Parts::closeFind);
  connect(&finder_, &Finder::matchesChanged, this, &Parts::showFound);
  connect(&finder_, &Finder::currentChanged, this, [this] {
    showFound();
    if (!finder_.current()) return;
    const TextRange match = finder_.matches()[*finder_.current()];
    if (!followsFind_ || area_->isInView(match)) return;
    if (!isFindFollowed_) leave();
    isFindFollowed_ = true;
    area_->reveal(match);
  });
}

void DocumentView::Parts::showDocument(std::shared_ptr<const Document> document, const QString& file,
                                       const QString& complaint) {
  document_ = std::move(document);
  givenComplaint_ = complaint;
  hovered_.reset();
  history_.clear();
  isFindFollowed_ = false;
  for (auto& ranges : highlights_.lit) ranges.clear();
  for (const Light light : kLights) legend_->setLit(light, false);
  finder_.setDocument(document_);
  complaint_.clear();
  say({});
  const bool isPaged = document_ != nullptr && !document_->pages.empty();
  images_.open(isPaged ? document_ : nullptr, file);
  side_->showDocument(document_);
  area_->showDocument(document_);
  if (find_->isHidden()) return;
  find(find_->query());
  followsFind_ = false;  // whoever shows a document says where
}

void DocumentView::Parts::say(const QString& sentence) {
  message_->setText(sentence);
  message_->setVisible(!sentence.isEmpty());
}

void DocumentView::Parts::showPlace() {
  const int page = area_->currentPage(), count = area_->pageCount();
  const bool isPaged = count > 0 && area_->isPaged();
  const QString label = isPaged ? QString::fromStdString(document_->pages[static_cast<std::size_t>(page)].label)
                        : count == 0 ? QString()
                                     : QString::number(page + 1);
  bar_->showPage(label, page, count);
  if (count > 0) side_->setPlace(page, area_->topByte());
  back_->setEnabled(history_.hasBack());
  forward_->setEnabled(history_.hasForward());
}

void DocumentView::Parts::setInverted(bool inverted) {
  const bool isChange = inverted != view_->isInverted();
  invert_->setChecked(inverted);
  area_->setPaper(inverted ? Paper::Inverted : Paper::White);
  if (isChange) Q_EMIT view_->invertedChanged(inverted);
}

// Going places.

void DocumentView::Parts::jumpTo(const TextRange& range) {
  if (document_ == nullptr || area_->isInView(range)) return;
  leave();
  area_->reveal(range);
  showPlace();
}

void DocumentView::Parts::goToPageNamed(const QString& name) {
  if (document_ == nullptr) return;
  std::optional<int> page = pageNamed(*document_, name);
  if (!area_->isPaged()) {
    const int number = name.trimmed().toInt();
    if (number >= 1 && number <= area_->pageCount()) page = number - 1;
  }
  if (!page)
    return say(tr("There is no page “%1”. Pages have numbers from 1 to %2.").arg(name).arg(area_->pageCount()));
  goToPage(*page);
  area_->setFocus();
}

void DocumentView::Parts::goToPage(int page) {
  if (page < 0 || page >= area_->pageCount()) return;
  say(complaint_);
  leave();
  area_->goTo({page, 0, area_->zoom(), area_->fit()});
}

void DocumentView::Parts::move(const std::optional<DocumentPlace>& place) {
  if (!place) return showPlace();
  // The zoom is the reader's choice of now.
  area_->goTo({place->page, place->top, area_->zoom(), area_->fit()});
  showPlace();
}

void DocumentView::Parts::zoomTo(double zoom) {
  if (zoom > 0) area_->setZoom(zoom);
  bar_->showZoom(area_->zoom());
}

// Finding.

void DocumentView::Parts::openFind() {
  if (document_ == nullptr) return;
  const auto selection = area_->selection();
  QString words;
  if (selection && selection->end - selection->start < 200) {
    words = QString::fromStdString(document_->text.substr(selection->start, selection->end - selection->start));
  }
  findFrom_ = selection ? selection->start : area_->topByte();
  isFindFollowed_ = false;
  find_->open(words.simplified());
  if (!finder_.hasQuery()) find(find_->query());
}

void DocumentView::Parts::find(const QString& query) {
  followsFind_ = true;
  finder_.find(find_->isHidden() ? QString() : query, findFrom_);
}

void DocumentView::Parts::step(int direction) {
  if (find_->isHidden()) openFind();
  followsFind_ = true;
  finder_.step(direction);
}

void DocumentView::Parts::showFound() {
  highlights_.currentMatch = finder_.current().value_or(finder_.matches().size());
  const std::size_t current = finder_.current() ? *finder_.current() + 1 : 0;
  find_->showCount(current, finder_.matches().size(), finder_.isSearching());
  findNext_->setEnabled(document_ != nullptr);
  findPrevious_->setEnabled(document_ != nullptr);
  area_->refresh();
}

void DocumentView::Parts::closeFind() {
  find_->hide();
  finder_.find({}, 0);
  area_->setFocus();
}

// The selection.

void DocumentView::Parts::copy() {
  const auto range = area_->selection();
  if (!range) return;
  const std::string text = document_->text.substr(range->start, range->end - range->start);
  QGuiApplication::clipboard()->setText(QString::fromStdString(text));
}

void DocumentView::Parts::mark() {
  if (const auto range = area_->selection()) Q_EMIT view_->rangeMarked(*range);
}

void DocumentView::Parts::showMenu(QPoint at) {
  auto* menu = new QMenu(view_);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addActions({copy_, mark_});
  menu->addSeparator();
  // What is selected, else the passage under the pointer.
  const TextRange pointed{hovered_.value_or(0), hovered_.value_or(0) + 1};
  const TextRange range = area_->selection().value_or(pointed);
  const bool isNothing = !area_->selection() && !hovered_;
  addWishes(menu, isNothing ? tr("Select a passage, or point at one.") : wishObstacle_,
            [this, range](Wish wish) { Q_EMIT view_->wished(range, wish); });
  menu->popup(at);
}

void DocumentView::Parts::showSectionMenu(const TextRange& section, QPoint at) {
  auto* menu = new QMenu(view_);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  addWishes(menu, wishObstacle_, [this, section](Wish wish) { Q_EMIT view_->wished(section, wish); });
  menu->popup(at);
}

// The view.

DocumentView::DocumentView(QWidget* parent) : QWidget(parent), parts_(std::make_unique<Parts>(this)) {
  setAccessibleName(tr("Document"));
}

DocumentView::~DocumentView() = default;

void DocumentView::showDocument(std::shared_ptr<const Document> document, const QString& file,
                                const QString& complaint) {
  parts_->showDocument(std::move(document), file, complaint);
}

void DocumentView::clear() { parts_->showDocument(nullptr, {}, {}); }

void DocumentView::light(Light light, const std::vector<TextRange>& ranges) {
  auto& lit = parts_->highlights_.lit[static_cast<std::size_t>(light)];
  lit = ranges;
  std::sort(lit.begin(), lit.end(), [](const TextRange& a, const TextRange& b) { return a.start < b.start; });
  parts_->legend_->setLit(light, !lit.empty());
  parts_->area_->refresh();
}

void DocumentView::reveal(const TextRange& range) { parts_->jumpTo(range); }

DocumentPlace DocumentView::place() const { return parts_->area_->place(); }

void DocumentView::goTo(const DocumentPlace& place) { parts_->area_->goTo(place); }

void DocumentView::setInverted(bool inverted) { parts_->setInverted(inverted); }

bool DocumentView::isInverted() const { return parts_->area_->paper() == Paper::Inverted; }

void DocumentView::setWishObstacle(const QString& sentence) { parts_->wishObstacle_ = sentence; }

std::optional<TextRange> DocumentView::selection() const { return parts_->area_->selection(); }

std::vector<QRect> DocumentView::boxesInView(const TextRange& range) const {
  std::vector<QRect> boxes = parts_->area_->boxesInView(range);
  for (QRect& box : boxes) box.translate(parts_->area_->mapTo(this, QPoint()));
  return boxes;
}

bool DocumentView::event(QEvent* event) {
  // While words are looked for Esc ends that, although the window has it for something else.
  if (event->type() == QEvent::ShortcutOverride && !parts_->find_->isHidden() &&
      static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
    event->accept();
    return true;
  }
  return QWidget::event(event);
}

void DocumentView::keyPressEvent(QKeyEvent* event) {
  const bool isClosing = event->key() == Qt::Key_Escape && !parts_->find_->isHidden();
  if (isClosing) return parts_->closeFind();
  QWidget::keyPressEvent(event);
}

}  // namespace kvasir
