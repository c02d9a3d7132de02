#include "ui/maps/color_maps.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <QCoreApplication>

namespace kvasir {
namespace {

std::vector<QColor> colorsOf(std::initializer_list<QRgb> values) {
  std::vector<QColor> colors;
  for (const QRgb value : values) colors.emplace_back(value);
  return colors;
}

}  // namespace

QString colorMapName(ColorMap map) {
  switch (map) {
    case ColorMap::Viridis:
      return QCoreApplication::translate("ColorMap", "Viridis");
    case ColorMap::Cividis:
      return QCoreApplication::translate("ColorMap", "Cividis");
    case ColorMap::Grey:
      break;
  }
  return QCoreApplication::translate("ColorMap", "Grey");
}

const std::vector<QColor>& colorAnchors(ColorMap map) {
  // Grey in even steps of CIE lightness; ten samples of matplotlib's maps: viridis (Smith, van der Walt),
  // cividis (Nuñez, Anderton, Renslow, 2018).
  static const std::vector<QColor> viridis = colorsOf(
      {0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725});
  static const std::vector<QColor> cividis = colorsOf(
      {0x00224e, 0x123570, 0x3b496c, 0x575d6d, 0x707173, 0x8a8678, 0xa59c74, 0xc3b369, 0xe1cc55, 0xfee838});
  static const std::vector<QColor> grey = colorsOf(
      {0x111111, 0x272727, 0x3e3e3e, 0x565656, 0x707070, 0x8b8b8b, 0xa7a7a7, 0xc3c3c3, 0xe1e1e1, 0xffffff});
  if (map == ColorMap::Viridis) return viridis;
  return map == ColorMap::Cividis ? cividis : grey;
}

QColor colorAt(ColorMap map, double position) {
  const std::vector<QColor>& anchors = colorAnchors(map);
  const double place = std::clamp(position, 0.0, 1.0) * static_cast<double>(anchors.size() - 1);
  const auto first = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
  const double part = place - static_cast<double>(first);
  const auto mixed = [part](int one, int other) {
    return static_cast<int>(std::lround(one + part * (other - one)));
  };
  const QColor& low = anchors[first];
  const QColor& high = anchors[first + 1];
  return {mixed(low.red(), high.red()), mixed(low.green(), high.green()), mixed(low.blue(), high.blue())};
}

}  // namespace kvasir
