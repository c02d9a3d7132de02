#pragma once

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

 Q_SIGNALS:
  void kindChanged();
  void choiceChanged();
  void lookChanged();
  void tableToggled();
  void chunkChosen(int chunk);
  void zoomWished(double factor);
  void showAllWished();
  void exportWished(const QString& ending);

 private:
  QWidget* firstRow();
  QWidget* secondRow();
  void addZoom(class QHBoxLayout* row);
  QToolButton* displayButton();
  QToolButton* exportButton();
  void addColors(QMenu* menu);
  void addBinRules(QMenu* menu);
  void fillValues();
  void showKind();

  QTabBar* tabs_ = nullptr;
  QLabel* valueLabel_ = nullptr;
  QComboBox* values_ = nullptr;
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
