#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "ui/maps/evidence_rows.h"

namespace kvasir {

/// What a retrieval method leaves for a document: a bright sink, a bright end, few chunks that some layers
/// retrieve.
class SampleAnswer {
 public:
  SampleAnswer(int layers, int chunks, int heads = 9) : random_(7) {
    maps_.method = QStringLiteral("infllm");
    fillPlaces(chunks);
    std::uniform_int_distribution<int> anywhere(2, std::max(2, chunks - 9));
    for (int chunk = 0; chunk < 14; ++chunk) chosen_.push_back(anywhere(random_));
    maps_.goldChunks = {chosen_[0], chosen_[1]};
    maps_.full = FullAttention{mapOf(layers, chunks, 0, false), {}};
    maps_.retrieved = mapOf(layers, chunks, heads, true);
  }

  AnswerMaps& maps() { return maps_; }
  std::shared_ptr<const AnswerMaps> shared() const { return std::make_shared<const AnswerMaps>(maps_); }

 private:
  void fillPlaces(int chunks) {
    for (int chunk = 0; chunk <= chunks; ++chunk) maps_.firstTokens.push_back(chunk * 128);
    const QStringList titles{QStringLiteral("Preface"),
                             QStringLiteral("1 The business"),
                             QStringLiteral("2 Risk factors"),
                             QStringLiteral("3 Legal proceedings"),
                             QStringLiteral("4 Management's discussion of results"),
                             QStringLiteral("5 Controls"),
                             QStringLiteral("6 Statements"),
                             QStringLiteral("7 Exhibits")};
    for (qsizetype part = 0; part < titles.size(); ++part) {
      const int start = static_cast<int>(part) * chunks / static_cast<int>(titles.size());
      maps_.sections.push_back({start, titles[part], 1});
      if (part > 0 && chunks > 100) {
        maps_.sections.push_back({start + chunks / 24, QStringLiteral("%1.2 Details").arg(part), 2});
      }
    }
    for (int page = 0; page * 4 < chunks; ++page)
      maps_.pages.push_back({page * 4, QString::number(page + 1), 0});
  }

  double massAt(int layer, int chunk, int chunks) {
    std::exponential_distribution<double> noise(1);
    const bool retrieves = layer % 4 == 2;
    double mass = 2e-5 * noise(random_);
    if (chunk == 0) mass += retrieves ? 0.3 : 0.62;
    if (chunk >= chunks - 8) mass += (retrieves ? 0.02 : 0.035) * std::exp(0.3 * (chunk - chunks + 1));
    const auto found = std::find(chosen_.begin(), chosen_.end(), chunk);
    if (found != chosen_.end()) {
      mass += (retrieves ? 0.12 : 0.004) / (1 + static_cast<double>(found - chosen_.begin())) *
              (0.5 + noise(random_));
    }
    return mass;
  }

  EvidenceMap mapOf(int layers, int chunks, int heads, bool isSparse) {
    EvidenceMap map{layers, chunks, {}, {}, {}, {}, heads, {}};
    const auto cells = static_cast<std::size_t>(layers) * static_cast<std::size_t>(chunks);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      const int layer = static_cast<int>(cell) / chunks, chunk = static_cast<int>(cell) % chunks;
      const double mass = massAt(layer, chunk, chunks);
      const bool isFirstLayer = layer == 0;
      const bool isAttended = !isSparse || chunk == 0 || chunk >= chunks - 8 || mass > 1.1e-4;
      map.mass.push_back(isAttended ? static_cast<float>(mass) : 0.0F);
      map.scores.push_back(isFirstLayer || !isSparse ? std::numeric_limits<float>::quiet_NaN()
                                                     : static_cast<float>(std::log(mass * 1e5 + 0.2)));
      map.attended.push_back(isAttended ? 1 : 0);
    }
    for (int layer = 0; heads > 0 && layer < layers; ++layer) {
      for (int head = 0; head < heads; ++head) {
        for (int chunk = 0; chunk < chunks; ++chunk) {
          const float mass = map.mass[static_cast<std::size_t>(layer * chunks + chunk)];
          map.headMass.push_back(mass * static_cast<float>((head * 5 + layer) % heads) /
                                 static_cast<float>(heads));
        }
      }
    }
    return map;
  }

  std::mt19937 random_;
  std::vector<int> chosen_;
  AnswerMaps maps_;
};

}  // namespace kvasir
