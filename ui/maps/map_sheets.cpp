#include "ui/maps/map_sheets.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <QCoreApplication>
#include <QLocale>

namespace kvasir {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Maps)
};

using Grid = std::shared_ptr<const BinnedGrid>;

bool hasSize(std::size_t size, int rows, int columns) {
  return rows > 0 && columns > 0 && size == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

BinnedGrid::Edges edgesOf(const AnswerMaps& maps) {
  const auto wanted = static_cast<std::size_t>(maps.retrieved.chunks) + 1;
  const bool isAscending =
      std::is_sorted(maps.firstTokens.begin(), maps.firstTokens.end(), std::less_equal<>());
  if (maps.firstTokens.size() == wanted && isAscending) {
    return std::make_shared<const std::vector<int>>(maps.firstTokens);
  }
  std::vector<int> edges(wanted);
  std::iota(edges.begin(), edges.end(), 0);
  return std::make_shared<const std::vector<int>>(std::move(edges));
}

// A row over the layers: the mean, or the sum, of what is a number.
Grid overLayers(const BinnedGrid& grid, const BinnedGrid::Edges& edges, bool isMean) {
  std::vector<float> row;
  for (int column = 0; column < grid.columns(); ++column) {
    double sum = 0;
    int counted = 0;
    for (int layer = 0; layer < grid.rows(); ++layer) {
      const float value = grid.value(layer, column);
      if (!std::isfinite(value)) continue;
      sum += static_cast<double>(value);
      ++counted;
    }
    const double value = counted == 0 ? std::nan("") : isMean ? sum / counted : sum;
    row.push_back(static_cast<float>(value));
  }
  return std::make_shared<const BinnedGrid>(1, edges,
                                            std::make_shared<const std::vector<float>>(std::move(row)));
}

ValueRange gridRange(const BinnedGrid& grid, bool hidesFirst) {
  return rangeOf(grid.values(), grid.columns(), hidesFirst ? 1 : 0);
}

ValueUnit unitOf(MapValue value) {
  if (value == MapValue::Score) return ValueUnit::Score;
  return value == MapValue::Layers ? ValueUnit::Count : ValueUnit::Share;
}

HeatSheet positionSheet(const MapGrids& grids) {
  HeatSheet sheet;
  sheet.rowAxis = Words::tr("layer");
  sheet.columnAxis = Words::tr("position (token)");
  sheet.sections = grids.maps->sections;
  sheet.pages = grids.maps->pages;
  sheet.outlined = grids.maps->goldChunks;
  return sheet;
}

/// Each value's place between the lowest and the highest of its layer: the scale that shares of attention and
/// scores, which have no unit and other ranges in every layer, have in common.
Grid withinLayers(const BinnedGrid& grid, const BinnedGrid::Edges& edges, bool hidesFirst) {
  std::vector<float> places = grid.values();
  const auto columns = static_cast<std::size_t>(grid.columns());
  for (std::size_t begin = 0; columns > 0 && begin + columns <= places.size(); begin += columns) {
    const std::vector<float> row(places.begin() + static_cast<std::ptrdiff_t>(begin),
                                 places.begin() + static_cast<std::ptrdiff_t>(begin + columns));
    const ValueRange range = rangeOf(row, grid.columns(), hidesFirst ? 1 : 0);
    const auto low = static_cast<float>(range.low), span = static_cast<float>(range.high - range.low);
    for (std::size_t column = 0; column < columns; ++column)
      places[begin + column] = span > 0 ? std::min((row[column] - low) / span, 1.0F) : row[column] * 0;
  }
  return std::make_shared<const BinnedGrid>(grid.rows(), edges,
                                            std::make_shared<const std::vector<float>>(std::move(places)));
}

void addPlaceCells(const MapGrids& grids, NumberTable& table) {
  table.headers = {Words::tr("Chunk"), Words::tr("First token"), Words::tr("Tokens"), Words::tr("Section"),
                   Words::tr("Page")};
  table.rows = grids.chunks();
}

QVariant placeCell(const MapGrids& grids, int chunk, int column) {
  const double start = grids.share->columnStart(chunk), end = grids.share->columnEnd(chunk);
  switch (column) {
    case 0:
      return chunk;
    case 1:
      return static_cast<int>(start);
    case 2:
      return static_cast<int>(end - start);
    case 3:
      return sectionOf(*grids.maps, chunk);
    default:
      return pageOf(*grids.maps, chunk);
  }
}

constexpr int kPlaceCells = 5;

QVariant gridCell(const Grid& grid, int row, int column) {
  return static_cast<double>(grid->value(row, column));
}

const AxisMark* lastMark(const std::vector<AxisMark>& marks, int chunk) {
  const AxisMark* found = nullptr;
  for (const AxisMark& mark : marks) {
    if (mark.chunk <= chunk && (!found || mark.chunk >= found->chunk)) found = &mark;
  }
  return found;
}

void showOnly(const AnswerLook* look, EvidenceMap& map) {
  map.headMass.clear();
  std::fill(map.mass.begin(), map.mass.end(), 0.0F);
  if (!look) return;
  for (const AnswerLook::Share& share : look->shares) {
    if (share.layer < 0 || share.layer >= map.layers || share.chunk < 0 || share.chunk >= map.chunks) continue;
    map.mass[static_cast<std::size_t>(share.layer) * static_cast<std::size_t>(map.chunks) +
             static_cast<std::size_t>(share.chunk)] = share.mass;
  }
}

// Full attention's look of the same token. The text of an answer can be made of other tokens than it was said
// in; those then have none.
const AnswerLook* fullLook(const AnswerMaps& maps, std::size_t look) {
  if (!maps.full || maps.full->looks.empty()) return nullptr;
  const std::vector<AnswerLook>& looks = maps.full->looks;
  if (look == 0) return &looks.front();  // the question
  const auto same = std::find_if(looks.begin() + 1, looks.end(), [&](const AnswerLook& full) {
    return full.start == maps.looks[look].start && full.end == maps.looks[look].end;
  });
  return same == looks.end() ? nullptr : &*same;
}

Grid chunkGrid(const MapGrids& grids, MapValue value) {
  if (value == MapValue::Layers) return grids.chunkLayers;
  return value == MapValue::Score && grids.chunkScore ? grids.chunkScore : grids.chunkShare;
}

}  // namespace

