#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/commands.h"
#include "app/cli/setup.h"
#include "app/places.h"
#include "app/results.h"
#include "app/text.h"
#include "importers/importer.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

/// Some 1,500 tokens of most languages: a piece is read from its start, so that all of it has context.
constexpr std::size_t kPieceBytes = 6000;

/// Cuts a text at paragraphs into pieces of about the same length.
void addPieces(const std::string& text, std::vector<Engine::WhiteningText>& texts) {
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.size();
    if (end - begin > kPieceBytes) {
      const std::size_t paragraph = text.find("\n\n", begin + kPieceBytes);
      if (paragraph != std::string::npos) end = paragraph;
    }
    texts.push_back({text.substr(begin, end - begin), {}});
    begin = end;
  }
}

/// Rows {text, questions}, one a line.
void addRows(const std::string& lines, const std::string& name, std::vector<Engine::WhiteningText>& texts) {
  std::istringstream stream(lines);
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty()) continue;
    const Json row = Json::parse(line, nullptr, false);
    if (row.is_discarded() || !row.contains("text") || !row["text"].is_string())
      throw std::runtime_error("Line " + std::to_string(number) + " of " + name + " is no JSON object with a text.");
    Engine::WhiteningText text{row["text"], {}};
    if (row.contains("questions")) {
      if (!row["questions"].is_array())
        throw std::runtime_error("Line " + std::to_string(number) + " of " + name + ": questions is no list.");
      for (const Json& question : row["questions"])
        if (question.is_string()) text.questions.push_back(question);
    }
    texts.push_back(std::move(text));
  }
}

}  // namespace

void trainCommand(const Arguments& arguments, Console& console) {
  std::vector<Engine::WhiteningText> texts;
  for (const std::string& name : arguments.documents) {
    if (pathOf(name).extension() == ".jsonl")
      addRows(contentsOf(pathOf(name)), name, texts);
    else
      addPieces(importFile(pathOf(name), [&](int done, int total) { console.progress({Stage::Importing, done, total, 0}); }).text,
                texts);
  }
  const auto engine = loadEngine(arguments, console);
  const std::filesystem::path folder = arguments.folder.empty() ? retrieverFolders().front() : arguments.folder;
  const std::filesystem::path file = engine->trainWhitening(texts, arguments.whitening, folder, console);
  if (arguments.isJson)
    console.out() << asLine(Json{{"file", utf8Of(file)}, {"texts", texts.size()}}) << "\n";
  else
    console.out() << "Written: " << utf8Of(file) << "\n";
}

}  // namespace kvasir
