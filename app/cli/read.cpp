#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/setup.h"
#include "app/library.h"
#include "app/open_document.h"
#include "app/results.h"
#include "app/stopwatch.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSubjectCharacters = 32;  // so that a progress line fits a terminal

Json toJson(const OpenDocument& document, const OpenReading& reading) {
  Json json;
  json["id"] = document.record.id;
  json["title"] = document.record.title;
  json["pages"] = document.record.pages > 0 ? Json(document.record.pages) : Json(nullptr);
  json["tokens"] = reading.reading->tokens();
  json["chunks"] = reading.reading->chunks().size();
  json["seconds"] = {{"import", document.importSeconds}, {"read", reading.seconds}};
  json["bytes"] = reading.reading->bytesOnDisk();
  return json;
}

std::string describe(const OpenDocument& document, const OpenReading& reading) {
  const int tokens = reading.reading->tokens();
  std::string line = document.record.id + "  " + document.record.title + "\n    ";
  if (document.record.pages > 0) line += withCommas(document.record.pages) + " pages, ";
  line += withCommas(tokens) + " tokens in " +
          withCommas(static_cast<std::int64_t>(reading.reading->chunks().size())) + " chunks, " +
          asBytes(reading.reading->bytesOnDisk());
  if (reading.seconds == 0) return line + "; it had been read\n";
  return line + "; read in " + asDuration(reading.seconds) + "\n";
}

/// What of a `read` call does not change from file to file; the model is loaded when the first file needs it.
class Reader {
 public:
  Reader(const Arguments& arguments, Console& console)
      : arguments_(arguments), console_(console), library_(arguments.library) {}

  void read(const std::string& name) {
    console_.setSubject(onOneLine(utf8Of(pathOf(name).filename()), kSubjectCharacters));
    const OpenDocument document = openDocument(library_, name, console_);
    if (!engine_) engine_ = loadEngine(arguments_, console_);
    const OpenReading reading =
        openReading(*engine_, library_, document, readSettingsFor(*engine_, arguments_), console_);
    documents_.push_back(toJson(document, reading));
    if (!arguments_.isJson) console_.out() << describe(document, reading) << std::flush;
  }

  Json result() const { return {{"documents", documents_}}; }

 private:
  const Arguments& arguments_;
  Console& console_;
  Library library_;
  std::unique_ptr<Engine> engine_;
  Json documents_ = Json::array();
};

}  // namespace

void readCommand(const Arguments& arguments, Console& console) {
  checkMethod(arguments.asking.method);
  Reader reader(arguments, console);
  std::size_t failed = 0;
  for (const std::string& name : arguments.documents) {
    try {
      reader.read(name);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::runtime_error& error) {
      if (arguments.documents.size() == 1) throw;
      console.say(error.what());
      ++failed;
    }
  }
  if (arguments.isJson) console.out() << asLine(reader.result()) << "\n";
  if (failed == 0) return;
  throw std::runtime_error(std::to_string(failed) + " of " + std::to_string(arguments.documents.size()) +
                           " documents could not be read; the others are in the library.");
}

}  // namespace kvasir
