#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>

#include <io.h>
#include <shellapi.h>
#else
#include <unistd.h>
#endif

#include "app/cli/run.h"
#include "app/places.h"
#include "app/text.h"
#include "importers/importer.h"

namespace {

/// The words of the command line in UTF-8, without the program's name.
std::vector<std::string> commandLine([[maybe_unused]] int count, [[maybe_unused]] char** values) {
  std::vector<std::string> words;
#ifdef _WIN32
  SetConsoleOutputCP(CP_UTF8);
  wchar_t** wide = CommandLineToArgvW(GetCommandLineW(), &count);
  for (int i = 1; i < count; ++i) words.push_back(kvasir::utf8Of(wide[i]));
  LocalFree(wide);
#else
  words.assign(values + 1, values + count);
#endif
  return words;
}

bool isErrorStreamTerminal() {
#ifdef _WIN32
  return _isatty(_fileno(stderr)) != 0;
#else
  return isatty(STDERR_FILENO) != 0;
#endif
}

}  // namespace

int main(int count, char** values) {
  if (const auto tables = kvasir::encodingTables()) kvasir::setEncodingTables(*tables);
  const auto style = isErrorStreamTerminal() ? kvasir::ProgressStyle::Rewritten : kvasir::ProgressStyle::Lines;
  const int status = kvasir::runCli(commandLine(count, values), std::cout, std::cerr, style);
  std::cout << std::flush;
  // Everything of ours is closed by now, and taking LibTorch down would hold up the end of a stopped program.
  std::_Exit(status);
}
