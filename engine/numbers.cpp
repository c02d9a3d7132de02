#include "engine/numbers.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace kvasir {
namespace {

bool isPowerOfTwo(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return (whole & (whole - 1)) == 0;  // of 0 too
}

bool canBe(const MethodNumber& number, double value) {
  if (!(value >= number.least && value <= number.most)) return false;
  if (number.kind == MethodNumber::Kind::Real) return true;
  if (value != std::floor(value)) return false;
  if (number.kind == MethodNumber::Kind::Odd) return std::fmod(value, 2) == 1;
  return number.kind != MethodNumber::Kind::PowerOfTwo || isPowerOfTwo(value);
}

const char* kindText(MethodNumber::Kind kind) {
  switch (kind) {
    case MethodNumber::Kind::Real:
      return "a number";
    case MethodNumber::Kind::Whole:
      return "a whole number";
    case MethodNumber::Kind::Odd:
      return "an odd number";
    case MethodNumber::Kind::PowerOfTwo:
      break;
  }
  return "a power of two";
}

}  // namespace

std::string numberText(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

Numbers::Numbers(std::vector<MethodNumber> known) : known_(std::move(known)) {
  for (const MethodNumber& number : known_) values_.push_back(number.usual);
}

void Numbers::choose(std::string_view text) {
  if (text.empty()) return;
  for (std::size_t colon = 0; colon != std::string_view::npos;
       text.remove_prefix(std::min(text.size(), colon + 1))) {
    colon = text.find(':');
    chooseOne(text.substr(0, colon));
  }
}

void Numbers::chooseOne(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view name = text.substr(0, equals), given = text.substr(std::min(text.size(), equals + 1));
  std::size_t at = 0;
  while (at < known_.size() && name != known_[at].name) ++at;
  if (at == known_.size()) {
    std::string names;
    for (const MethodNumber& number : known_) names += (names.empty() ? "" : ", ") + std::string(number.name);
    throw std::runtime_error("it has no number \"" + std::string(name) + "\"; it has " +
                             (names.empty() ? "none that can be chosen" : names) + ".");
  }
  const MethodNumber& number = known_[at];
  double value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error != std::errc() || end != given.data() + given.size() || !canBe(number, value))
    throw std::runtime_error(std::string(number.name) + " has to be " + kindText(number.kind) + " from " +
                             numberText(number.least) + " to " + numberText(number.most) + ", as " +
                             number.name + "=" + numberText(number.usual) + "; it is \"" + std::string(given) +
                             "\".");
  values_[at] = value;
}

double Numbers::operator[](std::string_view name) const {
  for (std::size_t i = 0; i < known_.size(); ++i)
    if (name == known_[i].name) return values_[i];
  throw std::logic_error("There is no number " + std::string(name) + ".");
}

std::string Numbers::textOf(bool onlyOfReading) const {
  std::string text;
  for (std::size_t i = 0; i < known_.size(); ++i)
    if (values_[i] != known_[i].usual && (known_[i].actsOnReading || !onlyOfReading))
      text += std::string(":") + known_[i].name + "=" + numberText(values_[i]);
  return text;
}

}  // namespace kvasir
