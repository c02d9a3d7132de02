#include "app/cli/arguments.h"

#include <algorithm>
#include <map>
#include <utility>

#include "app/cli/draft.h"
#include "app/places.h"
#include "app/text.h"

namespace kvasir {
namespace {

constexpr int kWrongUsage = 2;
constexpr int kEvaluationAnswerTokens = 32;
constexpr int kNeedleAnswerTokens = 128;  // RULER's

const std::map<std::string, Device> kDevices = {
    {"auto", Device::Auto}, {"cpu", Device::Cpu}, {"cuda", Device::Cuda}};
const std::map<std::string, MapKind> kMapKinds = {
    {"attention", MapKind::Attention}, {"retriever", MapKind::Retriever}, {"both", MapKind::Both}};
const std::map<std::string, NeedleKind> kNeedleKinds = [] {
  std::map<std::string, NeedleKind> kinds;
  for (const NeedleKind kind :
       {NeedleKind::Single, NeedleKind::MultiKey, NeedleKind::MultiValue, NeedleKind::MultiQuery})
    kinds[needleKindName(kind)] = kind;
  return kinds;
}();

/// Reads a file of options, of which those of commands that were not called are nobody's: the commands share
/// what they fill in.
class OptionsOfCommand : public CLI::ConfigBase {
 public:
  explicit OptionsOfCommand(const CLI::App& app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& file) const override {
    std::vector<CLI::ConfigItem> items = ConfigBase::from_config(file);
    std::erase_if(items, [&](const CLI::ConfigItem& item) { return isOfAnother(item.parents); });
    return items;
  }

 private:
  bool isOfAnother(const std::vector<std::string>& commands) const {
    const CLI::App* app = &app_;
    for (const std::string& name : commands) {
      const auto subs = app->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == name; });
      if (subs.empty()) return false;  // no command: what reads on says so
      app = subs.front();
      if (!app->parsed()) return true;
    }
    return false;
  }

  const CLI::App& app_;
};

/// As an unset variable of a shell gives it, a name is no name.
CLI::Validator named() {
  return CLI::Validator(
      [](const std::string& name) { return name.empty() ? std::string("it is empty") : std::string(); }, "");
}

void addCommonOptions(CLI::App& app, Draft& draft) {
  app.add_option("--model", draft.model, "The model, a GGUF file")->type_name("FILE");
  app.add_option("--library", draft.library, "The folder of documents and readings")->type_name("DIR");
  app.add_option("--threads", draft.arguments.threads, "Threads to compute with; 0: one a core")
      ->type_name("N")
      ->check(CLI::Range(0, 1024));
  app.add_option("--device", draft.device,
                 "Where to compute: cuda (a graphics card, or an error), cpu, or auto: a card whose kernels "
                 "are right where there is one")
      ->type_name("DEVICE")
      ->check(CLI::IsMember(kDevices));
  app.add_option("--adapter", draft.adapter,
                 "What was trained to answer from retrieved chunks: a file, or none for the model as "
                 "it comes; the one that was made for the model unless set")
      ->type_name("FILE");
  app.set_config(
         "--config", "",
         "A file with any of the options, those of a command under its name: [train.adapter], rank = 16")
      ->type_name("FILE");
  app.config_formatter(std::make_shared<OptionsOfCommand>(app));
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_flag("--json", draft.arguments.isJson, "Write the result as JSON");
  app.add_flag("--quiet", draft.arguments.isQuiet, "No progress and no remarks, only results and errors");
}

void addMethod(CLI::App* sub, Draft& draft) {
  sub->add_option("--method", draft.arguments.asking.method,
                  "A row of the method table, with numbers of its own if wished: streaming:sinks=8 "
                  "(kvasir-cli methods)")
      ->type_name("M")
      ->capture_default_str();
}

void addStep(CLI::App* sub, Draft& draft) {
  sub->add_option("--step", draft.arguments.stepTokens, "Tokens read at once; changes speed, not the result")
      ->type_name("N")
      ->check(tokenCount())
      ->capture_default_str();
}

