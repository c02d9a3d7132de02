#include "app/text.h"

#include <gtest/gtest.h>

#include "app/sha256.h"
#include "tests/app/scratch.h"

namespace kvasir {
namespace {

TEST(CodePointIndex, TurnsBytesIntoCodePointsAndBack) {
  std::string text;
  std::vector<std::size_t> starts;
  for (int i = 0; i < 500; ++i) {
    for (const char* character : {"a", "é", "水", "😀"}) {
      starts.push_back(text.size());
      text += character;
    }
  }
  const CodePointIndex index(text);
  EXPECT_EQ(index.size(), starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    EXPECT_EQ(index.byteAt(i), starts[i]);
    EXPECT_EQ(index.codePointAt(starts[i]), i);
  }
  EXPECT_EQ(index.byteAt(starts.size() + 5), text.size());
  EXPECT_EQ(index.codePointAt(text.size() + 5), starts.size());
}

TEST(CodePointIndex, TakesAnEmptyText) {
  const CodePointIndex index("");
  EXPECT_EQ(index.size(), 0u);
  EXPECT_EQ(index.byteAt(0), 0u);
  EXPECT_EQ(index.codePointAt(0), 0u);
}

TEST(Text, GoesOnToTheNextWholeCharacter) {
  EXPECT_EQ(toBoundary("a水b", 1), 1u);
  EXPECT_EQ(toBoundary("a水b", 2), 4u);
  EXPECT_EQ(toBoundary("a水", 3), 4u);
  EXPECT_EQ(toBoundary("a", 9), 1u);
}

TEST(Text, ReadsAndWritesCodePoints) {
  const std::string text = "zé水😀";
  std::string copy;
  for (std::size_t byte = 0; byte < text.size();) appendCodePoint(copy, nextCodePoint(text, byte));
  EXPECT_EQ(copy, text);
}

TEST(Text, ReadsBytesThatAreNotUtf8AsReplacements) {
  const std::string text = "\xff\xe6\xb0z\xc3";
  std::u32string points;
  for (std::size_t byte = 0; byte < text.size();) points += nextCodePoint(text, byte);
  EXPECT_EQ(points, U"\xFFFD\xFFFD\xFFFDz\xFFFD");
}

TEST(Text, PutsAPassageOnOneLine) {
  EXPECT_EQ(onOneLine("  two\n\nwords \t", 20), "two words");
  EXPECT_EQ(onOneLine("a sentence that is too long", 20), "a sentence that is…");
  EXPECT_EQ(onOneLine("水水水水水", 3), "水水水…");
  EXPECT_EQ(onOneLine("", 3), "");
}

TEST(Text, WritesNumbersForPeople) {
  EXPECT_EQ(withCommas(0), "0");
  EXPECT_EQ(withCommas(999), "999");
  EXPECT_EQ(withCommas(1210), "1,210");
  EXPECT_EQ(withCommas(-1234567), "-1,234,567");
  EXPECT_EQ(asDuration(41.4), "0:41");
  EXPECT_EQ(asDuration(725), "12:05");
  EXPECT_EQ(asDuration(3723), "1:02:03");
  EXPECT_EQ(asBytes(0), "0 B");
  EXPECT_EQ(asBytes(640'000), "640 kB");
  EXPECT_EQ(asBytes(1'240'000'000), "1.2 GB");
}

TEST(Sha256, GivesTheValuesOfTheStandard) {
  EXPECT_EQ(sha256Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256Of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  Sha256 inParts;
  for (const char* part : {"abcdbcdecdefdefgefghfghighij", "", "hijkijkljklmklmnlmnomnopnopq"})
    inParts.add(part);
  EXPECT_EQ(inParts.hex(), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, ReadsFiles) {
  const Scratch scratch;
  const std::string bytes(3'000'000, 'k');
  int calls = 0;
  const auto count = [&](std::int64_t, std::int64_t total) {
    ++calls;
    EXPECT_EQ(total, 3'000'000);
  };
  EXPECT_EQ(sha256OfFile(scratch.write("file", bytes), count), sha256Of(bytes));
  EXPECT_EQ(calls, 3);
  EXPECT_NE(sentenceOf([&] { sha256OfFile(scratch.folder() / "missing", count); }), "");
}

}  // namespace
}  // namespace kvasir