std::shared_ptr<const AnswerMaps> mapsOfLook(const AnswerMaps& maps, std::size_t look) {
  auto one = std::make_shared<AnswerMaps>(maps);
  const AnswerLook* own = look < maps.looks.size() ? &maps.looks[look] : nullptr;
  showOnly(own, one->retrieved);
  const AnswerLook* full = own ? fullLook(maps, look) : nullptr;
  if (full)
    showOnly(full, one->full->map);
  else
    one->full.reset();
  return one;
}

MapGrids gridsOf(std::shared_ptr<const AnswerMaps> maps) {
  MapGrids grids;
  if (!maps) return grids;
  const EvidenceMap& map = maps->retrieved;
  if (!hasSize(map.mass.size(), map.layers, map.chunks)) return grids;
  const BinnedGrid::Edges edges = edgesOf(*maps);
  const auto gridOf = [&](const std::vector<float>& values) {
    return std::make_shared<const BinnedGrid>(map.layers, edges, BinnedGrid::Values(maps, &values));
  };
  grids.maps = maps;
  grids.share = gridOf(map.mass);
  std::vector<float> attended(map.mass.size(), 1);
  if (map.attended.size() == attended.size()) attended.assign(map.attended.begin(), map.attended.end());
  grids.attended = std::make_shared<const BinnedGrid>(
      map.layers, edges, std::make_shared<const std::vector<float>>(std::move(attended)));
  const bool hasScore =
      std::any_of(map.scores.begin(), map.scores.end(), [](float score) { return std::isfinite(score); });
  if (hasScore && map.scores.size() == map.mass.size()) grids.score = gridOf(map.scores);
  if (maps->full && maps->full->map.layers == map.layers && maps->full->map.chunks == map.chunks &&
      maps->full->map.mass.size() == map.mass.size()) {
    grids.full = gridOf(maps->full->map.mass);
  }
  grids.chunkShare = overLayers(*grids.share, edges, true);
  grids.chunkLayers = overLayers(*grids.attended, edges, false);
  if (grids.score) grids.chunkScore = overLayers(*grids.score, edges, true);
  return grids;
}

