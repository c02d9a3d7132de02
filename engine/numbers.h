#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// A number of a method: what its paper has, and what one may choose instead ("snapkv:window=64").
struct MethodNumber {
  enum class Kind { Real, Whole, Odd, PowerOfTwo };  ///< a power of two may be 0 too, where `least` is

  const char* name;
  const char* meaning;
  double usual, least, most;
  Kind kind = Kind::Whole;
  bool actsOnReading = true;  ///< false: what was read of a document serves whatever it is
};

/// The numbers of a method with their values: the usual ones, but for those that were chosen.
class Numbers {
 public:
  Numbers() = default;
  explicit Numbers(std::vector<MethodNumber> known);

  /// Takes what stands behind a method's name: "window=64:neighbours=7". Throws a sentence where there is no
  /// such number, or it cannot be that.
  void choose(std::string_view text);
  /// Throws std::logic_error where the method has no such number.
  double operator[](std::string_view name) const;
  int whole(std::string_view name) const { return static_cast<int>((*this)[name]); }

  const std::vector<MethodNumber>& known() const { return known_; }
  /// What `choose` takes to come to the same: those that are not as usual, in their order, each behind a colon.
  std::string text() const { return textOf(false); }
  /// The same of those that act on reading.
  std::string readingText() const { return textOf(true); }

 private:
  void chooseOne(std::string_view text);
  std::string textOf(bool onlyOfReading) const;

  std::vector<MethodNumber> known_;
  std::vector<double> values_;
};

/// As it is written behind a method's name: "0.5", "64".
std::string numberText(double value);

/// The row that a method's name begins with: "snapkv" of "snapkv:window=64".
inline std::string_view rowNameOf(std::string_view method) { return method.substr(0, method.find(':')); }
/// The row of the table that it varies: "snapkv" of "snapkv+kivi-4:window=64".
inline std::string_view tableRowOf(std::string_view method) {
  return method.substr(0, method.find_first_of("+:"));
}
/// What `choose` takes of it: "window=64".
inline std::string_view numbersOf(std::string_view method) {
  const std::size_t colon = method.find(':');
  return colon == std::string_view::npos ? std::string_view() : method.substr(colon + 1);
}

}  // namespace kvasir
