#include "ui/maps/map_controls.h"

#include <algorithm>

#include <QActionGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>

namespace kvasir {
namespace {

constexpr double kZoomStep = 2;

QToolButton* textButton(const QString& text, const QString& name, QWidget* parent) {
  auto* button = new QToolButton(parent);
  button->setText(text);
  button->setToolTip(name);
  button->setAccessibleName(name);
  button->setFocusPolicy(Qt::StrongFocus);
  return button;
}

}  // namespace

MapControls::MapControls(QWidget* parent) : QWidget(parent) {
  auto* rows = new QVBoxLayout(this);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setSpacing(4);
  rows->addWidget(firstRow());
  rows->addWidget(secondRow());
  setLooks({});
  fillValues();
  showKind();
}

QWidget* MapControls::firstRow() {
  auto* widget = new QWidget(this);
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0);
  tabs_ = new QTabBar(widget);
  tabs_->setObjectName(QStringLiteral("mapKinds"));
  tabs_->setAccessibleName(tr("Kind of map"));
  tabs_->setExpanding(false);
  tabs_->setUsesScrollButtons(false);
  tabs_->addTab(tr("Attention"));
  tabs_->addTab(tr("Chunks"));
  tabs_->addTab(tr("Heads"));
  tabs_->setTabToolTip(0, tr("Layer by position"));
  tabs_->setTabToolTip(1, tr("The document as a strip of chunks"));
  tabs_->setTabToolTip(2, tr("Layer by head, for one chunk"));
  connect(tabs_, &QTabBar::currentChanged, this, [this] {
    fillValues();
    showKind();
    Q_EMIT kindChanged();
  });
  row->addWidget(tabs_);
  row->addStretch();
  addZoom(row);
  table_ = textButton(tr("Table"), tr("Show the same numbers as a table"), widget);
  table_->setObjectName(QStringLiteral("mapTableButton"));
  table_->setCheckable(true);
  connect(table_, &QToolButton::toggled, this, &MapControls::tableToggled);
  row->addWidget(table_);
  row->addWidget(exportButton());
  return widget;
}

void MapControls::addZoom(QHBoxLayout* row) {
  const auto add = [&](const QString& text, const QString& name, auto&& clicked) {
    QToolButton* button = textButton(text, name, this);
    connect(button, &QToolButton::clicked, this, clicked);
    row->addWidget(button);
  };
  add(QStringLiteral("−"), tr("Zoom out"), [this] { Q_EMIT zoomWished(1 / kZoomStep); });
  add(QStringLiteral("+"), tr("Zoom in"), [this] { Q_EMIT zoomWished(kZoomStep); });
  add(tr("All"), tr("Show the whole document"), [this] { Q_EMIT showAllWished(); });
}

QToolButton* MapControls::exportButton() {
  QToolButton* button = textButton(tr("Export"), tr("Export the map or its numbers"), this);
  button->setObjectName(QStringLiteral("mapExportButton"));
  button->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(button);
  for (const char* ending : {"png", "svg", "pdf", "csv"}) {
    const QString name = QString::fromLatin1(ending);
    connect(menu->addAction(tr("As %1…").arg(name.toUpper())), &QAction::triggered, this,
            [this, name] { Q_EMIT exportWished(name); });
  }
  button->setMenu(menu);
  return button;
}

