#include <stdexcept>

#include "app/cli/pictures.h"

namespace kvasir {

void drawMap(const MapResult&, const std::filesystem::path&) {
  throw std::runtime_error(
      "This kvasir-cli was built without the window and draws no pictures; write the map as .csv.");
}

void drawCurves(const std::vector<MethodCurve>&, const std::filesystem::path&) {
  throw std::runtime_error(
      "This kvasir-cli was built without the window and draws no pictures; --json gives the figures.");
}

}  // namespace kvasir
