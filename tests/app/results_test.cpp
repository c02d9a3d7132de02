#include "app/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/app/sample_document.h"

namespace kvasir {
namespace {

using testing::HasSubstr;

struct Results : testing::Test {
  Document document = sampleDocument(12);
  Answer answer;
  AskResult result{document, answer, {}, 500, 0.1, 0, 0.4, 2000, 3000};
};

TEST_F(Results, PlacePagesByNumberAndLabel) {
  const PassagePlace place = placeOf(document, document.pages[0].start, document.pages[1].end);
  EXPECT_EQ(place.firstPage, 1);
  EXPECT_EQ(place.lastPage, 2);
  EXPECT_EQ(place.label, "i–ii");
  EXPECT_EQ(place.section, "Preface");
  document.pages[4].label = "5";
  EXPECT_EQ(placeOf(document, document.pages[4].start, document.pages[4].start + 4).label, "");
}

TEST_F(Results, PlaceBooksWithoutPagesByAnchor) {
  document.pages.clear();
  document.anchors = {{0, "one.xhtml#/4/2"}, {100, "one.xhtml#/4/4"}};
  EXPECT_EQ(placeOf(document, 99, 120).location, "one.xhtml#/4/2");
  EXPECT_EQ(placeOf(document, 100, 120).location, "one.xhtml#/4/4");
  EXPECT_EQ(placeOf(document, 100, 120).firstPage, 0);
}

TEST_F(Results, TellTheStepsOfAnAnswerThatTookSeveral) {
  const Page &one = document.pages[1], &two = document.pages[2], &far = document.pages[8];
  answer.steps = {
      {AnswerStep::Kind::Search, "who?", "", {{7, far.start, far.start + 4}, {1, one.start, two.end}}},
      {AnswerStep::Kind::Use,
       "Does it say?",
       "go on",
       {{7, far.start, far.start + 4}},
       {{"answer", -1.5}, {"go on", 0.25}}},
      {AnswerStep::Kind::Clues, "Write.", "- one\n- two", {}}};
  const auto json = toJson(result)["steps"];
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[0]["kind"], "search");
  EXPECT_EQ(json[0]["asked"], "who?");
  EXPECT_EQ(json[0]["chunks"][1]["chunk"], 1);
  EXPECT_EQ(json[0]["chunks"][1]["first_page"], 2);
  EXPECT_EQ(json[0]["chunks"][1]["last_page"], 3);
  EXPECT_EQ(json[1]["options"][1]["text"], "go on");
  EXPECT_EQ(json[1]["options"][1]["score"], 0.25);
  EXPECT_EQ(json[2]["said"], "- one\n- two");
  EXPECT_EQ(describeSteps(result),
            "Steps:\n"
            "  1  search  who?  (pp. 2–3, 9)\n"
            "  2  use  go on  (p. 9)\n"
            "  3  clues  - one - two\n\n");
}

TEST_F(Results, SayNothingOfStepsWhereTheAnswerCameAtOnce) {
  EXPECT_EQ(describeSteps(result), "");
  EXPECT_TRUE(toJson(result)["steps"].empty());
}

TEST_F(Results, HaveTheFieldsOfTheContract) {
  const Page& page = document.pages[8];
  answer.text = "Yes.";
  answer.evidence = {{3, 0.75, 0.1, 20, page.start, page.start + 11, 0.25}};
  answer.questionTokens = 9;
  answer.attendedTokens = 300;
  answer.guessedTokens = 7;
  answer.rightGuesses = 5;
  answer.kvBytesInMemory = 1000;
  const auto json = toJson(result);
  EXPECT_EQ(json["answer"], "Yes.");
  EXPECT_EQ(json["method"], AskSettings{}.method);
  EXPECT_EQ(json["budget"], 2048);
  EXPECT_TRUE(json["coverage"].is_null());
  const auto& evidence = json["evidence"][0];
  EXPECT_EQ(evidence["rank"], 1);
  EXPECT_EQ(evidence["score"], 0.75);
  EXPECT_TRUE(evidence.at("score_states").is_null());
  EXPECT_TRUE(evidence.at("score_words").is_null());
  EXPECT_EQ(evidence["first_page"], 9);
  EXPECT_EQ(evidence["last_page"], 9);
  EXPECT_EQ(evidence["page_label"], "7");
  EXPECT_EQ(evidence["section"], "Part one › Chapter 1");
  EXPECT_EQ(evidence["char_start"], page.start);
  EXPECT_EQ(evidence["char_end"], page.start + 11);
  EXPECT_EQ(evidence["text"], "i1000 i1001");
  EXPECT_EQ(evidence["chunk"], 3);
  EXPECT_EQ(evidence["mass"], 0.1);
  EXPECT_EQ(evidence["layers"], 20);
  EXPECT_EQ(evidence["read_share"], 0.25);
  EXPECT_EQ(json["tokens"].dump(), R"({"document":500,"question":9,"answer":0,"attended":300})");
  EXPECT_EQ(json["guesses"].dump(), R"({"tried":7,"right":5})");
  EXPECT_EQ(json["seconds"].dump(), R"({"load":0.1,"read":0.0,"first_token":0.0,"total":0.4})");
  EXPECT_EQ(json["bytes"].dump(), R"({"kv_memory":1000,"kv_disk":2000,"peak_rss":3000})");
}

TEST_F(Results, HaveBothPartsOfAScoreThatAddsWordsToStates) {
  answer.evidence = {{0, 1.25, 0, 1, 0, 4, 1, 0, ScoreParts{0.5, 0.75}}};
  const auto json = toJson(result);
  EXPECT_EQ(json["evidence"][0]["score_states"], 0.5);
  EXPECT_EQ(json["evidence"][0]["score_words"], 0.75);
}

TEST_F(Results, CountCodePointsAndDivideNoCharacter) {
  document = {};
  document.text = "水水水水 end";
  answer.evidence = {{0, 1, 0, 1, 0, 4}, {1, 0.5, 0, 1, 4, 16}};  // chunks that meet inside a character
  const auto json = toJson(result);
  EXPECT_EQ(json["evidence"][0]["text"], "水水");
  EXPECT_EQ(json["evidence"][1]["char_start"], 2);
  EXPECT_EQ(json["evidence"][1]["char_end"], 8);
  EXPECT_EQ(json["evidence"][1]["text"], "水水 end");
  EXPECT_TRUE(json["evidence"][1]["first_page"].is_null());
  EXPECT_TRUE(json["evidence"][1]["section"].is_null());
}

TEST_F(Results, SayHowMuchAnAnswerRestedOn) {
  answer.coverage = 0.834;
  answer.attendedTokens = 2012;
  answer.evidence = {{0, 0.75, 0, 1, document.pages[2].start, document.pages[4].start + 5},
                     {1, 0.5, 0, 1, document.pages[4].start, document.pages[4].start + 5}};
  const std::string text = describeEvidence(result, 1);
  EXPECT_THAT(text,
              HasSubstr("Evidence: 2 passages from 3 of 12 pages; each layer saw at most 2,012 of 500 tokens"));
  EXPECT_THAT(text, HasSubstr("83 % of the attention"));
  EXPECT_THAT(text, HasSubstr("  1  score 0.750  pp. 3–5 (1–3)  Preface\n     c1000 c1001"));
  EXPECT_THAT(text, HasSubstr("and 1 more"));
}

TEST_F(Results, SayWhenAnAnswerRestedOnNothing) {
  EXPECT_THAT(describeEvidence(result, 8), HasSubstr("Evidence: 0 passages from 0 of 12 pages"));
}

}  // namespace
}  // namespace kvasir
