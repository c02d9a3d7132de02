#pragma once

#include <stdexcept>
#include <string>

#include "app/cli/arguments.h"
#include "app/cli/console.h"

namespace kvasir {

/// Throws std::runtime_error with a sentence when a command fails, Cancelled when it was stopped.
void readCommand(const Arguments& arguments, Console& console);
void askCommand(const Arguments& arguments, Console& console);
void mapCommand(const Arguments& arguments, Console& console);
void compareCommand(const Arguments& arguments, Console& console);
void evalCommand(const Arguments& arguments, Console& console);
void needleCommand(const Arguments& arguments, Console& console);
void benchCommand(const Arguments& arguments, Console& console);
void tokenizeCommand(const Arguments& arguments, Console& console);
void logitsCommand(const Arguments& arguments, Console& console);
void perplexityCommand(const Arguments& arguments, Console& console);
void methodsCommand(const Arguments& arguments, Console& console);
void modelsCommand(const Arguments& arguments, Console& console);
void devicesCommand(const Arguments& arguments, Console& console);
void listLibraryCommand(const Arguments& arguments, Console& console);
void trainWhiteningCommand(const Arguments& arguments, Console& console);
void trainRetrieverCommand(const Arguments& arguments, Console& console);
void trainAdapterCommand(const Arguments& arguments, Console& console);
void trainBeaconCommand(const Arguments& arguments, Console& console);
void removeCommand(const Arguments& arguments, Console& console);

/// A value on the command line that only the command itself can tell to be wrong.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace kvasir
