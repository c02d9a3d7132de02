#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/setup.h"
#include "app/library.h"
#include "app/open_document.h"
#include "app/results.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

/// Chunks that hold some of a marked text, wherever it stands. Throws a sentence where it stands nowhere.
std::vector<int> markedChunks(const Document& document, const Reading& reading,
                              const std::vector<std::string>& marked) {
  std::vector<int> found;
  for (const std::string& text : marked) {
    std::size_t at = text.empty() ? std::string::npos : document.text.find(text);
    if (at == std::string::npos) throw std::runtime_error("The document has no text \"" + text + "\" to mark.");
    for (; at != std::string::npos; at = document.text.find(text, at + 1))
      for (std::size_t chunk = 0; chunk < reading.chunks().size(); ++chunk)
        if (reading.chunks()[chunk].start < at + text.size() && at < reading.chunks()[chunk].end)
          found.push_back(static_cast<int>(chunk));
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

/// The values of one map: shares of dense attention, or the retriever's scores.
const std::vector<float>& valuesOf(const MapResult& result, MapKind kind) {
  return kind == MapKind::Attention ? result.full->map.mass : result.retrieved.scores;
}

Json rowsOf(const std::vector<float>& values, int layers, int chunks) {
  Json rows = Json::array();
  for (int layer = 0; layer < layers; ++layer) {
    Json row = Json::array();
    for (int chunk = 0; chunk < chunks; ++chunk) {
      const float value = values[static_cast<std::size_t>(layer * chunks + chunk)];
      row.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json toJson(const MapResult& result) {
  Json json;
  json["layers"] = result.retrieved.layers;
  json["chunks"] = result.retrieved.chunks;
  const MapKind kind = result.kind == MapKind::Attention ? MapKind::Attention : MapKind::Retriever;
  json["values"] = rowsOf(valuesOf(result, kind), result.retrieved.layers, result.retrieved.chunks);
  if (result.kind == MapKind::Both)
    json["attention"] =
        rowsOf(valuesOf(result, MapKind::Attention), result.retrieved.layers, result.retrieved.chunks);
  json["attended"] = Json::array();
  for (int layer = 0; layer < result.retrieved.layers; ++layer) {
    Json row = Json::array();
    for (int chunk = 0; chunk < result.retrieved.chunks; ++chunk)
      if (result.retrieved.attended[static_cast<std::size_t>(layer * result.retrieved.chunks + chunk)])
        row.push_back(chunk);
    json["attended"].push_back(std::move(row));
  }
  json["gold"] = result.marked;
  return json;
}

/// A line a cell. Numbers with points whatever the language; nothing where there is no value.
void writeTable(const MapResult& result, const std::filesystem::path& file) {
  std::ofstream stream(file, std::ios::binary);
  stream << "layer,chunk,first_token,attention,score,attended,marked\r\n";
  const auto number = [&](float value) { return std::isfinite(value) ? Json(value).dump() : std::string(); };
  for (int layer = 0; layer < result.retrieved.layers; ++layer)
    for (int chunk = 0; chunk < result.retrieved.chunks; ++chunk) {
      const auto at = static_cast<std::size_t>(layer * result.retrieved.chunks + chunk);
      const bool isMarked = std::binary_search(result.marked.begin(), result.marked.end(), chunk);
      stream << layer << "," << chunk << ","
             << result.reading.chunks()[static_cast<std::size_t>(chunk)].firstToken << ","
             << (result.full ? number(result.full->map.mass[at]) : "") << ","
             << number(result.retrieved.scores[at]) << "," << static_cast<int>(result.retrieved.attended[at])
             << "," << isMarked << "\r\n";
    }
  stream.flush();
  if (!stream) throw std::runtime_error(utf8Of(file) + " cannot be written; check its folder and the disk.");
}

}  // namespace

void mapCommand(const Arguments& arguments, Console& console) {
  checkMethod(arguments.asking.method);
  checkQuestion(arguments.question);
  const bool isTable = arguments.picture.extension() == ".csv";
  if (arguments.isBeside && (isTable || arguments.mapKind != MapKind::Both))
    throw UsageError("--beside is for a picture of both attention and retriever.");
  if (!isTable) checkPicture(arguments.picture);
  Library library(arguments.library);
  const OpenDocument document = openDocument(library, arguments.documents.front(), console);
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  const OpenReading read =
      openReading(*engine, library, document, readSettingsFor(*engine, arguments), console);
  AskSettings asking = arguments.asking;
  asking.maxTokens = 1;  // a map of the question
  MapResult result{document.document, *read.reading, arguments.mapKind, arguments.isBeside, {}, {}, {}};
  result.marked = markedChunks(document.document, *read.reading, arguments.marked);
  result.retrieved = engine->ask(*read.reading, arguments.question, asking, console).map;
  if (result.kind != MapKind::Retriever)
    result.full = engine->fullAttention(*read.reading, arguments.question, "", console);
  if (!arguments.picture.empty()) {
    if (isTable)
      writeTable(result, arguments.picture);
    else
      drawMap(result, arguments.picture);
  }
  if (arguments.isJson) {
    console.out() << asLine(toJson(result)) << "\n";
    return;
  }
  console.out() << result.retrieved.layers << " layers, " << result.retrieved.chunks << " chunks"
                << (arguments.picture.empty() ? "; --out FILE.png draws them, --json gives the values"
                                              : "; written: " + utf8Of(arguments.picture))
                << "\n";
}

}  // namespace kvasir
