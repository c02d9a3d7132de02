#include "app/results.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownCharacters = 160;

/// The passage in whole characters.
struct Passage {
  std::size_t start = 0, end = 0;
};

Passage passageOf(const Document& document, const EvidenceChunk& chunk) {
  const std::size_t start = toBoundary(document.text, chunk.start);
  return {start, std::max(start, toBoundary(document.text, chunk.end))};
}

std::string textOf(const Document& document, const Passage& passage) {
  return document.text.substr(passage.start, passage.end - passage.start);
}

Json orNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json finiteOrNull(double number) { return std::isfinite(number) ? Json(number) : Json(nullptr); }

Json numberOrNull(int number) { return number == 0 ? Json(nullptr) : Json(number); }

Json evidenceJson(const AskResult& result) {
  const Document& document = result.document;
  const CodePointIndex index(document.text);
  Json list = Json::array();
  int rank = 0;
  for (const EvidenceChunk& chunk : result.answer.evidence) {
    const Passage passage = passageOf(document, chunk);
    const PassagePlace place = placeOf(document, passage.start, passage.end);
    Json json;
    json["rank"] = ++rank;
    json["score"] = finiteOrNull(chunk.score);
    json["score_states"] = chunk.parts ? finiteOrNull(chunk.parts->states) : Json(nullptr);
    json["score_words"] = chunk.parts ? finiteOrNull(chunk.parts->words) : Json(nullptr);
    json["first_page"] = numberOrNull(place.firstPage);
    json["last_page"] = numberOrNull(place.lastPage);
    if (!place.label.empty()) json["page_label"] = place.label;
    json["section"] = orNull(place.section);
    if (!place.location.empty()) json["location"] = place.location;
    json["char_start"] = index.codePointAt(passage.start);
    json["char_end"] = index.codePointAt(passage.end);
    json["text"] = textOf(document, passage);
    json["chunk"] = chunk.chunk;
    json["mass"] = chunk.mass;
    json["layers"] = chunk.layers;
    json["read_share"] = chunk.readShare;
    list.push_back(std::move(json));
  }
  return list;
}

const char* nameOf(AnswerStep::Kind kind) {
  switch (kind) {
    case AnswerStep::Kind::Clues:
      return "clues";
    case AnswerStep::Kind::Search:
      return "search";
    case AnswerStep::Kind::Access:
      return "access";
    case AnswerStep::Kind::Use:
      return "use";
    case AnswerStep::Kind::Note:
      return "note";
    case AnswerStep::Kind::Answer:
      return "answer";
  }
  return "";
}

Json stepsJson(const AskResult& result) {
  Json list = Json::array();
  for (const AnswerStep& step : result.answer.steps) {
    Json json = {{"kind", nameOf(step.kind)}, {"asked", step.asked}, {"said", step.said}};
    json["chunks"] = Json::array();
    for (const AnswerStep::LookedAt& chunk : step.chunks) {
      const PassagePlace place = placeOf(result.document, chunk.start, chunk.end);
      json["chunks"].push_back({{"chunk", chunk.chunk},
                                {"first_page", numberOrNull(place.firstPage)},
                                {"last_page", numberOrNull(place.lastPage)}});
    }
    json["options"] = Json::array();
    for (const AnswerStep::Option& option : step.options)
      json["options"].push_back({{"text", option.text}, {"score", option.score}});
    list.push_back(std::move(json));
  }
  return list;
}

std::string rangeOf(const std::string& first, const std::string& last) {
  return first == last ? first : first + "–" + last;
}

std::string pagesText(const PassagePlace& place) {
  if (place.firstPage == 0) return place.location;
  const std::string numbers = rangeOf(std::to_string(place.firstPage), std::to_string(place.lastPage));
  const std::string label = place.label.empty() ? "" : " (" + place.label + ")";
  return (place.firstPage == place.lastPage ? "p. " : "pp. ") + numbers + label;
}

std::string counted(std::size_t number, const char* one, const char* more) {
  return withCommas(static_cast<std::int64_t>(number)) + " " + (number == 1 ? one : more);
}

/// The pages that a step looked at, "pp. 3, 7–8"; nothing for documents without pages.
std::string pagesLookedAt(const Document& document, const AnswerStep& step) {
  std::set<int> pages;
  for (const AnswerStep::LookedAt& chunk : step.chunks) {
    const PassagePlace place = placeOf(document, chunk.start, chunk.end);
    for (int page = place.firstPage; page > 0 && page <= place.lastPage; ++page) pages.insert(page);
  }
  std::string text;
  for (auto page = pages.begin(); page != pages.end();) {
    const int first = *page;
    int last = first;
    while (++page != pages.end() && *page == last + 1) ++last;
    text += (text.empty() ? "" : ", ") + rangeOf(std::to_string(first), std::to_string(last));
  }
  if (text.empty()) return "";
  return (pages.size() == 1 ? "p. " : "pp. ") + text;
}

std::size_t pagesTouched(const AskResult& result) {
  std::set<int> pages;
  for (const EvidenceChunk& chunk : result.answer.evidence) {
    const PassagePlace place = placeOf(result.document, chunk.start, chunk.end);
    if (place.firstPage == 0) continue;
    for (int page = place.firstPage; page <= place.lastPage; ++page) pages.insert(page);
  }
  return pages.size();
}

