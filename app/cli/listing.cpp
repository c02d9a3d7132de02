#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "app/cli/commands.h"
#include "app/cli/setup.h"
#include "app/library.h"
#include "app/open_document.h"
#include "app/places.h"
#include "app/results.h"
#include "app/text.h"
#include "engine/model/gguf.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string padded(std::string text, std::size_t width) {
  const std::size_t points = CodePointIndex(text).size();
  return text + std::string(points < width ? width - points : 0, ' ') + "  ";
}

std::int64_t parametersOf(const GgufFile& file) {
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : file.tensors()) parameters += tensor.count();
  return parameters;
}

/// A file that cannot be used is listed too, with the reason.
Json modelJson(const fs::path& path) {
  Json json;
  try {
    const GgufFile file(path);
    json["name"] = file.text("general.name").value_or(utf8Of(path.stem()));
    json["family"] = file.text("general.architecture").value_or("");
    json["parameters"] = parametersOf(file);
    json["file"] = utf8Of(path);
    json["bytes"] = file.bytes().size();
  } catch (const std::runtime_error& error) {
    json = {{"name", utf8Of(path.stem())}, {"file", utf8Of(path)}, {"error", error.what()}};
  }
  return json;
}

std::vector<fs::path> modelFiles(const Arguments& arguments) {
  std::set<fs::path> files;
  std::error_code error;
  if (!arguments.model.empty()) files.insert(arguments.model);
  for (const fs::path& folder : modelFolders()) {
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".gguf") files.insert(entry.path());
    }
  }
  return {files.begin(), files.end()};
}

std::string describe(const DocumentRecord& document, const std::vector<ReadingRecord>& readings) {
  std::string text = document.id + "  " + document.title + "\n    " + document.format;
  if (document.pages > 0) text += ", " + withCommas(document.pages) + " pages";
  text += ", " + document.file + "\n";
  for (const ReadingRecord& reading : readings) {
    text += "    read by " + reading.model + ", " + reading.method + ": " +
            (reading.complete ? withCommas(reading.tokens) + " tokens" : std::string("not to the end")) + ", " +
            asBytes(static_cast<std::uint64_t>(reading.bytes)) + "\n";
  }
  return text;
}

DocumentRecord findDocument(Library& library, const std::string& name) {
  if (auto known = library.findPath(stampOf(pathOf(name)).path)) return *known;
  if (auto known = library.find(name)) return *known;
  throw std::runtime_error("The library has no document " + name + "; `kvasir-cli library` lists what it has.");
}

Json methodJson(const MethodInfo& method) {
  Json json = {{"name", method.name},           {"description", method.description},
               {"positions", method.positions}, {"codec", method.codec},
               {"policy", method.policy},       {"passages", method.passages},
               {"answers", method.answers},     {"numbers", Json::array()}};
  for (const MethodNumber& number : method.numbers) {
    Json row = {{"name", number.name}, {"meaning", number.meaning}};
    for (const auto& [name, value] :
         {std::pair("usual", number.usual), std::pair("least", number.least), std::pair("most", number.most)}) {
      if (number.kind == MethodNumber::Kind::Real)
        row[name] = value;
      else
        row[name] = static_cast<std::int64_t>(value);
    }
    row["acts_on_reading"] = number.actsOnReading;
    json["numbers"].push_back(std::move(row));
  }
  return json;
}

/// "window=32", as it is unless chosen.
std::string usualOf(const MethodNumber& number) {
  return std::string(number.name) + "=" + numberText(number.usual);
}

constexpr std::size_t kMethodWidth = 18;

/// A method with what it does, and the names of its numbers, or all about them.
std::string methodText(const MethodInfo& method, bool inFull) {
  std::string text = padded(method.name, kMethodWidth) + method.description + "\n", names;
  for (const MethodNumber& number : method.numbers) {
    if (inFull)
      text += padded("  " + usualOf(number), kMethodWidth) + number.meaning + "; " + numberText(number.least) +
              " to " + numberText(number.most) + (number.actsOnReading ? ", read anew for another" : "") + "\n";
    names += (names.empty() ? "" : ", ") + usualOf(number);
  }
  return inFull || names.empty() ? text : text + padded("", kMethodWidth) + names + "\n";
}

}  // namespace

void methodsCommand(const Arguments& arguments, Console& console) {
  Json rows = Json::array();
  const bool inFull = !arguments.methods.empty();
  for (const std::string& name : arguments.methods) checkMethod(name);
  for (const MethodInfo& method : listMethods()) {
    if (inFull && std::ranges::none_of(arguments.methods, [&](const std::string& name) {
          return name.substr(0, name.find_first_of("+:")) == method.name;
        }))
      continue;
    rows.push_back(methodJson(method));
    if (!arguments.isJson) console.out() << methodText(method, inFull);
  }
  if (arguments.isJson)
    console.out() << asLine(rows) << "\n";
  else if (!inFull)
    console.out() << "\nThose that keep keys and values keep them in 4 or 2 bits with +kivi-4 or +kivi-2 "
                     "behind their name, "
                     "all but beacon; numbers stand behind it too:\n"
                     "snapkv+kivi-4:window=64:neighbours=7\n"
                     "`kvasir-cli methods snapkv` says what the numbers of a method are.\n";
}

void modelsCommand(const Arguments& arguments, Console& console) {
  Json rows = Json::array();
  for (const fs::path& file : modelFiles(arguments)) {
    const Json& row = rows.emplace_back(modelJson(file));
    if (arguments.isJson) continue;
    const std::string kind = row.contains("error")
                                 ? row["error"].get<std::string>()
                                 : row["family"].get<std::string>() + ", " +
                                       withCommas(row["parameters"].get<std::int64_t>()) + " parameters";
    console.out() << padded(row["name"].get<std::string>(), 28) << kind << "\n    " << utf8Of(file) << "\n";
  }
  if (rows.empty()) console.remark("No model was found; fetch the default one with `./dev setup`.");
  if (arguments.isJson) console.out() << asLine(rows) << "\n";
}

void listLibraryCommand(const Arguments& arguments, Console& console) {
  Library library(arguments.library);
  Json rows = Json::array();
  for (const DocumentRecord& document : library.list()) {
    const std::vector<ReadingRecord> readings = library.readings(document.id);
    rows.push_back(toJson(document, readings));
    if (!arguments.isJson) console.out() << describe(document, readings);
  }
  if (rows.empty()) console.remark("The library " + utf8Of(library.folder()) + " holds no documents yet.");
  if (arguments.isJson) console.out() << asLine(rows) << "\n";
}

void removeCommand(const Arguments& arguments, Console& console) {
  Library library(arguments.library);
  Json removed = Json::array();
  for (const std::string& name : arguments.documents) {
    const DocumentRecord document = findDocument(library, name);
    library.remove(document.id);
    removed.push_back(document.id);
    console.remark("Removed " + document.id + "  " + document.title);
  }
  if (arguments.isJson) console.out() << asLine({{"removed", std::move(removed)}}) << "\n";
}

}  // namespace kvasir
