// Numbers of methods, as a method's name chooses them.
#include "engine/numbers.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/methods.h"
#include "engine/reading.h"
#include "engine/wishes.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Kind = MethodNumber::Kind;

Numbers someNumbers() {
  return Numbers({{"window", "last tokens", 32, 1, 128},
                  {"neighbours", "spread over", 5, 1, 63, Kind::Odd},
                  {"page", "of a page", 0, 0, 64, Kind::PowerOfTwo},
                  {"share", "of the budget", .25, 0, 1, Kind::Real, false}});
}

TEST(Numbers, AreAsUsualUnlessChosen) {
  Numbers numbers = someNumbers();
  EXPECT_EQ(numbers.text(), "");
  numbers.choose("");
  EXPECT_EQ(numbers["window"], 32);
  numbers.choose("share=0.5:window=64");
  EXPECT_EQ(numbers.whole("window"), 64);
  EXPECT_EQ(numbers["share"], .5);
  EXPECT_EQ(numbers["neighbours"], 5);
  EXPECT_EQ(numbers.text(), ":window=64:share=0.5");  // in their own order, so that one reading serves both
  EXPECT_EQ(numbers.readingText(), ":window=64");
  numbers.choose("window=32");
  EXPECT_EQ(numbers.text(), ":share=0.5");
  EXPECT_THROW(numbers["budget"], std::logic_error);
}

TEST(Numbers, AreRefusedWithASentence) {
  const auto complaint = [](const char* text) {
    Numbers numbers = someNumbers();
    try {
      numbers.choose(text);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(complaint("windows=3"), "it has no number \"windows\"; it has window, neighbours, page, share.");
  EXPECT_EQ(complaint("window=0"), "window has to be a whole number from 1 to 128, as window=32; it is \"0\".");
  for (const char* text : {"window=129", "window=1.5", "window=", "window", "window=1e", "window=nan",
                           "window=x", "window= 3", "neighbours=4", "page=48", "page=-1", "share=1.01",
                           "share=inf", "=3", ":", "window=3:", "window=3::share=1"})
    EXPECT_NE(complaint(text), "") << text;
  for (const char* text : {"page=0", "page=64", "neighbours=63", "share=1e-1", "window=1"})
    EXPECT_EQ(complaint(text), "") << text;
}

TEST(MethodNumbers, AreOnceInARowAndUsuallyWithinTheirBounds) {
  int count = 0;
  for (const Method& method : methods()) {
    std::set<std::string> names;
    for (const MethodNumber& number : method.numbers.known()) {
      EXPECT_TRUE(names.insert(number.name).second) << method.name << " " << number.name;
      Numbers numbers = method.numbers;
      for (const double value : {number.usual, number.least, number.most})
        EXPECT_NO_THROW(numbers.choose(std::string(number.name) + "=" + numberText(value)))
            << method.name << " " << number.name;
      ++count;
    }
  }
  EXPECT_GT(count, 30);
}

TEST(MethodNumbers, ChooseARowOfItsOwn) {
  const Method& row = findMethod("snapkv+kivi-4:window=64");
  EXPECT_STREQ(row.name, "snapkv+kivi-4:window=64");
  EXPECT_EQ(row.numbers.whole("window"), 64);
  EXPECT_EQ(row.codec.make, findMethod("kivi-4").codec.make);
  EXPECT_EQ(&row, methodNamed("snapkv+kivi-4:window=64"));
  EXPECT_EQ(findMethod("snapkv").numbers.whole("window"), 32);
  EXPECT_TRUE(takesWishes("snapkv:window=64"));
  EXPECT_FALSE(takesWishes("streaming:sinks=8"));
  for (const char* name : {"snapkv:", "snapkv:window", "snapkv:window=64+kivi-4", "none:window=64",
                           ":window=64", "full:window=64"})
    EXPECT_EQ(methodNamed(name), nullptr) << name;
  try {
    findMethod("longrope:window=64");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(
        error.what(),
        "longrope:window=64 is no method: it has no number \"window\"; it has none that can be chosen.");
  }
}

// What only answers by a number shares a reading with the row as it comes; what reads by it does not.
TEST(MethodNumbers, MakeAnotherReadingWhereReadingNeedsThem) {
  const TinyModel model;
  for (const Method& method : methods())
    for (const MethodNumber& number : method.numbers.known()) {
      const double other = number.usual == number.most ? number.least : number.most;
      const std::string varied = std::string(method.name) + ":" + number.name + "=" + numberText(other);
      const bool isSame =
          readingKey(model.loaded, {varied, 1024, 512}) == readingKey(model.loaded, {method.name, 1024, 512});
      EXPECT_EQ(isSame, !number.actsOnReading) << varied;
      EXPECT_EQ(readAlike(varied, method.name), isSame) << varied;
    }
}

}  // namespace
}  // namespace kvasir
