#pragma once

#include <QString>

#include "ui/maps/heat_plot.h"
#include "ui/maps/number_table.h"

namespace kvasir {

/// Writes by the file's ending: .png, .svg, .pdf the plot as it is seen, .csv the table. Returns what went
/// wrong as a sentence, empty when the file is written.
QString writeMapFile(HeatPlot& plot, const NumberTable& table, const QString& file);

}  // namespace kvasir
