#include "app/progress_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace kvasir {
namespace {

using namespace std::chrono_literals;

TEST(Describe, SaysStageShareSpeedAndTimeLeft) {
  EXPECT_EQ(describe({Stage::Reading, 43, 100, 1210.4}, 41), "Reading   43 %  1,210 tokens/s  0:41 left");
  EXPECT_EQ(describe({Stage::Reading, 100, 100, 0}, 0), "Reading  100 %  0:00 left");
}

TEST(Describe, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(describe({Stage::Importing, 0, 0, 0}, -1), "Importing");
  EXPECT_EQ(describe({Stage::Importing, 1200, 0, 0}, -1), "Importing  1,200");
  EXPECT_EQ(describe({Stage::Answering, 12, 256, 110}, -1), "Answering  12 tokens  110 tokens/s");
}

struct ProgressLineTest : testing::Test {
  std::ostringstream stream;
  std::chrono::steady_clock::time_point now{};
  ProgressLine lineOf(ProgressStyle style) {
    return ProgressLine(stream, style, [this] { return now; });
  }
};

TEST_F(ProgressLineTest, RewritesOneLineOnATerminal) {
  ProgressLine line = lineOf(ProgressStyle::Rewritten);
  line.show({Stage::Reading, 10, 100, 1000});
  line.show({Stage::Reading, 11, 100, 1000});  // too soon
  now += 200ms;
  line.show({Stage::Reading, 20, 100, 0});
  EXPECT_EQ(stream.str(),
            "\rReading   10 %  1,000 tokens/s  0:00 left"
            "\rReading   20 %                           ");
}

TEST_F(ProgressLineTest, TakesItsLineAway) {
  ProgressLine line = lineOf(ProgressStyle::Rewritten);
  line.clear();
  line.show({Stage::Loading, 1, 2, 0});
  line.clear();
  const std::string shown = "Loading the model   50 %";
  EXPECT_EQ(stream.str(), "\r" + shown + "\r" + std::string(shown.size(), ' ') + "\r");
}

TEST_F(ProgressLineTest, WritesALineEveryFewSecondsElsewhere) {
  ProgressLine line = lineOf(ProgressStyle::Lines);
  line.setSubject("book.pdf");
  for (int second = 0; second < 8; ++second, now += 1s) line.show({Stage::Reading, second * 10, 100, 0});
  EXPECT_EQ(stream.str(), "book.pdf: Reading   30 %  0:07 left\nbook.pdf: Reading   60 %  0:04 left\n");
}

TEST_F(ProgressLineTest, WritesNoLineTwice) {
  ProgressLine line = lineOf(ProgressStyle::Lines);
  for (int second = 0; second < 20; ++second, now += 1s) line.show({Stage::Reading, 30, 100, 100});
  EXPECT_EQ(stream.str(), "Reading   30 %  100 tokens/s  0:01 left\n");
}

TEST_F(ProgressLineTest, SaysWhenADocumentIsRead) {
  ProgressLine line = lineOf(ProgressStyle::Lines);
  line.show({Stage::Reading, 50, 100, 900});
  line.show({Stage::Reading, 100, 100, 900});
  EXPECT_EQ(stream.str(), "Reading  100 %  900 tokens/s  0:00 left\n");
}

TEST_F(ProgressLineTest, MeasuresTheTimeLeftFromWhereTheWorkBegan) {
  ProgressLine line = lineOf(ProgressStyle::Rewritten);
  line.show({Stage::Reading, 80, 100, 0});  // an earlier call had read so far
  now += 10s;
  stream.str("");
  line.show({Stage::Reading, 90, 100, 0});
  EXPECT_EQ(stream.str(), "\rReading   90 %  0:10 left");
}

TEST_F(ProgressLineTest, SaysNothingWhenSilent) {
  ProgressLine line = lineOf(ProgressStyle::Silent);
  line.show({Stage::Reading, 50, 100, 900});
  line.clear();
  EXPECT_EQ(stream.str(), "");
}

}  // namespace
}  // namespace kvasir
