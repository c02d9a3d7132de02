#include <stdexcept>

#include "app/cli/pictures.h"

namespace kvasir {
namespace {

[[noreturn]] void refuse() {
  throw std::runtime_error(
      "This kvasir-cli was built without the window and draws no pictures; --json gives the figures.");
}

}  // namespace

void checkPicture(const std::filesystem::path& file) {
  if (!file.empty()) refuse();
}

void drawMap(const MapResult&, const std::filesystem::path&) {
  throw std::runtime_error(
      "This kvasir-cli was built without the window and draws no pictures; write the map as .csv.");
}

void drawCurves(const std::vector<MethodCurve>&, const std::filesystem::path&) { refuse(); }

void drawCosts(const std::vector<MethodCost>&, const std::filesystem::path&) { refuse(); }

void drawSpeeds(const std::vector<MethodSpeed>&, const std::filesystem::path&) { refuse(); }

void drawTraining(const std::vector<TrainingStep>&, const std::filesystem::path&) { refuse(); }

void drawNeedles(const std::vector<NeedleGrid>&, const std::filesystem::path&) { refuse(); }

}  // namespace kvasir
