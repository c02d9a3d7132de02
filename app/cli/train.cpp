#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/setup.h"
#include "app/cli/training_curves.h"
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

/// Hands each line's object on, with what its errors begin with. Every row has a text; questions are a list if
/// there.
template <class Take>
void forEachRow(const std::string& lines, const std::string& name, Take take) {
  std::istringstream stream(lines);
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    const std::string place = "Line " + std::to_string(++number) + " of " + name;
    if (line.empty()) continue;
    const Json row = Json::parse(line, nullptr, false);
    if (!row.is_object() || !row.contains("text") || !row["text"].is_string())
      throw std::runtime_error(place + " is no JSON object with a text.");
    if (row.contains("questions") && !row["questions"].is_array())
      throw std::runtime_error(place + ": questions is no list.");
    take(row, place);
  }
}

void addRows(const std::string& name, Console& console, std::vector<Engine::WhiteningText>& texts) {
  int others = 0;
  forEachRow(contentsOf(pathOf(name)), name, [&](const Json& row, const std::string&) {
    Engine::WhiteningText text{row["text"], {}};
    for (const Json& question : row.value("questions", Json::array())) {
      if (question.is_string())
        text.questions.push_back(question);
      else
        ++others;
    }
    texts.push_back(std::move(text));
  });
  if (others > 0)
    console.remark(std::to_string(others) + " questions of " + name +
                   " are left out: they are no strings, as [\"Which fund?\"].");
}

std::vector<AdapterLesson> readLessons(const std::filesystem::path& file) {
  std::vector<AdapterLesson> lessons;
  forEachRow(contentsOf(file), utf8Of(file), [&](const Json& row, const std::string& place) {
    AdapterLesson& lesson = lessons.emplace_back(AdapterLesson{row["text"], {}});
    for (const Json& item : row.value("questions", Json::array())) {
      if (!item.is_object() || !item.contains("question") || !item["question"].is_string() ||
          !item.contains("answer") || !item["answer"].is_string())
        throw std::runtime_error(place + ": a question is no object with a question and an answer.");
      lesson.items.push_back({item["question"], item["answer"]});
    }
  });
  return lessons;
}

/// Pairs of bytes of the text, as [[start, end], …].
std::vector<RetrieverLesson::Stretch> stretchesOf(const Json& list, std::size_t bytes,
                                                  const std::string& place) {
  std::vector<RetrieverLesson::Stretch> stretches;
  for (const Json& pair : list) {
    const bool isPair =
        pair.is_array() && pair.size() == 2 && pair[0].is_number_unsigned() && pair[1].is_number_unsigned();
    if (!isPair || pair[0] >= pair[1] || pair[1] > bytes)
      throw std::runtime_error(place + ": a stretch is no [start, end) within the text's bytes.");
    stretches.push_back({pair[0], pair[1]});
  }
  return stretches;
}

std::vector<RetrieverLesson> readRetrieverLessons(const std::filesystem::path& file) {
  std::vector<RetrieverLesson> lessons;
  forEachRow(contentsOf(file), utf8Of(file), [&](const Json& row, const std::string& place) {
    RetrieverLesson& lesson = lessons.emplace_back();
    lesson.text = row["text"];
    lesson.documents = stretchesOf(row.value("documents", Json::array()), lesson.text.size(), place);
    for (const Json& item : row.value("questions", Json::array())) {
      if (!item.is_object() || !item.contains("question") || !item["question"].is_string() ||
          !item.contains("gold") || !item["gold"].is_array())
        throw std::runtime_error(place + ": a question is no object with a question and gold.");
      lesson.items.push_back({item["question"], stretchesOf(item["gold"], lesson.text.size(), place)});
    }
  });
  return lessons;
}

/// Names of the files, as what is made of them tells: characters only, whatever bytes they are.
std::string filesOf(const Arguments& arguments) {
  std::string names, characters;
  for (const std::string& name : arguments.documents) names += utf8Of(pathOf(name).filename()) + ", ";
  names += "held out " + utf8Of(arguments.heldOut.filename());
  for (std::size_t byte = 0; byte < names.size();) appendCodePoint(characters, nextCodePoint(names, byte));
  return characters;
}

