#include "app/cli/setup.h"

#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

#include "app/cli/commands.h"
#include "app/places.h"
#include "app/text.h"
#include "importers/formats.h"
#include "importers/importer.h"

namespace kvasir {

void checkMethod(const std::string& name) {
  try {
    requireMethod(name);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string(error.what()) + " `kvasir-cli methods` lists what there is.");
  }
}

void checkMethods(const Engine& engine, const Arguments& arguments, MethodUse use) {
  for (const MethodAtBudget& way : methodsAtBudgets(arguments))
    engine.requireUse(way.method, way.budgetTokens, use);
}

void checkQuestion(const std::string& question) {
  if (question.find_first_not_of(" \t\r\n") == std::string::npos) throw UsageError("The question is empty.");
}

std::vector<MethodAtBudget> methodsAtBudgets(const Arguments& arguments) {
  const bool hasSeveral = arguments.budgets.size() > 1;
  std::vector<MethodAtBudget> all;
  for (const std::string& method : arguments.methods)
    for (const int budget : arguments.budgets)
      all.push_back({method, budget, hasSeveral ? method + ", budget " + withCommas(budget) : method});
  return all;
}

AskSettings askSettingsOf(const Arguments& arguments, const MethodAtBudget& way) {
  AskSettings asking = arguments.asking;
  asking.method = way.method;
  asking.budgetTokens = way.budgetTokens;
  return asking;
}

std::vector<std::size_t> readingsToMakeFirst(const Engine& engine, const std::vector<ReadSettings>& readings) {
  std::vector<std::size_t> first;
  std::set<std::string> wanted, made;
  for (std::size_t place = 0; place < readings.size(); ++place) {
    try {
      const std::string key = engine.readingKey(readings[place]);
      if (wanted.contains(key) && made.insert(key).second) first.push_back(place);
      if (const std::string dense = engine.denseKey(readings[place]); !dense.empty() && !made.contains(dense))
        wanted.insert(dense);
      made.insert(key);
    } catch (const std::runtime_error&) {
      // What cannot be read is told when its turn comes.
    }
  }
  return first;
}

std::unique_ptr<Engine> loadEngine(const Arguments& arguments, Console& console) {
  EngineSettings settings;
  settings.model = findModel(arguments.model, modelFolders());
  settings.retrievers = retrieverFolders();
  settings.embedders = modelFolders();
  settings.kernelFolders = backendFolders();
  settings.threads = arguments.threads;
  settings.device = arguments.device;
  settings.precision = arguments.precision;
  settings.adapting = arguments.adapting;
  settings.adapter = arguments.adapter;
  return std::make_unique<Engine>(settings, console);
}

ReadSettings readSettingsOf(const Arguments& arguments) {
  return {arguments.asking.method, arguments.asking.budgetTokens, arguments.stepTokens};
}

ReadSettings readSettingsFor(const Engine& engine, const AskSettings& asking, int stepTokens) {
  ReadSettings settings = engine.readSettingsFor(asking);
  settings.stepTokens = stepTokens;
  return settings;
}

ReadSettings readSettingsFor(const Engine& engine, const Arguments& arguments) {
  return readSettingsFor(engine, arguments.asking, arguments.stepTokens);
}

std::string contentsOf(const std::filesystem::path& file) {
  std::error_code error;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, error)) {
    throw std::runtime_error(utf8Of(file) + " cannot be read; check that it is a file and its permissions.");
  }
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::string textOf(const std::filesystem::path& file) {
  constexpr std::size_t kFirstBytes = 4096;
  std::string bytes = contentsOf(file);
  if (bytes.empty() || isText(std::string_view(bytes).substr(0, kFirstBytes))) return bytes;
  return importFile(file).text;
}

}  // namespace kvasir