void addStepAndBudget(CLI::App* sub, Draft& draft) {
  addStep(sub, draft);
  sub->add_option("--budget", draft.arguments.asking.budgetTokens,
                  "KV entries a query may attend to, per layer")
      ->type_name("N")
      ->check(tokenCount())
      ->capture_default_str();
}

void addReadingOptions(CLI::App* sub, Draft& draft) {
  addMethod(sub, draft);
  addStepAndBudget(sub, draft);
}

void addAnsweringOptions(CLI::App* sub, Draft& draft, const char* usualLength) {
  AskSettings& asking = draft.arguments.asking;
  sub->add_option("--max-tokens", asking.maxTokens,
                  std::string("The longest answer, in tokens (") + usualLength + " unless set)")
      ->type_name("N")
      ->check(tokenCount());
  sub->add_option("--max-steps", asking.maxSteps,
                  "Parts of the document that lcboost looks at, at most, before it answers (its number steps "
                  "unless set)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  sub->add_option("--temperature", asking.sampling.temperature, "0: always the likeliest token")
      ->type_name("T")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  sub->add_option("--top-k", asking.sampling.topK, "Choose among the k likeliest tokens; 0: off")
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  sub->add_option("--top-p", asking.sampling.topP,
                  "Choose among the likeliest tokens that make up this share; 1: off")
      ->type_name("P")
      ->check(CLI::Range(1e-6, 1.0));
  sub->add_option("--min-p", asking.sampling.minP, "Leave out tokens under this share of the likeliest; 0: off")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  sub->add_flag_callback(
      "--no-guesses", [&asking] { asking.speculates = false; },
      "Guess no tokens that the document may have next; the answer is the same");
  sub->add_option("--seed", asking.sampling.seed, "Of the random choices; the same seed gives the same answer")
      ->type_name("N");
}

void addQuestion(CLI::App* sub, Draft& draft) {
  sub->add_option("DOC", draft.document, "A file, or an id of the library")->required()->check(named());
  sub->add_option("QUESTION", draft.arguments.question, "The question, in quotes")->required();
}

void addReadAndAsk(CLI::App& app, Draft& draft) {
  CLI::App* read = addCommand(app, draft, "read", "Import and read files into the library", Command::Read);
  read->add_option("FILE", draft.arguments.documents,
                   "PDF, EPUB, Markdown, HTML or text files, or ids of the library")
      ->required()
      ->check(named());
  addReadingOptions(read, draft);
  addPrecision(read, draft, "fast");

  CLI::App* ask = addCommand(app, draft, "ask", "Ask a document; it is read first if needed", Command::Ask);
  addQuestion(ask, draft);
  addReadingOptions(ask, draft);
  addAnsweringOptions(ask, draft, "256");
  addPrecision(ask, draft, "fast");
  ask->add_option("--pin", draft.arguments.asking.pinnedChunks,
                  "Chunks that every layer attends to, by their numbers in the evidence of --json, as 4,17")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::NonNegativeNumber);
  ask->add_option("--block", draft.arguments.asking.blockedChunks, "Chunks that no layer attends to")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::NonNegativeNumber);
  ask->add_option("--evidence", draft.arguments.shownEvidence, "Passages to show; JSON has all of them")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void addBudgets(CLI::App* sub, Draft& draft) {
  sub->add_option("--budget", draft.arguments.budgets,
                  "KV entries a query may attend to, per layer; several as 512,1024,2048 (2048 unless set)")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(tokenCount());
}

