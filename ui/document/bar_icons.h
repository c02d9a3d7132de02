#pragma once

#include <QIcon>

namespace kvasir {

enum class BarIcon { Side, Back, Forward, ZoomOut, ZoomIn, FitWidth, FitPage, Invert, Find, Up, Down, Close };

/// Drawn in the palette's text colour, so that it is right in light and dark and sharp at any size.
QIcon barIcon(BarIcon icon);

}  // namespace kvasir
