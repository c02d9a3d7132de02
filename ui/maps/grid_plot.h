#pragma once

#include <optional>
#include <vector>

#include <QString>

namespace kvasir {

/// Shares, 0 to 1, by row and column; what was not measured is empty.
struct ShareGrid {
  QString title, columnAxis, rowAxis;
  std::vector<QString> columns, rows;         ///< names; the first row stands at the top
  std::vector<std::optional<double>> shares;  ///< row by row
};

/// Draws grids two abreast, each cell coloured by its share, in colours that can be told apart by everybody,
/// and with the share written in it; and writes them by the file's ending: .png, .svg or .pdf. Returns what
/// went wrong as a sentence, empty when the file is written.
QString writeShareGrids(const std::vector<ShareGrid>& grids, const QString& file);

}  // namespace kvasir
