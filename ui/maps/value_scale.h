#pragma once

#include <vector>

#include <QString>

namespace kvasir {

enum class ValueUnit { Share, Score, Count };
enum class ScaleKind { Linear, Logarithmic };

/// The finite values of a map; low > high: none.
struct ValueRange {
  double low = 1, high = 0;
  double smallestPositive = 0;  ///< 0: none
};

/// Of rows of `columns` values; columns before `firstColumn` are left out.
ValueRange rangeOf(const std::vector<float>& values, int columns, int firstColumn = 0);
ValueRange joined(const ValueRange& one, const ValueRange& other);

QString valueText(ValueUnit unit, double value);  ///< "1.3 %", "0.42", "7"; a dash for what is not a number

/// A place on a scale with its text.
struct ScaleMark {
  double position = 0;
  QString text;
};

/// From values to places on a colour map, 0 to 1. Shares and counts begin at 0; a logarithmic scale spans at
/// most four decades below the highest value, and all that is lower has place 0.
class ValueScale {
 public:
  ValueScale() = default;
  ValueScale(ValueUnit unit, ScaleKind kind, const ValueRange& range);

  ValueUnit unit() const { return unit_; }
  ScaleKind kind() const { return kind_; }  ///< linear where no value is above 0
  double low() const { return low_; }
  double high() const { return high_; }
  double position(double value) const;  ///< what is not a number stays so
  std::vector<ScaleMark> marks() const;
  friend bool operator==(const ValueScale&, const ValueScale&) = default;

 private:
  ValueUnit unit_ = ValueUnit::Share;
  ScaleKind kind_ = ScaleKind::Linear;
  double low_ = 0, high_ = 1;
  float logSpan_ = 1;  // of high over low; single precision, as a colour needs no more
};

/// The least of 1, 2, 5, 10, 20, … times a power of ten that is not below `step`.
double roundStep(double step);

}  // namespace kvasir
