#pragma once

#include <memory>
#include <optional>

#include <QString>
#include <QWidget>

#include "ui/maps/evidence_rows.h"
#include "ui/wish_menu.h"

namespace kvasir {

/// The maps of an answer: layer by position (full attention and retrieval score on one axis and one colour
/// scale), the document as a strip of chunks, and the heads of one chunk; with a table of the same numbers and
/// export. Shows values and emits wishes.
class MapPanel : public QWidget {
  Q_OBJECT
 public:
  explicit MapPanel(QWidget* parent = nullptr);
  ~MapPanel() override;

  void setMaps(std::shared_ptr<const AnswerMaps> maps);  ///< null: nothing to show
  void setHeads(HeadMap heads);
  void highlight(std::optional<int> chunk);
  /// How far full attention is computed for an answer, a sentence; empty: it is not being computed.
  void setVerifying(const QString& sentence);
  void setWishObstacle(const QString& sentence);  ///< why chunks cannot be pinned or blocked; empty: they can

  /// The map that is shown, by the file's ending: .png, .svg, .pdf, or .csv for its numbers. Returns what went
  /// wrong as a sentence, empty when the file is written.
  QString writeTo(const QString& file);

 Q_SIGNALS:
  void hovered(std::optional<int> chunk);
  void activated(int chunk);                  ///< click or Enter on a chunk
  void wished(int chunk, kvasir::Wish wish);  ///< from a chunk's menu
  void verifyWished();                        ///< compute full attention for the comparison
  void headsWished(int chunk);
  void looksWished();  ///< where single tokens looked, which the maps do not have

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kvasir