void addComparing(CLI::App& app, Draft& draft) {
  CLI::App* map =
      addCommand(app, draft, "map", "Where each layer looks for a question: layer by position", Command::Map);
  addQuestion(map, draft);
  addReadingOptions(map, draft);
  addPrecision(map, draft, "fast");
  map->add_option("--kind", draft.mapKind,
                  "attention: of dense attention; retriever: the scores the method retrieves by; or both")
      ->type_name("KIND")
      ->check(CLI::IsMember(kMapKinds));
  map->add_option("--mark", draft.arguments.marked,
                  "A text of the document whose chunks are outlined; may be given several times")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  map->add_option("--out", draft.picture, "A picture (.png, .svg, .pdf) or a table (.csv)")->type_name("FILE");
  map->add_flag(
         "--beside", draft.arguments.isBeside,
         "In a picture of both, attention at the left and the retriever at the right, not one above the other")
      ->needs("--out");

  CLI::App* compare =
      addCommand(app, draft, "compare", "The same question by several methods and budgets", Command::Compare);
  addQuestion(compare, draft);
  compare->add_option("--methods", draft.arguments.methods, "Rows of the method table, as full,whitened")
      ->type_name("A,B,…")
      ->delimiter(',')
      ->required()
      ->allow_extra_args(false);
  addStep(compare, draft);
  addBudgets(compare, draft);
  compare
      ->add_option("--plot", draft.picture,
                   "First-token seconds, KV bytes and attended tokens by budget: .png, .svg or .pdf")
      ->type_name("FILE");
  addAnsweringOptions(compare, draft, "256");
  addPrecision(compare, draft, "fast");
}

void addMethods(CLI::App* sub, Draft& draft) {
  sub->add_option("--methods", draft.arguments.methods,
                  "Several rows of the table, side by side: full,infllm,whitened")
      ->type_name("A,B,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->excludes("--method");
}

void addMethodsAndBudgets(CLI::App* sub, Draft& draft) {
  addMethod(sub, draft);
  addStep(sub, draft);
  addMethods(sub, draft);
  addBudgets(sub, draft);
}

void addNeedle(CLI::App& app, Draft& draft) {
  NeedleChoice& choice = draft.arguments.needle;
  CLI::App* needle =
      addCommand(app, draft, "needle", "Hide sentences in a document's text and see which method finds them",
                 Command::Needle);
  needle->add_option("DOC", draft.document, "A file, or an id of the library; nothing of it is kept")
      ->required()
      ->check(named());
  addMethodsAndBudgets(needle, draft);
  needle->add_option("--lengths", choice.lengths, "Tokens of the texts: the document cut or repeated")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(tokenCount())
      ->capture_default_str();
  needle->add_option("--depths", choice.depths, "Where the needle stands, in per cent of the text before it")
      ->type_name("P,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  CLI::Option* kind =
      needle
          ->add_option("--kind", draft.needleKind,
                       "single: one number; multi-key: one among three for other keys; multi-value: four "
                       "numbers of one key; multi-query: four numbers of four keys (RULER's needles)")
          ->type_name("KIND")
          ->check(CLI::IsMember(kNeedleKinds));
  CLI::Option* own = needle->add_option("--needle", choice.sentence, "A sentence of your own in their place")
                         ->type_name("TEXT")
                         ->excludes(kind);
  CLI::Option* question =
      needle->add_option("--question", choice.question, "What is asked for it")->type_name("TEXT")->needs(own);
  CLI::Option* expected =
      needle->add_option("--expect", choice.expected, "What a right answer holds; may be given several times")
          ->type_name("TEXT")
          ->allow_extra_args(false)
          ->needs(own);
  own->needs(question)->needs(expected);
  CLI::Option* trials = needle
                            ->add_option("--trials", choice.trials,
                                         "Texts of each length and depth, with other numbers; means count")
                            ->type_name("N")
                            ->check(CLI::Range(1, 1000))
                            ->capture_default_str();
  CLI::Option* seed =
      needle
          ->add_option("--seed", choice.seed, "Of keys, numbers and places; the same seed gives the same texts")
          ->type_name("N")
          ->capture_default_str();
  own->excludes(trials)->excludes(seed);
  needle
      ->add_option("--max-tokens", draft.arguments.asking.maxTokens,
                   "The longest answer, in tokens (128 unless set)")
      ->type_name("N")
      ->check(tokenCount());
  needle->add_option("--plot", draft.picture, "Length by depth, a grid a method: .png, .svg or .pdf")
      ->type_name("FILE");
  addPrecision(needle, draft, "fast");
}

void addMeasuring(CLI::App& app, Draft& draft) {
  Arguments& arguments = draft.arguments;
  CLI::App* eval =
      addCommand(app, draft, "eval", "Ask every row of a file and score the answers", Command::Eval);
  eval->add_option("FILE", draft.file, "Rows as JSON lines; may be gzipped")
      ->required()
      ->check(named())
      ->type_name("JSONL");
  addMethodsAndBudgets(eval, draft);
  eval->add_option("--plot", draft.picture,
                   "Quality, recall, first-token seconds and KV bytes by length: .png, .svg or .pdf")
      ->type_name("FILE");
  addAnsweringOptions(eval, draft, "32");
  addPrecision(eval, draft, "fast");
  eval->add_option("--limit", draft.limit, "The first K rows only")->type_name("K")->check(CLI::PositiveNumber);
  eval->add_option("--each", draft.each, "At most K rows of each task and length, spread evenly")
      ->type_name("K")
      ->check(CLI::PositiveNumber);
  eval->add_option("--out", draft.rowsFile, "Write each row's result here as it comes")
      ->type_name("ROWS.jsonl");
  eval->add_flag("--resume", draft.arguments.goesOn,
                 "Go on where a run before was ended: what --out holds is not asked again")
      ->needs("--out");

  CLI::App* bench = addCommand(app, draft, "bench", "Measure tokens per second", Command::Bench);
  bench->add_option("--prompt", arguments.prompts, "Read so many tokens, as 512,2048")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(tokenCount());
  bench->add_option("--depth", arguments.depths, "After so many tokens; 0 unless set")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0, kMostTokens));
  bench->add_option("--generate", arguments.generates, "Generate so many tokens")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(tokenCount());
  bench->add_option("--repeat", arguments.repeats, "Times to measure; the median counts")
      ->type_name("R")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  addReadingOptions(bench, draft);
  addMethods(bench, draft);
  bench->add_option("--plot", draft.picture, "Cost by length, a curve a method: .png, .svg or .pdf")
      ->type_name("FILE");
  addPrecision(bench, draft, "fast");
}

