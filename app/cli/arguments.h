#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "app/evaluation_rows.h"
#include "app/needles.h"
#include "engine/engine.h"

namespace kvasir {

enum class Command {
  Read,
  Ask,
  Map,
  Compare,
  Eval,
  Needle,
  Bench,
  Tokenize,
  Logits,
  Perplexity,
  Methods,
  Models,
  Devices,
  ListLibrary,
  RemoveFromLibrary,
  TrainWhitening,
  TrainRetriever,
  TrainAdapter,
  TrainBeacon
};

/// What a map shows of each layer and chunk: the attention of dense attention, the scores a method retrieves
/// by, or both.
enum class MapKind { Attention, Retriever, Both };

/// What a command line says, with the defaults filled in. Each command uses the common part and its own fields.
struct Arguments {
  Command command = Command::Methods;

  std::filesystem::path model;    ///< empty: findModel decides
  std::filesystem::path library;  ///< never empty
  int threads = 0;
  Device device = Device::Auto;
  Precision precision = Precision::Fast;
  Adapting adapting = Adapting::Answers;
  std::filesystem::path adapter;  ///< empty: the one trained for the model, if any
  bool isJson = false, isQuiet = false;

  std::vector<std::string> documents;  ///< files or ids
  std::string question;
  AskSettings asking;  ///< its method and budget serve reading too
  int stepTokens = ReadSettings{}.stepTokens;
  int shownEvidence = 8;  ///< passages written for people; JSON has all

  MapKind mapKind = MapKind::Both;
  bool isBeside = false;            ///< of map: the two stand from left to right
  std::vector<std::string> marked;  ///< of map: texts whose chunks are outlined
  /// Of compare, eval, needle, bench and perplexity, one at least; of methods.
  std::vector<std::string> methods;
  std::vector<int> budgets;       ///< of compare, eval and needle, one at least
  std::filesystem::path picture;  ///< .png, .svg or .pdf, of map also .csv; empty: none
  NeedleChoice needle;

  std::filesystem::path file;    ///< of eval, tokenize, logits, perplexity
  std::filesystem::path folder;  ///< of train: where its file goes; empty: the user's own
  Engine::WhiteningSettings whitening;
  AdapterSettings training;
  RetrieverSettings retriever;
  BeaconSettings beacon;
  std::filesystem::path heldOut, curves;  ///< of train: texts to check on, and the table of losses
  std::filesystem::path rowsFile;         ///< of eval: where each row's result goes; empty: nowhere
  bool goesOn = false;                    ///< of eval: what rowsFile holds is not asked again
  RowChoice rows;
  int top = 10;
  bool checksKernels = false;  ///< of devices

  std::vector<int> prompts, depths, generates;  ///< bench, in tokens
  std::vector<int> lengths;  ///< of perplexity: where its bands end, ascending; empty: by the model
  int repeats = 1;
};

/// Arguments, or the exit status of a command line that asked for help (0) or was wrong (2); what there is to
/// say has then been written to `out` or `err`. `words` do not hold the program's name.
std::variant<Arguments, int> parseArguments(std::vector<std::string> words, std::ostream& out,
                                            std::ostream& err);

}  // namespace kvasir
