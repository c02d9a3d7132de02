#include "app/cli/draft.h"

namespace kvasir {
namespace {

/// Options that every training with gradients has.
template <class Settings>
void addLoopOptions(CLI::App& command, Draft& draft, Settings& settings) {
  command.add_option("--held-out", draft.heldOut, "Texts of the same form that are only checked on")
      ->required()
      ->type_name("FILE");
  command.add_option("--to", draft.folder, "The folder it is written to (the user's own unless set)")
      ->type_name("DIR");
  command.add_option("--curves", draft.curves, "Losses of every step as CSV")->type_name("FILE");
  command.add_option("--plot", draft.picture, "Losses as a picture, drawn at each check (.png, .svg, .pdf)")
      ->type_name("FILE");
  command.add_option("--rank", settings.rank, "Of the changes to each projection")
      ->type_name("R")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  command.add_option("--rounds", settings.rounds, "Times every text is visited")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--rate", settings.learningRate, "The largest learning rate")
      ->type_name("R")
      ->check(CLI::Range(1e-7, 1.0))
      ->capture_default_str();
  command.add_option("--check-every", settings.heldOutEvery, "Steps between checks on the texts held out")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--patience", settings.patience, "Checks without a better loss before it stops")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--seed", settings.seed, "Of the order and the start; the same seed gives the same training")
      ->type_name("N")
      ->capture_default_str();
  addPrecision(&command, draft, "fast");
}

/// Those of trainings that ask questions too.
template <class Settings>
void addTrainingOptions(CLI::App& command, Draft& draft, Settings& settings) {
  addLoopOptions(command, draft, settings);
  command.add_option("--budget", settings.budgetTokens, "KV entries a query may attend to, per layer")
      ->type_name("N")
      ->check(tokenCount())
      ->capture_default_str();
  command
      .add_option("--questions", settings.questionsEach, "Asked of a text at a visit; more take more memory")
      ->type_name("N")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
}

void addAdapterTraining(CLI::App& train, Draft& draft) {
  AdapterSettings& training = draft.arguments.training;
  CLI::App* adapter = addCommand(
      train, draft, "adapter",
      "Teach the model to answer from what the method retrieves, and to say when the text holds no answer",
      Command::TrainAdapter);
  adapter
      ->add_option(
          "FILE", draft.arguments.documents,
          "JSON lines {text, questions: [{question, answer}]}; an empty answer: the text holds none; no "
          "questions: its end is foreseen")
      ->required();
  adapter->add_option("--method", training.method, "How chunks are retrieved")
      ->type_name("M")
      ->capture_default_str();
  adapter
      ->add_option("--plain", training.plainShare,
                   "Of visits to texts with questions: those that foresee the text's end instead")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  adapter->add_option("--from", training.start, "An adapter of the same model and rank, to learn on from")
      ->type_name("FILE");
  addTrainingOptions(*adapter, draft, training);
}

void addRetrieverTraining(CLI::App& train, Draft& draft) {
  RetrieverSettings& training = draft.arguments.retriever;
  CLI::App* retriever =
      addCommand(train, draft, "retriever",
                 "Bookmarks of the method retrolm: teach each layer to find the chunks that answer a question",
                 Command::TrainRetriever);
  retriever
      ->add_option(
          "FILE", draft.arguments.documents,
          "JSON lines {text, documents: [[start, end]], questions: [{question, gold: [[start, end]]}]}, "
          "places in bytes")
      ->required();
  retriever->add_option("--temperature", training.temperature, "Cosines are divided by it before the softmax")
      ->type_name("T")
      ->check(CLI::Range(1e-3, 10.0))
      ->capture_default_str();
  retriever
      ->add_option("--reading-share", training.readingShare,
                   "Of the loss: chunks that find others of their document")
      ->type_name("S")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  addTrainingOptions(*retriever, draft, training);
}

void addBeaconTraining(CLI::App& train, Draft& draft) {
  BeaconSettings& training = draft.arguments.beacon;
  CLI::App* beacon = addCommand(train, draft, "beacon",
                                "Beacons of the method beacon: teach them to stand for text, from plain text",
                                Command::TrainBeacon);
  beacon
      ->add_option("FILE", draft.arguments.documents,
                   "Documents of any kind, or JSON lines {text}; the longer the texts the better")
      ->required();
  beacon->add_option("--window", training.windowTokens, "Tokens of a window, a multiple of 128")
      ->type_name("N")
      ->check(tokenCount())
      ->capture_default_str();
  beacon->add_option("--windows", training.windows, "Of a step's text; more take more memory")
      ->type_name("N")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();
  addLoopOptions(*beacon, draft, training);
}

}  // namespace

void addTraining(CLI::App& app, Draft& draft) {
  CLI::App* train = app.add_subcommand("train", "Make what methods need, for your own model and texts");
  train->fallthrough();
  train->require_subcommand(1);
  CLI::App* whitening = addCommand(*train, draft, "whitening",
                                   "Index entries of the method whitened, from plain text: no labels, minutes",
                                   Command::TrainWhitening);
  whitening
      ->add_option("FILE", draft.arguments.documents,
                   "Documents of any kind, or JSON lines {text, questions}; 500 pages or more")
      ->required();
  whitening->add_option("--to", draft.folder, "The folder it is written to (the user's own unless set)")
      ->type_name("DIR");
  whitening
      ->add_option("--layers", draft.arguments.whitening.layers,
                   "Layers with entries; the first two and every third unless set")
      ->type_name("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::NonNegativeNumber);
  whitening->add_option("--shrinkage", draft.arguments.whitening.shrinkage, "Of the covariance, 0 to 1")
      ->type_name("S")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  addPrecision(whitening, draft, "fast");
  addRetrieverTraining(*train, draft);
  addAdapterTraining(*train, draft);
  addBeaconTraining(*train, draft);
}

}  // namespace kvasir