constexpr const char* kTextOrDocument = "A plain text, byte for byte, or a document, as it is imported";

void addLooks(CLI::App& app, Draft& draft) {
  CLI::App* tokenize = addCommand(app, draft, "tokenize", "The tokens of a text", Command::Tokenize);
  tokenize->add_option("FILE", draft.file, kTextOrDocument)->required();
  CLI::App* logits =
      addCommand(app, draft, "logits", "The likeliest next tokens at each place of a text", Command::Logits);
  logits->add_option("FILE", draft.file, kTextOrDocument)->required();
  logits->add_option("--top", draft.arguments.top, "How many at each place")
      ->type_name("K")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  addPrecision(logits, draft, "exact");
  CLI::App* perplexity =
      addCommand(app, draft, "perplexity", "How well methods foresee a text, by position", Command::Perplexity);
  perplexity->add_option("FILE", draft.file, kTextOrDocument)->required()->check(named());
  addReadingOptions(perplexity, draft);
  addMethods(perplexity, draft);
  perplexity
      ->add_option("--lengths", draft.arguments.lengths,
                   "Where the stretches end that get a figure each, in tokens; the first is also the window of "
                   "the row that reads every stretch anew (1, 2 and 4 times the model's own length unless set)")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(2, kMostTokens));
  addPrecision(perplexity, draft, "fast");
  CLI::App* methods = addCommand(app, draft, "methods", "The methods there are", Command::Methods);
  methods->add_option("METHOD", draft.arguments.methods, "Only these, with all about their numbers");
  addCommand(app, draft, "models", "The model files there are", Command::Models);
  CLI::App* devices =
      addCommand(app, draft, "devices", "What this machine has to compute on", Command::Devices);
  devices->add_flag("--check", draft.arguments.checksKernels,
                    "Run every kernel by every instruction set, and on every CUDA device, and hold the results "
                    "against a plain reference");
}

void addLibrary(CLI::App& app, Draft& draft) {
  CLI::App* library = app.add_subcommand("library", "The documents of the library");
  library->fallthrough();
  library->require_subcommand(0, 1);
  library->parse_complete_callback([&draft] { draft.arguments.command = Command::ListLibrary; });
  addCommand(*library, draft, "list", "What the library holds", Command::ListLibrary);
  CLI::App* remove = addCommand(*library, draft, "remove", "Delete documents and what was read of them",
                                Command::RemoveFromLibrary);
  remove->add_option("DOC", draft.arguments.documents, "Files or ids")->required()->check(named());
}

