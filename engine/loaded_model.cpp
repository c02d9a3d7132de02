#include "engine/loaded_model.h"

#include "engine/torch.h"

namespace kvasir {
namespace {

constexpr const char* kInstruction =
    "Answer the question about the document in a few words, using only what the document says.";

/// FNV-1a over what makes two files the same: of tensors their ends.
class Fingerprint {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) {
      low_ = (low_ ^ from[i]) * 0x100000001b3ull;
      high_ = (high_ + from[i] + 1) * 0x9e3779b97f4a7c15ull;
    }
  }
  void add(std::span<const std::byte> bytes) {
    constexpr std::size_t kEnds = 4096;
    const std::size_t size = bytes.size();
    add(&size, sizeof size);
    add(bytes.data(), std::min(kEnds, size));
    if (size > kEnds) add(bytes.data() + (size - kEnds), kEnds);
  }
  std::string text() const {
    char out[33];
    std::snprintf(out, sizeof out, "%016llx%016llx", static_cast<unsigned long long>(low_),
                  static_cast<unsigned long long>(high_));
    return out;
  }

 private:
  std::uint64_t low_ = 0xcbf29ce484222325ull, high_ = 0x84222325cbf29ce4ull;
};

std::string fingerprintOf(const GgufFile& file, const Tokenizer& tokenizer) {
  Fingerprint print;
  for (const std::string& text : tokenizer.vocabulary().texts) print.add(text.data(), text.size() + 1);
  for (const auto& [name, tensor] : file.tensors()) {
    print.add(name.data(), name.size());
    const auto type = static_cast<std::uint32_t>(tensor.type);
    print.add(&type, sizeof type);
    print.add(tensor.data);
  }
  return print.text();
}

/// What the file says of positions, norms, merges and the like, which a model trained further shares with
/// another and keys and values depend on all the same.
std::string settingsOf(const GgufFile& file) {
  Fingerprint print;
  const auto addText = [&](const std::string& text) { print.add(text.data(), text.size() + 1); };
  for (const auto& [key, value] : file.metadata()) {
    if (key.starts_with("general.")) continue;  // names and addresses
    addText(key);
    std::visit(
        [&](const auto& held) {
          using Held = std::decay_t<decltype(held)>;
          if constexpr (std::is_arithmetic_v<Held>)
            print.add(&held, sizeof held);
          else if constexpr (std::is_same_v<Held, std::string>)
            addText(held);
          else if constexpr (std::is_same_v<Held, GgufFile::Strings>)
            for (const std::string& text : held) addText(text);
          else
            print.add(held.data(), held.size() * sizeof held[0]);
        },
        value);
  }
  return print.text().substr(0, 16);
}

ModelInfo describe(const GgufFile& file, const LoadedModel& model) {
  ModelInfo info;
  info.name = file.text("general.name").value_or(file.name());
  info.family = model.shape.family;
  info.fingerprint = fingerprintOf(file, *model.tokenizer);
  info.settings = settingsOf(file);
  for (const auto& [name, tensor] : file.tensors()) info.parameters += tensor.count();
  info.layers = model.shape.layers;
  info.heads = model.shape.heads;
  info.kvHeads = model.shape.kvHeads;
  info.headDimension = model.shape.headDimension;
  info.width = model.shape.width;
  info.vocabulary = model.shape.vocabulary;
  info.trainedTokens = model.shape.trainedTokens;
  info.chatTemplate = model.chat.name;
  return info;
}

void append(std::vector<TokenId>& tokens, const std::vector<TokenId>& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

/// Throws where CUDA is asked for and cannot be used.
std::shared_ptr<Accelerator> chooseDevice(const EngineSettings& settings) {
  if (settings.device == Device::Cpu) return nullptr;
  FoundAccelerator found = findAccelerator(settings.kernelFolders, settings.cudaDriver);
  if (!found.accelerator && settings.device == Device::Cuda)
    throw std::runtime_error(found.reason + " Choose the processor in the settings, or --device cpu.");
  return found.accelerator;
}

}  // namespace

