#include "app/cli/run.h"

#include <exception>
#include <new>
#include <utility>

#include "app/cli/commands.h"

namespace kvasir {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

void run(const Arguments& arguments, Console& console) {
  switch (arguments.command) {
    case Command::Read:
      return readCommand(arguments, console);
    case Command::Ask:
      return askCommand(arguments, console);
    case Command::Map:
      return mapCommand(arguments, console);
    case Command::Compare:
      return compareCommand(arguments, console);
    case Command::Eval:
      return evalCommand(arguments, console);
    case Command::Needle:
      return needleCommand(arguments, console);
    case Command::Bench:
      return benchCommand(arguments, console);
    case Command::Tokenize:
      return tokenizeCommand(arguments, console);
    case Command::Logits:
      return logitsCommand(arguments, console);
    case Command::Perplexity:
      return perplexityCommand(arguments, console);
    case Command::Methods:
      return methodsCommand(arguments, console);
    case Command::Models:
      return modelsCommand(arguments, console);
    case Command::Devices:
      return devicesCommand(arguments, console);
    case Command::ListLibrary:
      return listLibraryCommand(arguments, console);
    case Command::RemoveFromLibrary:
      return removeCommand(arguments, console);
    case Command::TrainWhitening:
      return trainWhiteningCommand(arguments, console);
    case Command::TrainRetriever:
      return trainRetrieverCommand(arguments, console);
    case Command::TrainAdapter:
      return trainAdapterCommand(arguments, console);
    case Command::TrainBeacon:
      return trainBeaconCommand(arguments, console);
  }
}

std::string sentenceOfStop(Command command) {
  switch (command) {
    case Command::Read:
    case Command::Ask:
      return "Stopped; what was read is kept, and the next call goes on from there.";
    case Command::Eval:
      return "Stopped; the rows done so far are in the file of --out, if one was given, and --resume goes on "
             "from there.";
    case Command::TrainRetriever:
    case Command::TrainAdapter:
    case Command::TrainBeacon:
      return "Stopped; the same call goes on from the last checkpoint, if there is one yet.";
    default:
      return "Stopped.";
  }
}

}  // namespace

int runCli(std::vector<std::string> words, std::ostream& out, std::ostream& err, ProgressStyle style) {
  const auto parsed = parseArguments(std::move(words), out, err);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const Arguments& arguments = std::get<Arguments>(parsed);
  // A rewritten line still stands where this would begin, if it is ever needed.
  std::string stopped = style == ProgressStyle::Rewritten ? "\n" : "";
  stopped += sentenceOfStop(arguments.command);
  InterruptGuard guard(stopped.c_str());
  Console console(out, err, arguments.isQuiet ? ProgressStyle::Silent : style);
  try {
    run(arguments, console);
    console.out() << std::flush;
    if (!out) throw std::runtime_error("The result could not be written; check the disk that takes it.");
    return 0;
  } catch (const Cancelled&) {
    guard.disarm();
    if (console.hasStreamed()) console.out() << std::endl;  // ends the line of a half answer
    console.say(sentenceOfStop(arguments.command));
  } catch (const UsageError& error) {
    console.say(error.what());
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    console.say(
        "There is not enough memory for this; close other programs, or use a smaller --step or --budget.");
  } catch (const std::exception& error) {
    console.say(error.what());
  }
  return kFailed;
}

}  // namespace kvasir