std::filesystem::path folderOf(const Arguments& arguments) {
  return arguments.folder.empty() ? retrieverFolders().front() : arguments.folder;
}

/// The texts of a file: of each line where it holds JSON lines, else of the document.
void addTexts(const std::string& name, Console& console, std::vector<std::string>& texts) {
  if (pathOf(name).extension() == ".jsonl") {
    forEachRow(contentsOf(pathOf(name)), name,
               [&](const Json& row, const std::string&) { texts.push_back(row["text"]); });
    return;
  }
  const auto progress = [&](int done, int total) { console.progress({Stage::Importing, done, total, 0}); };
  texts.push_back(importFile(pathOf(name), progress).text);
}

/// Trains with one of the engine's trainings, draws the curves and tells where the result is.
template <class Training, class Texts, class Settings>
void trainWith(Training training, const Texts& texts, const Settings& settings, const Arguments& arguments,
               Console& console) {
  const auto engine = loadEngine(arguments, console);
  TrainingCurves curves(arguments.curves, arguments.picture, console);
  const std::filesystem::path file = (engine.get()->*training)(
      texts, settings, folderOf(arguments), [&](const TrainingStep& step) { curves.add(step); }, console);
  const std::optional<double> best = curves.best();
  if (arguments.isJson)
    console.out() << asLine(Json{{"file", utf8Of(file)},
                                 {"texts", texts.train.size()},
                                 {"steps", curves.last()},
                                 {"held_out_loss", best ? Json(*best) : Json(nullptr)}})
                  << "\n";
  else
    console.out() << "Written: " << utf8Of(file) << "\n";
}

}  // namespace

void trainRetrieverCommand(const Arguments& arguments, Console& console) {
  checkPicture(arguments.picture);
  RetrieverTexts texts;
  for (const std::string& name : arguments.documents)
    for (RetrieverLesson& lesson : readRetrieverLessons(pathOf(name))) texts.train.push_back(std::move(lesson));
  texts.heldOut = readRetrieverLessons(arguments.heldOut);
  texts.files = filesOf(arguments);
  trainWith(&Engine::trainRetriever, texts, arguments.retriever, arguments, console);
}

void trainAdapterCommand(const Arguments& arguments, Console& console) {
  checkMethod(arguments.training.method);
  checkPicture(arguments.picture);
  AdapterTexts texts;
  for (const std::string& name : arguments.documents)
    for (AdapterLesson& lesson : readLessons(pathOf(name))) texts.train.push_back(std::move(lesson));
  texts.heldOut = readLessons(arguments.heldOut);
  texts.files = filesOf(arguments);
  trainWith(&Engine::trainAdapter, texts, arguments.training, arguments, console);
}

void trainBeaconCommand(const Arguments& arguments, Console& console) {
  checkPicture(arguments.picture);
  BeaconTexts texts;
  for (const std::string& name : arguments.documents) addTexts(name, console, texts.train);
  addTexts(utf8Of(arguments.heldOut), console, texts.heldOut);
  texts.files = filesOf(arguments);
  trainWith(&Engine::trainBeacons, texts, arguments.beacon, arguments, console);
}

void trainWhiteningCommand(const Arguments& arguments, Console& console) {
  std::vector<Engine::WhiteningText> texts;
  for (const std::string& name : arguments.documents) {
    if (pathOf(name).extension() == ".jsonl")
      addRows(name, console, texts);
    else
      addPieces(importFile(pathOf(name),
                           [&](int done, int total) {
                             console.progress({Stage::Importing, done, total, 0});
                           })
                    .text,
                texts);
  }
  const auto engine = loadEngine(arguments, console);
  const std::filesystem::path file =
      engine->trainWhitening(texts, arguments.whitening, folderOf(arguments), console);
  if (arguments.isJson)
    console.out() << asLine(Json{{"file", utf8Of(file)}, {"texts", texts.size()}}) << "\n";
  else
    console.out() << "Written: " << utf8Of(file) << "\n";
}

}  // namespace kvasir
