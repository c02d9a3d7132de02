#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QByteArray>
#include <QWidget>

#include "ui/maps/evidence_rows.h"

namespace kvasir {

/// The table of retrieved chunks: filter, sort, hover, pin, block, "what if". Shows values and emits wishes.
class EvidencePanel : public QWidget {
  Q_OBJECT
 public:
  explicit EvidencePanel(QWidget* parent = nullptr);
  ~EvidencePanel() override;

  void setRows(std::vector<EvidenceRow> rows);
  void highlight(std::optional<int> chunk);  ///< hovered elsewhere
  /// Why chunks cannot be pinned or blocked for the next question, and why the one shown cannot be answered
  /// without a chunk; empty: they can.
  void setObstacles(const QString& wishes, const QString& without);
  QByteArray csv() const;  ///< the rows as shown: filtered and sorted

 Q_SIGNALS:
  void hovered(std::optional<int> chunk);
  void activated(int chunk);  ///< click or Enter: show it on the page
  void pinWished(int chunk, bool isPinned);
  void blockWished(int chunk, bool isBlocked);
  void pinSectionWished(int chunk);  ///< all chunks of the section this one is in
  void withoutWished(int chunk);     ///< answer again without this chunk
  void exportWished();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kvasir
