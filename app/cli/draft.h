#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "app/cli/arguments.h"

namespace kvasir {

inline constexpr int kMostTokens = 1 << 24;

inline const std::map<std::string, Precision> kPrecisions = {{"fast", Precision::Fast},
                                                             {"exact", Precision::Exact}};

/// What CLI11 fills in, where its types are not ours; made into Arguments when all is well.
struct Draft {
  Arguments arguments;
  std::string model, library, document, file, folder, rowsFile, device = "auto", precision, adapter, heldOut,
                                                                curves, picture, mapKind, needleKind;
  std::size_t limit = 0, each = 0;
};

inline CLI::Validator tokenCount() { return CLI::Range(1, kMostTokens); }

/// A command whose options fill the draft.
CLI::App* addCommand(CLI::App& app, Draft& draft, const char* name, const char* does, Command command);

void addPrecision(CLI::App* sub, Draft& draft, const char* usual);

/// `train` and the commands below it.
void addTraining(CLI::App& app, Draft& draft);

}  // namespace kvasir
