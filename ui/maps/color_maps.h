#pragma once

#include <array>
#include <vector>

#include <QColor>
#include <QString>

namespace kvasir {

enum class ColorMap { Viridis, Cividis, Grey };

inline constexpr std::array kColorMaps = {ColorMap::Viridis, ColorMap::Cividis, ColorMap::Grey};

QString colorMapName(ColorMap map);

/// Colours at even places from 0 to 1; between them colours are mixed in sRGB. Perceptually even, and readable
/// with any kind of colour blindness.
const std::vector<QColor>& colorAnchors(ColorMap map);

QColor colorAt(ColorMap map, double position);

}  // namespace kvasir