QWidget* MapControls::secondRow() {
  auto* widget = new QWidget(this);
  second_ = new QHBoxLayout(widget);
  second_->setContentsMargins(4, 0, 4, 0);
  what_ = new QWidget(widget);
  how_ = new QWidget(widget);
  second_->addWidget(what_);
  second_->addWidget(how_, 1);
  valueLabel_ = new QLabel(tr("Sho&w"), widget);
  values_ = new QComboBox(widget);
  values_->setObjectName(QStringLiteral("mapValues"));
  values_->setAccessibleName(tr("What the colours show"));
  values_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  valueLabel_->setBuddy(values_);
  connect(values_, &QComboBox::currentIndexChanged, this, &MapControls::choiceChanged);
  lookLabel_ = new QLabel(tr("&of"), widget);
  looks_ = new QComboBox(widget);
  looks_->setObjectName(QStringLiteral("mapLooks"));
  looks_->setAccessibleName(tr("Whose attention is shown: question, answer, or one token of it"));
  looks_->setToolTip(looks_->accessibleName());
  looks_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  looks_->setMinimumContentsLength(16);
  lookLabel_->setBuddy(looks_);
  connect(looks_, &QComboBox::currentIndexChanged, this, &MapControls::onLookActivated);
  chunkLabel_ = new QLabel(tr("&Chunk"), widget);
  chunk_ = new QSpinBox(widget);
  chunk_->setAccessibleName(tr("Chunk whose heads are shown"));
  chunk_->setKeyboardTracking(false);
  chunkLabel_->setBuddy(chunk_);
  connect(chunk_, &QSpinBox::valueChanged, this, &MapControls::chunkChosen);
  hidesFirst_ = new QCheckBox(tr("Hid&e the first chunk"), widget);
  hidesFirst_->setObjectName(QStringLiteral("hideFirstChunk"));
  hidesFirst_->setAccessibleName(tr("Hide the first chunk"));
  hidesFirst_->setToolTip(tr("The first chunk is a sink: it takes attention that goes nowhere else."));
  logarithmic_ = new QCheckBox(tr("Lo&g scale"), widget);
  logarithmic_->setObjectName(QStringLiteral("logScale"));
  logarithmic_->setAccessibleName(tr("Logarithmic colour scale"));
  connect(hidesFirst_, &QCheckBox::toggled, this, [this] {
    Q_EMIT lookChanged();
    Q_EMIT choiceChanged();
  });
  connect(logarithmic_, &QCheckBox::toggled, this, &MapControls::choiceChanged);
  const auto fill = [](QWidget* half, std::initializer_list<QWidget*> parts) {
    auto* row = new QHBoxLayout(half);
    row->setContentsMargins(0, 0, 0, 0);
    for (QWidget* part : parts) row->addWidget(part);
    row->addStretch();
    return row;
  };
  fill(what_, {valueLabel_, values_, lookLabel_, looks_, chunkLabel_, chunk_});
  fill(how_, {hidesFirst_, logarithmic_})->addWidget(displayButton());
  return widget;
}