HeatSheet attentionSheet(const MapGrids& grids, const SheetChoice& choice) {
  HeatSheet sheet = positionSheet(grids);
  const bool showsScore = choice.value == MapValue::Score && grids.score;
  Grid own = showsScore ? grids.score : grids.share, full = grids.full;
  if (showsScore && full) {
    const BinnedGrid::Edges edges = edgesOf(*grids.maps);
    own = withinLayers(*own, edges, choice.hidesFirst);
    full = withinLayers(*full, edges, choice.hidesFirst);
  }
  const ValueRange ownRange = gridRange(*own, choice.hidesFirst);
  const ValueScale scale(showsScore && !full ? ValueUnit::Score : ValueUnit::Share, choice.scale,
                         full ? joined(ownRange, gridRange(*full, choice.hidesFirst)) : ownRange);
  if (full) sheet.maps.push_back({Words::tr("Full attention"), full, scale, nullptr});
  // The method scores chunks for the question, once: also where one token of the answer is looked at.
  const QString title = showsScore ? Words::tr("%1: retrieval score for the whole question")
                                   : Words::tr("%1: share of attention");
  sheet.maps.push_back({title.arg(grids.maps->method), own, scale, nullptr});
  // The method's own share is 0 where it did not attend.
  if (choice.dims && full) sheet.maps.front().attended = grids.attended;
  if (choice.dims && showsScore) sheet.maps.back().attended = grids.attended;
  sheet.scaleMarks = scale.marks();
  sheet.scaleTitle = !showsScore ? Words::tr("share of attention")
                     : full      ? Words::tr("of its layer's range")
                                 : Words::tr("score");
  return sheet;
}

HeatSheet chunkSheet(const MapGrids& grids, const SheetChoice& choice) {
  HeatSheet sheet = positionSheet(grids);
  const Grid grid = chunkGrid(grids, choice.value);
  const MapValue value = choice.value == MapValue::Score && !grids.chunkScore ? MapValue::Share : choice.value;
  const ValueScale scale(unitOf(value), choice.scale, gridRange(*grid, choice.hidesFirst));
  const QString title = value == MapValue::Layers  ? Words::tr("layers that attended")
                        : value == MapValue::Score ? Words::tr("mean score of the layers")
                                                   : Words::tr("mean share of the layers");
  sheet.maps.push_back({Words::tr("%1: %2").arg(grids.maps->method, title), grid, scale, nullptr});
  sheet.scaleMarks = scale.marks();
  sheet.scaleTitle = title;
  sheet.hasProfile = true;
  return sheet;
}

bool isWhole(const HeadMap& heads) { return hasSize(heads.mass.size(), heads.layers, heads.heads); }

HeatSheet headSheet(const HeadMap& heads, ScaleKind kind) {
  HeatSheet sheet;
  if (!isWhole(heads)) return sheet;
  std::vector<int> edges(static_cast<std::size_t>(heads.heads) + 1);
  std::iota(edges.begin(), edges.end(), 0);
  const auto grid =
      std::make_shared<const BinnedGrid>(heads.layers, std::make_shared<const std::vector<int>>(edges),
                                         std::make_shared<const std::vector<float>>(heads.mass));
  const ValueScale scale(ValueUnit::Share, kind, rangeOf(heads.mass, heads.heads));
  sheet.maps.push_back(
      {Words::tr("Attention of each head to chunk %1").arg(heads.chunk), grid, scale, nullptr});
  sheet.rowAxis = Words::tr("layer");
  sheet.columnAxis = Words::tr("head");
  sheet.scaleMarks = scale.marks();
  sheet.scaleTitle = Words::tr("share of attention");
  sheet.numbersColumns = true;
  return sheet;
}

NumberTable attentionTable(const MapGrids& grids, MapValue value) {
  NumberTable table;
  addPlaceCells(grids, table);
  const bool showsScore = value == MapValue::Score && grids.score;
  const Grid own = showsScore ? grids.score : grids.share, full = grids.full;
  const int layers = grids.layers();
  for (int layer = 0; layer < layers; ++layer) {
    table.headers.append((showsScore ? Words::tr("Layer %1 score") : Words::tr("Layer %1 share")).arg(layer));
  }
  for (int layer = 0; full && layer < layers; ++layer)
    table.headers.append(Words::tr("Layer %1 full").arg(layer));
  table.cell = [grids, own, full, layers](int chunk, int column) -> QVariant {
    if (column < kPlaceCells) return placeCell(grids, chunk, column);
    const int layer = column - kPlaceCells;
    return layer < layers ? gridCell(own, layer, chunk) : gridCell(full, layer - layers, chunk);
  };
  return table;
}

NumberTable chunkTable(const MapGrids& grids) {
  NumberTable table;
  addPlaceCells(grids, table);
  table.headers += {Words::tr("Share of attention"), Words::tr("Layers"), Words::tr("Mean score")};
  table.cell = [grids](int chunk, int column) -> QVariant {
    switch (column - kPlaceCells) {
      case 0:
        return gridCell(grids.chunkShare, 0, chunk);
      case 1:
        return static_cast<int>(grids.chunkLayers->value(0, chunk));
      case 2:
        return grids.chunkScore ? gridCell(grids.chunkScore, 0, chunk) : QVariant(std::nan(""));
      default:
        return placeCell(grids, chunk, column);
    }
  };
  return table;
}

