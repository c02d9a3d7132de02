#pragma once

#include <optional>

#include <QStringList>
#include <QWidget>

#include "ui/maps/map_sheets.h"

class QAction;
class QActionGroup;
class QCheckBox;
class QComboBox;
class QLabel;
class QMenu;
class QSpinBox;
class QTabBar;
class QToolButton;

namespace kvasir {

enum class MapKind { Attention, Chunks, Heads };

/// The two rows of controls above the maps: what is shown, and how.
class MapControls : public QWidget {
  Q_OBJECT
 public:
  explicit MapControls(QWidget* parent = nullptr);

  MapKind kind() const;
  void setKind(MapKind kind);
  SheetChoice choice() const;
  HeatLook look() const;
  bool showsTable() const;
  int chunk() const;  ///< whose heads are shown
  void setChunk(int chunk);
  void setChunks(int chunks, bool haveScore);

  /// The question and the answer's tokens, to choose one of; empty: they are not known, and can be wished for.
  void setLooks(const QStringList& texts);
  std::optional<std::size_t> lookShown() const;  ///< nothing: question and answer as a whole

 Q_SIGNALS:
  void kindChanged();
  void choiceChanged();
  void lookChanged();
  void tableToggled();
  void chunkChosen(int chunk);
  void lookChosen();
  void looksWished();
  void zoomWished(double factor);
  void showAllWished();
  void exportWished(const QString& ending);

 protected:
  bool event(QEvent* event) override;

 private:
  QWidget* firstRow();
  QWidget* secondRow();
  void fitSecondRow();  ///< onto two lines where it is too wide
  void addZoom(class QHBoxLayout* row);
  QToolButton* displayButton();
  QToolButton* exportButton();
  void addColors(QMenu* menu);
  void addBinRules(QMenu* menu);
  void fillValues();
  void onLookActivated();
  void showKind();

  QTabBar* tabs_ = nullptr;
  class QBoxLayout* second_ = nullptr;
  QWidget *what_ = nullptr, *how_ = nullptr;  // its two parts
  QLabel* valueLabel_ = nullptr;
  QComboBox* values_ = nullptr;
  QLabel* lookLabel_ = nullptr;
  QComboBox* looks_ = nullptr;
  QStringList lookTexts_;
  QLabel* chunkLabel_ = nullptr;
  QSpinBox* chunk_ = nullptr;
  QCheckBox* hidesFirst_ = nullptr;
  QCheckBox* logarithmic_ = nullptr;
  QActionGroup* colors_ = nullptr;
  QActionGroup* rules_ = nullptr;
  QAction* dims_ = nullptr;
  QToolButton* table_ = nullptr;
  bool hasScore_ = true;
};

}  // namespace kvasir