Arguments finished(Draft draft) {
  Arguments& arguments = draft.arguments;
  arguments.model = pathOf(draft.model);
  arguments.library = draft.library.empty() ? defaultLibraryFolder() : pathOf(draft.library);
  if (!draft.document.empty()) arguments.documents = {draft.document};
  arguments.file = pathOf(draft.file);
  arguments.folder = pathOf(draft.folder);
  arguments.rowsFile = pathOf(draft.rowsFile);
  arguments.heldOut = pathOf(draft.heldOut);
  arguments.curves = pathOf(draft.curves);
  arguments.picture = pathOf(draft.picture);
  if (!draft.needleKind.empty()) arguments.needle.kind = kNeedleKinds.at(draft.needleKind);
  if (!draft.mapKind.empty()) arguments.mapKind = kMapKinds.at(draft.mapKind);
  arguments.adapting = draft.adapter == "none" || arguments.command == Command::TrainAdapter
                           ? Adapting::Nothing
                           : Adapting::Answers;
  if (draft.adapter != "none") arguments.adapter = pathOf(draft.adapter);
  arguments.device = kDevices.at(draft.device);
  const bool isForComparing = arguments.command == Command::Logits;
  if (!draft.precision.empty())
    arguments.precision = kPrecisions.at(draft.precision);
  else if (isForComparing)
    arguments.precision = Precision::Exact;
  if (arguments.budgets.empty()) arguments.budgets = {arguments.asking.budgetTokens};
  if (arguments.methods.empty() && arguments.command != Command::Methods)
    arguments.methods = {arguments.asking.method};
  if (draft.limit > 0) arguments.rows.limit = draft.limit;
  if (draft.each > 0) arguments.rows.each = draft.each;
  return std::move(arguments);
}

}  // namespace

CLI::App* addCommand(CLI::App& app, Draft& draft, const char* name, const char* does, Command command) {
  CLI::App* sub = app.add_subcommand(name, does);
  sub->fallthrough();  // so that the common options may stand behind the command too
  sub->final_callback([&draft, command] { draft.arguments.command = command; });
  return sub;
}

void addPrecision(CLI::App* sub, Draft& draft, const char* usual) {
  sub->add_option("--precision", draft.precision,
                  std::string("fast: bf16, and integers of 8 and 16 bits; exact: float32 throughout (") +
                      usual + " unless set)")
      ->type_name("P")
      ->check(CLI::IsMember(kPrecisions));
}

std::variant<Arguments, int> parseArguments(std::vector<std::string> words, std::ostream& out,
                                            std::ostream& err) {
  Draft draft;
  CLI::App app("Asks long documents with a language model on this machine, and shows why.", "kvasir-cli");
  app.set_version_flag("--version", "kvasir-cli " KVASIR_VERSION);
  app.require_subcommand(1);
  app.footer(
      "The options above may stand before or behind the command. `kvasir-cli COMMAND --help` tells its own.");
  addCommonOptions(app, draft);
  addReadAndAsk(app, draft);
  addComparing(app, draft);
  addMeasuring(app, draft);
  addNeedle(app, draft);
  addLooks(app, draft);
  addLibrary(app, draft);
  addTraining(app, draft);
  // The commands share these fields, and their usual values differ.
  app.get_subcommand("eval")->preparse_callback(
      [&](std::size_t) { draft.arguments.asking.maxTokens = kEvaluationAnswerTokens; });
  app.get_subcommand("needle")->preparse_callback(
      [&](std::size_t) { draft.arguments.asking.maxTokens = kNeedleAnswerTokens; });
  for (const char* name : {"bench", "perplexity"}) {
    CLI::App* measuring = app.get_subcommand(name);
    measuring->get_option("--method")->default_str("full");
    measuring->preparse_callback([&](std::size_t) { draft.arguments.asking.method = "full"; });
  }
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(words);
    return finished(std::move(draft));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : kWrongUsage;
  }
}

}  // namespace kvasir