LoadedModel loadModel(const EngineSettings& settings, Listener& listener) {
  const GgufFile file(settings.model);
  const std::shared_ptr<Accelerator> device = chooseDevice(settings);
  LoadedModel model;
  model.form = settings.precision == Precision::Exact ? DenseForm::Float32 : DenseForm::Bfloat16;
  model.shape = readModelShape(file);
  model.tokenizer = makeTokenizer(file);
  if (model.tokenizer->vocabulary().size > model.shape.vocabulary)
    throw std::runtime_error(file.name() + " is damaged: it has more tokens than embeddings.");
  model.chat = chooseChatTemplate(file.text("tokenizer.chat_template").value_or(""));
  model.weights = loadWeights(file, model.shape, [&](int layer) {
    listener.progress({Stage::Loading, layer + 1, model.shape.layers, 0});
  });
  model.info = describe(file, model);
  model.whitening = Whitening::find(settings.retrievers, model.info);
  if (!model.whitening)
    model.whitening =
        std::make_unique<Whitening>(Whitening::none(usualWhitenedLayers(model.shape), model.shape.width));
  model.whitened = std::make_unique<Bookmarks>(*model.whitening);
  model.bookmarks = Bookmarks::find(settings.retrievers, model.info, *model.whitening);
  model.beacons = Beacons::find(settings.retrievers, model.info, model.weights);
  if (!model.beacons)
    model.beacons = std::make_unique<Beacons>(Beacons::untrained(model.weights, beaconToken(model), 0, 0));
  model.beaconWeights = model.beacons->weightsOver(model.weights, model.shape, model.form);
  if (settings.adapting == Adapting::Answers)
    model.adapter = settings.adapter.empty()
                        ? Adapter::find(settings.retrievers, model.info, model.weights)
                        : std::make_unique<Adapter>(Adapter::load(settings.adapter, model.info, model.weights));
  model.adapted = model.adapter ? model.adapter->applyTo(model.weights, model.form) : model.weights;
  if (device) placeOn(model, device, listener);
  model.embedderFolders = settings.embedders;
  model.embedderFolders.push_back(settings.model.parent_path());
  return model;
}

void placeOn(LoadedModel& model, std::shared_ptr<Accelerator> device, Listener& listener) {
  model.device = std::move(device);
  const auto place = [&](const WeightMatrix& matrix) { return matrix.placeOn(model.device, model.form); };
  // The head first, which every token needs, then layer after layer, each with what an adapter or beacons
  // change about it.
  if (!place(model.weights.outputHead())) return;
  for (std::size_t i = 0; i < model.weights.layers.size(); ++i) {
    listener.progress({Stage::Loading, static_cast<int>(i), model.shape.layers, 0});
    for (const ModelWeights* weights : {&model.weights, &model.adapted}) {
      const LayerWeights& layer = weights->layers[i];
      if (!place(layer.queryKeyValue) || !place(layer.output) || !place(layer.gateUp) || !place(layer.down))
        return;
    }
    if (!place(model.beaconWeights.queryKeyValue[i])) return;
  }
}

FindEmbedder LoadedModel::findEmbedder() const {
  return [this]() -> const SentenceEmbedder& {
    constexpr const char* kName = "all-minilm-l6-v2";
    std::error_code error;
    for (const std::filesystem::path& folder : embedderFolders)
      if (!embedder && std::filesystem::exists(folder / kName / "config.json", error))
        embedder = SentenceEmbedder::load(folder / kName);
    if (embedder) return *embedder;
    throw std::runtime_error(std::string("This method needs the sentence embedder ") + kName +
                             ", which was not found beside the model; fetch it with `./dev setup`.");
  };
}

TokenId beaconToken(const LoadedModel& model) {
  const auto& vocabulary = model.tokenizer->vocabulary();
  return vocabulary.ends.empty() ? vocabulary.beginning.value_or(0) : vocabulary.ends.front();
}

std::vector<TokenId> plainTokens(const LoadedModel& model, std::string_view text) {
  std::vector<TokenId> tokens;
  for (const Token& token : model.tokenizer->encode(text)) tokens.push_back(token.id);
  return tokens;
}

std::vector<TokenId> framePrefix(const LoadedModel& model) {
  const Tokenizer& tokenizer = *model.tokenizer;
  const FirstTurn turn = firstTurn(model.chat, SystemText::Given);
  std::vector<TokenId> tokens;
  if (const auto beginning = tokenizer.vocabulary().beginning)
    tokens.push_back(*beginning);
  else
    append(tokens, encodeTemplate(tokenizer, model.chat.beginning));
  append(tokens, encodeTemplate(tokenizer, turn.beforeSystem));
  append(tokens, plainTokens(model, kInstruction));
  append(tokens, encodeTemplate(tokenizer, turn.beforeQuestion));
  append(tokens, plainTokens(model, "Document:\n"));
  return tokens;
}

std::vector<TokenId> frameText(const LoadedModel& model, std::string_view text) {
  std::vector<TokenId> tokens = framePrefix(model);
  append(tokens, plainTokens(model, text));
  return tokens;
}

std::vector<TokenId> frameTask(const LoadedModel& model, std::string_view task, std::string_view opening) {
  std::vector<TokenId> tokens = plainTokens(model, "\n\n" + std::string(task));
  append(tokens, encodeTemplate(*model.tokenizer, firstTurn(model.chat, SystemText::Given).afterQuestion));
  append(tokens, plainTokens(model, opening));
  return tokens;
}

std::vector<TokenId> frameQuestion(const LoadedModel& model, std::string_view question) {
  return frameTask(model, "Question: " + std::string(question));
}

}  // namespace kvasir
