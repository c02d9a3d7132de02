#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/setup.h"
#include "app/library.h"
#include "app/memory.h"
#include "app/open_document.h"
#include "app/results.h"
#include "app/stopwatch.h"
#include "app/text.h"
#include "engine/wishes.h"

namespace kvasir {
namespace {

void showForPeople(const Arguments& arguments, const AskResult& result, Console& console) {
  if (result.answer.text.empty()) console.remark("The model gave no answer.");
  console.out() << "\n\n" << describeSteps(result) << describeEvidence(result, arguments.shownEvidence);
  if (result.answer.stoppedByLimit) {
    console.remark("The answer was cut at " + withCommas(result.settings.maxTokens) +
                   " tokens; --max-tokens allows longer ones.");
  }
}

}  // namespace

void askCommand(const Arguments& arguments, Console& console) {
  const Stopwatch whole;
  checkMethod(arguments.asking.method);
  const AskSettings& asking = arguments.asking;
  if (!(asking.pinnedChunks.empty() && asking.blockedChunks.empty()) && !takesWishes(asking.method))
    throw UsageError(
        "The method " + asking.method +
        " heeds neither --pin nor --block: what it attends to is settled when the document is read.");
  checkQuestion(arguments.question);
  Library library(arguments.library);
  const OpenDocument document = openDocument(library, arguments.documents.front(), console);

  const Stopwatch loading;
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  const OpenReading read =
      openReading(*engine, library, document, readSettingsFor(*engine, arguments), console);
  const double loadSeconds = loading.seconds() - read.seconds;

  if (!arguments.isJson) console.streamAnswers();
  const Answer answer = engine->ask(*read.reading, arguments.question, arguments.asking, console);
  const AskResult result = {document.document, answer,
                            arguments.asking,  read.reading->tokens(),
                            loadSeconds,       document.importSeconds + read.seconds,
                            whole.seconds(),   read.reading->bytesOnDisk(),
                            peakMemoryBytes()};
  if (arguments.isJson) {
    console.out() << asLine(toJson(result)) << "\n";
    return;
  }
  showForPeople(arguments, result, console);
}

}  // namespace kvasir
