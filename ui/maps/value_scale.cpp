#include "ui/maps/value_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QLocale>

namespace kvasir {
namespace {

constexpr double kDecades = 1e-4;

}  // namespace

ValueRange rangeOf(const std::vector<float>& values, int columns, int firstColumn) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float low = kInfinity, high = -kInfinity, smallest = kInfinity;
  const auto width = static_cast<std::size_t>(std::max(columns, 1));
  for (std::size_t row = 0; (row + 1) * width <= values.size(); ++row) {
    for (std::size_t column = static_cast<std::size_t>(firstColumn); column < width; ++column) {
      const float value = values[row * width + column];
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
      if (value > 0) smallest = std::min(smallest, value);
    }
  }
  if (low > high) return {};
  return {static_cast<double>(low), static_cast<double>(high),
          smallest < kInfinity ? static_cast<double>(smallest) : 0.0};
}

ValueRange joined(const ValueRange& one, const ValueRange& other) {
  if (one.low > one.high) return other;
  if (other.low > other.high) return one;
  ValueRange both{std::min(one.low, other.low), std::max(one.high, other.high),
                  std::min(one.smallestPositive, other.smallestPositive)};
  if (both.smallestPositive <= 0)
    both.smallestPositive = std::max(one.smallestPositive, other.smallestPositive);
  return both;
}

QString valueText(ValueUnit unit, double value) {
  if (!std::isfinite(value)) return QStringLiteral("–");
  const QLocale locale;
  if (unit == ValueUnit::Count) return locale.toString(value, 'f', 0);
  if (unit == ValueUnit::Score) return locale.toString(value, 'g', 3);
  const double percent = 100 * value;
  if (percent == 0) return QStringLiteral("0 %");
  if (std::abs(percent) < 0.01) return QStringLiteral("%1 %").arg(locale.toString(percent, 'g', 1));
  const int decimals = std::abs(percent) < 0.1 ? 2 : std::abs(percent) < 10 ? 1 : 0;
  return QStringLiteral("%1 %").arg(locale.toString(percent, 'f', decimals));
}

double roundStep(double step) {
  if (!(step > 0) || !std::isfinite(step)) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

ValueScale::ValueScale(ValueUnit unit, ScaleKind kind, const ValueRange& range) : unit_(unit), kind_(kind) {
  const bool isEmpty = range.low > range.high;
  high_ = isEmpty ? 1 : range.high;
  if (kind == ScaleKind::Logarithmic && high_ > 0 && range.smallestPositive > 0) {
    low_ = std::max(range.smallestPositive, high_ * kDecades);
    if (low_ >= high_) low_ = high_ / 10;
    logSpan_ = std::log(static_cast<float>(high_ / low_));
    return;
  }
  kind_ = ScaleKind::Linear;
  low_ = isEmpty || unit != ValueUnit::Score ? 0 : range.low;
  if (high_ <= low_) high_ = low_ + 1;
}

double ValueScale::position(double value) const {
  if (std::isnan(value)) return value;
  if (kind_ == ScaleKind::Linear) return std::clamp((value - low_) / (high_ - low_), 0.0, 1.0);
  if (value <= low_) return 0;
  const float position = std::log(static_cast<float>(value / low_)) / logSpan_;
  return static_cast<double>(std::clamp(position, 0.0F, 1.0F));
}

std::vector<ScaleMark> ValueScale::marks() const {
  std::vector<ScaleMark> found;
  const auto add = [&](double value) { found.push_back({position(value), valueText(unit_, value)}); };
  if (kind_ == ScaleKind::Linear) {
    double step = roundStep((high_ - low_) / 5);
    if (unit_ == ValueUnit::Count) step = std::max(step, 1.0);
    const double last = high_ + step * 1e-6;
    for (double value = std::ceil(low_ / step - 1e-9) * step; value <= last; value += step) {
      add(std::abs(value) < step * 1e-6 ? 0 : value);
    }
    return found;
  }
  const double decades = std::log10(high_ / low_);
  for (double power = std::floor(std::log10(low_)); std::pow(10.0, power) <= high_; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, power);
      const bool isWithin = value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9);
      if (isWithin && (factor == 1.0 || decades < 2)) add(value);
    }
  }
  if (found.size() > 1) return found;
  return {{0, valueText(unit_, low_)}, {1, valueText(unit_, high_)}};
}

}  // namespace kvasir
