#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ui/maps/heat_plot.h"
#include "ui/maps/number_table.h"

namespace kvasir {

enum class MapValue { Share, Score, Layers };

/// The maps of one answer, ready to be binned. A map whose sizes do not agree is left out.
struct MapGrids {
  std::shared_ptr<const AnswerMaps> maps;
  std::shared_ptr<const BinnedGrid> share, attended;  ///< of the method; null: nothing to show
  std::shared_ptr<const BinnedGrid> score;            ///< null: the method has none
  std::shared_ptr<const BinnedGrid> full;             ///< share under full attention; null: not verified
  std::shared_ptr<const BinnedGrid> chunkShare, chunkLayers,
      chunkScore;  ///< one row each; score: null as above

  int chunks() const { return share ? share->columns() : 0; }
  int layers() const { return share ? share->rows() : 0; }
};

MapGrids gridsOf(std::shared_ptr<const AnswerMaps> maps);

/// The same with the attention of one look in place of that of question and answer together.
std::shared_ptr<const AnswerMaps> mapsOfLook(const AnswerMaps& maps, std::size_t look);

struct SheetChoice {
  MapValue value = MapValue::Share;
  ScaleKind scale = ScaleKind::Linear;
  bool hidesFirst = false, dims = true;
};

/// Layer by position, full attention above the method, on one scale: shares of attention; beside scores, which
/// have no unit in common with them, the place of either between the lowest and the highest value of its layer.
HeatSheet attentionSheet(const MapGrids& grids, const SheetChoice& choice);
/// The document as a strip.
HeatSheet chunkSheet(const MapGrids& grids, const SheetChoice& choice);
HeatSheet headSheet(const HeadMap& heads, ScaleKind scale);

NumberTable attentionTable(const MapGrids& grids, MapValue value);
NumberTable chunkTable(const MapGrids& grids);
NumberTable headTable(const HeadMap& heads);

/// Out of the map's own heads; nothing where it has none or the chunk is not in it.
std::optional<HeadMap> headsOf(const EvidenceMap& map, int chunk);
bool isWhole(const HeadMap& heads);

QString sectionOf(const AnswerMaps& maps, int chunk);
QString pageOf(const AnswerMaps& maps, int chunk);
QString placeText(const MapGrids& grids,
                  int chunk);  ///< "chunk 12 (tokens 1,536–1,663) · 2.1 Methods · page 17"
QString attentionText(const MapGrids& grids, int layer, int chunk);
QString chunkText(const MapGrids& grids, int chunk);
QString headText(const HeadMap& heads, int layer, int head);

/// The chunk that got the most attention, the first one left out where there are others.
int strongestChunk(const MapGrids& grids);

}  // namespace kvasir