void MapControls::fitSecondRow() {
  const QMargins margins = second_->contentsMargins();
  const int needed = what_->sizeHint().width() + how_->sizeHint().width() + second_->spacing() +
                     margins.left() + margins.right();
  second_->setDirection(needed > width() ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

bool MapControls::event(QEvent* event) {
  if (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest) fitSecondRow();
  return QWidget::event(event);
}

QToolButton* MapControls::displayButton() {
  QToolButton* button = textButton(tr("Display"), tr("Colours and how values are joined"), this);
  button->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(button);
  addColors(menu);
  addBinRules(menu);
  menu->addSeparator();
  dims_ = menu->addAction(tr("Dim what was not attended"));
  dims_->setCheckable(true);
  dims_->setChecked(true);
  connect(dims_, &QAction::toggled, this, &MapControls::choiceChanged);
  button->setMenu(menu);
  return button;
}

void MapControls::addColors(QMenu* menu) {
  menu->addSection(tr("Colours"));
  colors_ = new QActionGroup(menu);
  for (const ColorMap map : kColorMaps) {
    QAction* action = colors_->addAction(menu->addAction(colorMapName(map)));
    action->setCheckable(true);
    action->setData(static_cast<int>(map));
    action->setChecked(map == ColorMap::Viridis);
  }
  connect(colors_, &QActionGroup::triggered, this, &MapControls::lookChanged);
}

void MapControls::addBinRules(QMenu* menu) {
  menu->addSection(tr("Chunks within a pixel"));
  rules_ = new QActionGroup(menu);
  for (const BinRule rule : {BinRule::Maximum, BinRule::Mean}) {
    const QString name = rule == BinRule::Maximum ? tr("Highest value") : tr("Mean value");
    QAction* action = rules_->addAction(menu->addAction(name));
    action->setCheckable(true);
    action->setData(static_cast<int>(rule));
    action->setChecked(rule == BinRule::Maximum);
  }
  connect(rules_, &QActionGroup::triggered, this, &MapControls::lookChanged);
}

MapKind MapControls::kind() const { return static_cast<MapKind>(tabs_->currentIndex()); }

void MapControls::setKind(MapKind kind) { tabs_->setCurrentIndex(static_cast<int>(kind)); }

void MapControls::fillValues() {
  const QSignalBlocker blocker(values_);
  const QVariant chosen = values_->currentData();
  values_->clear();
  values_->addItem(tr("Share of attention"), static_cast<int>(MapValue::Share));
  if (hasScore_) values_->addItem(tr("Retrieval score"), static_cast<int>(MapValue::Score));
  if (kind() == MapKind::Chunks) values_->addItem(tr("Number of layers"), static_cast<int>(MapValue::Layers));
  values_->setCurrentIndex(std::max(0, values_->findData(chosen)));
}

void MapControls::showKind() {
  const bool isHeads = kind() == MapKind::Heads;
  valueLabel_->setVisible(!isHeads);
  values_->setVisible(!isHeads);
  lookLabel_->setVisible(!isHeads);
  looks_->setVisible(!isHeads);
  hidesFirst_->setVisible(!isHeads);
  chunkLabel_->setVisible(isHeads);
  chunk_->setVisible(isHeads);
}

SheetChoice MapControls::choice() const {
  return {static_cast<MapValue>(values_->currentData().toInt()),
          logarithmic_->isChecked() ? ScaleKind::Logarithmic : ScaleKind::Linear, hidesFirst_->isChecked(),
          dims_->isChecked()};
}

HeatLook MapControls::look() const {
  return {static_cast<ColorMap>(colors_->checkedAction()->data().toInt()),
          static_cast<BinRule>(rules_->checkedAction()->data().toInt()), hidesFirst_->isChecked()};
}

namespace {

constexpr int kWhole = -1, kWish = -2;

QString shownToken(const QString& text) {
  const QString plain = text.simplified();
  if (!plain.isEmpty()) return plain;
  return text.contains(QLatin1Char('\n')) ? QStringLiteral("⏎") : QStringLiteral("␣");
}

}  // namespace

void MapControls::setLooks(const QStringList& texts) {
  const std::optional<std::size_t> shown = texts == lookTexts_ ? lookShown() : std::nullopt;
  lookTexts_ = texts;
  const QSignalBlocker blocker(looks_);
  looks_->clear();
  looks_->addItem(tr("Question and answer"), kWhole);
  if (texts.isEmpty()) looks_->addItem(tr("Single tokens…"), kWish);
  for (qsizetype look = 0; look < texts.size(); ++look) {
    const QString name = look == 0 ? tr("Question") : tr("%1: %2").arg(look).arg(shownToken(texts[look]));
    looks_->addItem(name, static_cast<int>(look));
  }
  looks_->setCurrentIndex(shown ? looks_->findData(static_cast<int>(*shown)) : 0);
}

std::optional<std::size_t> MapControls::lookShown() const {
  const QVariant look = looks_->currentData();
  if (!look.isValid() || look.toInt() < 0) return std::nullopt;
  return static_cast<std::size_t>(look.toInt());
}

void MapControls::onLookActivated() {
  if (looks_->currentData().toInt() == kWish) {
    const QSignalBlocker blocker(looks_);
    looks_->setCurrentIndex(0);
    Q_EMIT looksWished();
    return;
  }
  Q_EMIT lookChosen();
}

bool MapControls::showsTable() const { return table_->isChecked(); }

int MapControls::chunk() const { return chunk_->value(); }

void MapControls::setChunk(int chunk) {
  const QSignalBlocker blocker(chunk_);
  chunk_->setValue(chunk);
}

void MapControls::setChunks(int chunks, bool haveScore) {
  const QSignalBlocker blocker(chunk_);
  chunk_->setRange(0, std::max(0, chunks - 1));
  hasScore_ = haveScore;
  fillValues();
}

}  // namespace kvasir