NumberTable headTable(const HeadMap& heads) {
  NumberTable table;
  if (!isWhole(heads)) return table;
  table.headers = {Words::tr("Layer")};
  for (int head = 0; head < heads.heads; ++head) table.headers.append(Words::tr("Head %1").arg(head));
  table.rows = heads.layers;
  table.cell = [heads](int layer, int column) -> QVariant {
    if (column == 0) return layer;
    return static_cast<double>(heads.mass[static_cast<std::size_t>(layer * heads.heads + column - 1)]);
  };
  return table;
}

std::optional<HeadMap> headsOf(const EvidenceMap& map, int chunk) {
  const auto rows =
      static_cast<std::size_t>(std::max(map.layers, 0)) * static_cast<std::size_t>(std::max(map.heads, 0));
  const auto chunks = static_cast<std::size_t>(std::max(map.chunks, 0));
  if (rows == 0 || chunk < 0 || chunk >= map.chunks || map.headMass.size() != rows * chunks)
    return std::nullopt;
  HeadMap heads{chunk, map.layers, map.heads, {}};
  for (std::size_t row = 0; row < rows; ++row) {
    heads.mass.push_back(map.headMass[row * chunks + static_cast<std::size_t>(chunk)]);
  }
  return heads;
}

QString sectionOf(const AnswerMaps& maps, int chunk) {
  const AxisMark* mark = lastMark(maps.sections, chunk);
  return mark ? mark->label : QString();
}

QString pageOf(const AnswerMaps& maps, int chunk) {
  const AxisMark* mark = lastMark(maps.pages, chunk);
  return mark ? mark->label : QString();
}

QString placeText(const MapGrids& grids, int chunk) {
  const QLocale locale;
  const auto number = [&locale](double token) { return locale.toString(static_cast<int>(token)); };
  QStringList parts{Words::tr("chunk %1 (tokens %2–%3)")
                        .arg(QString::number(chunk), number(grids.share->columnStart(chunk)),
                             number(grids.share->columnEnd(chunk) - 1))};
  const QString section = sectionOf(*grids.maps, chunk), page = pageOf(*grids.maps, chunk);
  if (!section.isEmpty()) parts.append(section);
  if (!page.isEmpty()) parts.append(Words::tr("page %1").arg(page));
  return parts.join(QStringLiteral(" · "));
}

QString attentionText(const MapGrids& grids, int layer, int chunk) {
  const auto value = [&](ValueUnit unit, const Grid& grid) {
    return valueText(unit, static_cast<double>(grid->value(layer, chunk)));
  };
  QStringList parts{Words::tr("Layer %1").arg(layer), placeText(grids, chunk)};
  if (grids.full) parts.append(Words::tr("full %1").arg(value(ValueUnit::Share, grids.full)));
  parts.append(Words::tr("share %1").arg(value(ValueUnit::Share, grids.share)));
  if (grids.score) parts.append(Words::tr("score %1").arg(value(ValueUnit::Score, grids.score)));
  parts.append(grids.attended->value(layer, chunk) > 0 ? Words::tr("attended") : Words::tr("not attended"));
  return parts.join(QStringLiteral(" · "));
}

QString chunkText(const MapGrids& grids, int chunk) {
  QString place = placeText(grids, chunk);
  place[0] = place[0].toUpper();
  QStringList parts{place};
  parts.append(Words::tr("share %1")
                   .arg(valueText(ValueUnit::Share, static_cast<double>(grids.chunkShare->value(0, chunk)))));
  if (grids.chunkScore) {
    parts.append(Words::tr("score %1")
                     .arg(valueText(ValueUnit::Score, static_cast<double>(grids.chunkScore->value(0, chunk)))));
  }
  parts.append(Words::tr("%1 of %2 layers")
                   .arg(static_cast<int>(grids.chunkLayers->value(0, chunk)))
                   .arg(grids.layers()));
  return parts.join(QStringLiteral(" · "));
}

QString headText(const HeadMap& heads, int layer, int head) {
  const float share = heads.mass[static_cast<std::size_t>(layer * heads.heads + head)];
  return Words::tr("Layer %1 · head %2 · share %3")
      .arg(QString::number(layer), QString::number(head),
           valueText(ValueUnit::Share, static_cast<double>(share)));
}

int strongestChunk(const MapGrids& grids) {
  int strongest = std::min(1, grids.chunks() - 1);
  for (int chunk = 1; chunk < grids.chunks(); ++chunk) {
    if (grids.chunkShare->value(0, chunk) > grids.chunkShare->value(0, strongest)) strongest = chunk;
  }
  return strongest;
}

}  // namespace kvasir