/// Says how much of the document the answer rested on, also when that is nothing.
std::string restedOn(const AskResult& result) {
  std::string line = "Evidence: " + counted(result.answer.evidence.size(), "passage", "passages");
  if (const std::size_t all = result.document.pages.size(); all > 0) {
    line += " from " + withCommas(static_cast<std::int64_t>(pagesTouched(result))) + " of " +
            counted(all, "page", "pages");
  }
  line += "; each layer saw at most " + withCommas(result.answer.attendedTokens) + " of " +
          withCommas(result.documentTokens) + " tokens";
  if (result.answer.coverage) {
    line +=
        ", with about " + std::to_string(std::lround(*result.answer.coverage * 100)) + " % of the attention";
  }
  return line + "\n";
}

}  // namespace

PassagePlace placeOf(const Document& document, std::size_t start, std::size_t end) {
  PassagePlace place;
  if (const auto pages = pagesOf(document, start, end)) {
    place.firstPage = pages->first + 1;
    place.lastPage = pages->last + 1;
    const std::string& first = document.pages[static_cast<std::size_t>(pages->first)].label;
    const std::string& last = document.pages[static_cast<std::size_t>(pages->last)].label;
    const bool isNumbered = first == std::to_string(place.firstPage) && last == std::to_string(place.lastPage);
    if (!isNumbered) place.label = rangeOf(first, last);
  }
  for (const std::string& title : sectionOf(document, start)) {
    place.section += (place.section.empty() ? "" : " › ") + title;
  }
  const auto after =
      std::upper_bound(document.anchors.begin(), document.anchors.end(), start,
                       [](std::size_t byte, const Anchor& anchor) { return byte < anchor.start; });
  if (after != document.anchors.begin()) place.location = std::prev(after)->location;
  return place;
}

Json toJson(const AskResult& result) {
  const Answer& answer = result.answer;
  Json json;
  json["answer"] = answer.text;
  json["method"] = result.settings.method;
  json["budget"] = result.settings.budgetTokens;
  json["coverage"] = answer.coverage ? Json(*answer.coverage) : Json(nullptr);
  json["evidence"] = evidenceJson(result);
  json["steps"] = stepsJson(result);
  json["tokens"] = {{"document", result.documentTokens},
                    {"question", answer.questionTokens},
                    {"answer", answer.answerTokens},
                    {"attended", answer.attendedTokens}};
  json["guesses"] = {{"tried", answer.guessedTokens}, {"right", answer.rightGuesses}};
  json["seconds"] = {{"load", result.loadSeconds},
                     {"read", result.readSeconds},
                     {"first_token", answer.firstTokenSeconds},
                     {"total", result.totalSeconds}};
  json["bytes"] = {
      {"kv_memory", answer.kvBytesInMemory}, {"kv_disk", result.kvBytesOnDisk}, {"peak_rss", result.peakBytes}};
  json["stopped_by_limit"] = answer.stoppedByLimit;
  json["log_probability"] = answer.logProbability;
  return json;
}

std::string describeEvidence(const AskResult& result, int shown) {
  std::string text = restedOn(result);
  int rank = 0;
  for (const EvidenceChunk& chunk : result.answer.evidence) {
    if (++rank > shown) break;
    const Passage passage = passageOf(result.document, chunk);
    const PassagePlace place = placeOf(result.document, passage.start, passage.end);
    char head[64];
    std::snprintf(head, sizeof head, "%3d  score %.3f", rank, chunk.score);
    text += head;
    for (const std::string& part : {pagesText(place), place.section}) text += part.empty() ? "" : "  " + part;
    text += "\n     " + onOneLine(textOf(result.document, passage), kShownCharacters) + "\n";
  }
  const auto left = static_cast<std::int64_t>(result.answer.evidence.size()) - shown;
  if (left > 0) text += "     and " + withCommas(left) + " more (--evidence N shows them)\n";
  return text;
}

std::string describeStep(const Document& document, const AnswerStep& step) {
  const std::string words = onOneLine(step.said.empty() ? step.asked : step.said, kShownCharacters),
                    pages = pagesLookedAt(document, step);
  std::string line = nameOf(step.kind);
  for (const std::string& part : {words, pages.empty() ? "" : "(" + pages + ")"})
    line += part.empty() ? "" : "  " + part;
  return line;
}

std::string describeSteps(const AskResult& result) {
  std::string text;
  int number = 0;
  for (const AnswerStep& step : result.answer.steps) {
    char head[16];
    std::snprintf(head, sizeof head, "%3d  ", ++number);
    text += head + describeStep(result.document, step) + "\n";
  }
  return text.empty() ? "" : "Steps:\n" + text + "\n";
}

Json toJson(const DocumentRecord& document, const std::vector<ReadingRecord>& readings) {
  Json json;
  json["id"] = document.id;
  json["title"] = document.title;
  json["format"] = document.format;
  json["language"] = orNull(document.language);
  json["file"] = document.file;
  json["pages"] = document.pages > 0 ? Json(document.pages) : Json(nullptr);
  json["imported_at"] = document.importedAt;
  json["import_seconds"] = document.importSeconds;
  json["readings"] = Json::array();
  for (const ReadingRecord& reading : readings) {
    json["readings"].push_back({{"key", reading.key},
                                {"model", reading.model},
                                {"method", reading.method},
                                {"tokens", reading.tokens},
                                {"chunks", reading.chunks},
                                {"bytes", reading.bytes},
                                {"seconds", reading.seconds},
                                {"complete", reading.complete}});
  }
  return json;
}

std::string asLine(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace kvasir
