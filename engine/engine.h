#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/listener.h"
#include "engine/model/sampler.h"
#include "engine/model/tokenizer.h"
#include "engine/numbers.h"

namespace kvasir {

/// Auto: the first CUDA device that multiplies rightly, else the processor. Cuda: the same, or an error.
enum class Device { Auto, Cpu, Cuda };

/// Fast: activations in bf16, or integers of 8 and 16 bits. Exact: float32 throughout, for comparing with other
/// programs.
enum class Precision { Fast, Exact };

/// Whether the model answers as its adapter taught it (kvasir-cli train adapter) or as it comes. Reading is the
/// same.
enum class Adapting { Answers, Nothing };

struct EngineSettings {
  std::filesystem::path model;  ///< a GGUF file
  int threads = 0;              ///< 0: one a core
  Device device = Device::Auto;
  Precision precision = Precision::Fast;
  std::vector<std::filesystem::path> retrievers =
      {};  ///< folders of what `train` made, in the order they are searched
  Adapting adapting = Adapting::Answers;
  std::filesystem::path adapter = {};                 ///< empty: the one in `retrievers`, if any
  std::vector<std::filesystem::path> embedders = {};  ///< folders that may hold the sentence embedder's
                                                      ///< (all-minilm-l6-v2), beside the one the model lies in
  std::vector<std::filesystem::path> kernelFolders = {};  ///< that may hold the library of CUDA kernels
  std::filesystem::path cudaDriver = {};                  ///< its library; empty: the system's
};

struct ModelInfo {
  std::string name;    ///< from the file ("SmolLM2 135M Instruct"), else the file's name
  std::string family;  ///< "llama", "gemma3", "phi3"
  std::string
      fingerprint;  ///< hex; the same for the same weights and vocabulary: what was trained for them serves
  std::string settings;  ///< hex; the same for the same positions, norms and tokenizer: what was read serves
  std::int64_t parameters = 0;
  int layers = 0, heads = 0, kvHeads = 0, headDimension = 0, width = 0, vocabulary = 0;
  int trainedTokens = 0;  ///< the longest text it was trained on
  std::string chatTemplate;
};

/// The row of the method table that answers unless another is asked for.
constexpr const char* kDefaultMethod = "reread";

/// How a document is read. What was read with one setting answers only questions asked with the same method
/// family.
struct ReadSettings {
  std::string method = kDefaultMethod;  ///< a row of the method table
  int budgetTokens = 2048;              ///< KV entries a query may attend to, per layer
  int stepTokens = 1024;                ///< tokens fed at once; changes speed, never the result
};

/// What happens when an answer begins to say again, word for word, what it has said: small models do so without
/// end.
enum class Repeats { Stop, Allow };

struct AskSettings {
  std::string method = kDefaultMethod;
  int budgetTokens = 2048;
  int maxTokens = 256;
  SamplerSettings sampling;
  Repeats repeats = Repeats::Stop;
  std::vector<int>
      pinnedChunks;  ///< attended by every layer, within the budget; for methods that choose chunks
  std::vector<int> blockedChunks;  ///< attended by no layer; for methods that choose chunks
  bool speculates = true;  ///< guesses tokens that the document may have next: the same answer, sooner where it
                           ///< quotes
  int maxSteps = 0;  ///< for methods whose model goes through the document in parts: as many as it looks at, at
                     ///< most; 0: as the method's number `steps` says
};

/// One chunk of a reading.
struct ChunkRange {
  int firstToken = 0, tokens = 0;
  std::size_t start = 0, end = 0;  ///< bytes of the document's text; empty for tokens of the prompt's frame
  int document = 0;                ///< which of the readings it is of, where several were joined
};

/// How much of a document must have been read for its reading to be opened.
enum class Extent { Whole, AnyChunk };

/// A document as one model read it with one method: tokens, and K, V and index entries of its chunks in a file
/// that is mapped, not held. Made and used on the engine's thread; the getters may be called from any thread.
class Reading {
 public:
  virtual ~Reading() = default;
  virtual const std::vector<ChunkRange>& chunks() const = 0;
  virtual int tokens() const = 0;      ///< of the whole document, with the prompt's frame before it
  virtual int tokensRead() const = 0;  ///< equals tokens() once read to the end
  virtual std::size_t bytesOnDisk() const = 0;
  virtual std::size_t bytesInMemory() const = 0;  ///< held, not mapped: tokens and places of chunks
  virtual const std::string& method() const = 0;
};

/// What makes up a score, together: how near the states of chunk and question are, and the words that the
/// chunk's paragraph shares with the question (BM25, 0 to 1, times the number `words` of the method).
struct ScoreParts {
  double states = 0, words = 0;
};

/// What one chunk did for an answer. Scores are of the question's tokens, mass of question and answer.
struct EvidenceChunk {
  int chunk = 0;
  double score = 0;  ///< evidence score, higher is better; how it is made: docs of the method's row
  double mass = 0;   ///< mean over layers of the share of attention it got
  int layers = 0;    ///< how many layers attended to it
  /// Bytes of the document's text: the chunk; where passages are read anew, from the first to the last of its
  /// tokens that were.
  std::size_t start = 0, end = 0;
  double readShare = 1;  ///< of the chunk's text tokens, those that were read anew, where passages are
  int document = 0;      ///< as in ChunkRange
  /// Of the score; nothing where words are no part of it.
  std::optional<ScoreParts> parts = {};
};

/// Layer by chunk, rows of `chunks` values: what a tap recorded for one question.
struct EvidenceMap {
  int layers = 0, chunks = 0;
  std::vector<float> scores;  ///< the policy's score for the question; NaN where the method has none
  std::vector<float> mass;    ///< share of the attention of question and answer that went to the document's
                              ///< text (not to the prompt's frame); 0 where not attended
  std::vector<std::uint8_t> attended;  ///< 1 where the layer's queries could see the chunk or a part of it
  /// Of the chunk's text tokens, the share that a KV head of the layer could see as they are, mean over the
  /// heads: 1 where it was seen whole, 0 where beacons alone stood for it. Empty: not known.
  std::vector<float> seenShare;
  int heads = 0;
  std::vector<float> headMass;  ///< [layers, heads, chunks]: `mass` of each query head; `mass` is their mean
  /// As `scores`: what of them is of shared words; empty where nothing is.
  std::vector<float> words = {};
};

/// A chunk that could be seen only in part: by tokens that KV heads keep, pages, a window's edge, or passages
/// that were read anew. What any KV head of the layer could see is seen; of what only beacons stood for,
/// nothing is.
struct PartlySeen {
  static constexpr int kEveryLayer = -1;
  int layer = 0, chunk = 0;
  std::vector<std::pair<std::size_t, std::size_t>> bytes;  ///< of the document's text: ascending, disjoint;
                                                           ///< may be none
};

/// Where the question as a whole looked, or one token of the answer.
struct AnswerLook {
  struct Share {
    std::int16_t layer = 0;
    std::int32_t chunk = 0;
    float mass = 0;  ///< of the layer's attention, mean over heads and tokens; to the document's text only
  };
  std::size_t start = 0, end = 0;  ///< bytes of the answer's text; equal for the question
  std::vector<Share> shares;       ///< layer by layer; of each layer the largest ones
};

/// One step on the way to an answer, of methods that take several.
struct AnswerStep {
  /// Clues: the model wrote what to search for. Search: passages were found by a text. Access: it chose what to
  /// look at next. Use: it decided what to do with that. Note: it wrote down what helps. Answer: the last one.
  enum class Kind { Clues, Search, Access, Use, Note, Answer };
  /// Of a decision: a fixed continuation, and the logarithm of how much likelier it is than the model's habit
  /// has it. The highest is taken.
  struct Option {
    std::string text;
    double score = 0;
  };
  struct LookedAt {
    int chunk = 0;
    std::size_t start = 0, end = 0;  ///< bytes of the document's text
    int document = 0;                ///< as in ChunkRange
  };
  Kind kind = Kind::Answer;
  std::string asked;                  ///< of the model, or of the retriever
  std::string said;                   ///< what the model wrote, or the option taken
  std::vector<LookedAt> chunks = {};  ///< the most important first
  std::vector<Option> options = {};
};

struct Answer {
  std::string text;
  std::vector<EvidenceChunk> evidence;  ///< best first; only chunks that hold document text
  EvidenceMap map;
  std::vector<PartlySeen> parts;  ///< of chunks that the map says were attended; others were seen whole
  std::vector<AnswerLook>
      looks;  ///< of the question, then of the answer's tokens in turn; the last may have none
  std::optional<double> coverage;  ///< estimated share of attention mass inside what was seen of the document;
                                   ///< nothing where the method cannot know, so where passages are read anew:
                                   ///< what was left out was never before the model
  int questionTokens = 0, answerTokens = 0;
  int attendedTokens = 0;        ///< the most KV entries a query of any layer attended to
  bool stoppedByLimit = false;   ///< ended by maxTokens, not by the model
  bool stoppedByRepeat = false;  ///< ended because it began to repeat itself; the repeat is left out of `text`
  double firstTokenSeconds = 0, totalSeconds = 0;
  int guessedTokens = 0,
      rightGuesses = 0;             ///< tokens that were tried before the model said them, and that it did
  double logProbability = 0;        ///< sum over the answer's tokens
  std::size_t kvBytesInMemory = 0;  ///< all that was held for the answer when it was said, beside the model:
                                    ///< attended KV, tail, index, rankings, angles, evidence, the reading's
                                    ///< tokens; not the mapped file, which the system keeps or drops
  std::vector<AnswerStep> steps;    ///< in turn; none where the answer came at once
};

/// What `Engine::fullAttention` finds.
struct FullAttention {
  EvidenceMap map;                ///< of question and answer together
  std::vector<AnswerLook> looks;  ///< of the question, then of each token of the answer, as in Answer
};

/// One position of `logits`.
struct TopTokens {
  std::vector<std::pair<TokenId, double>> top;  ///< token, log-probability; best first
  double nextLogProbability = 0;                ///< of the token that follows in the text; 0 for the last
};

struct BenchResult {
  std::string kind;  ///< "read" or "generate"
  int tokens = 0, depth = 0;
  double tokensPerSecond = 0;
};

/// The first tokens of a text, read as one or in windows that know nothing of each other.
struct TextStretch {
  int tokens = 0;        ///< 0: all of them
  int windowTokens = 0;  ///< reading starts anew after so many; 0: never
};

/// A row of the method table, for showing.
struct MethodInfo {
  std::string name, description;
  std::string positions, codec, policy, passages, answers;  ///< the row's five seams
  std::vector<MethodNumber> numbers = {};
};
std::vector<MethodInfo> listMethods();
/// Throws a sentence where there is no such row, nor one that takes another codec or numbers with such a name
/// ("snapkv+kivi-4:window=64").
void requireMethod(const std::string& name);
/// Whether what was read for one row serves the other as well, with the same model and budget. A budget smaller
/// than windows of the model's own can part them nevertheless.
bool readAlike(const std::string& method, const std::string& other);
/// Whether a reading that is stopped begins anew: what stays of the document is decided at its end.
bool readsInOneGo(const std::string& method);
/// Whether the budget acts in answers alone: a text is read densely, whatever the budget.
bool boundsAnswersOnly(const std::string& method);

/// What a method is wanted for: to answer questions; to foresee a text (`Engine::foresee`); to have its speed
/// measured.
enum class MethodUse { Answers, Foresight, Speed };

/// What an adapted model says where the document holds no answer.
constexpr const char* kNotInDocument = "The document does not say.";

/// A text and what is asked of it. An empty answer: the text holds none. Nothing asked: what comes before the
/// text's end is to foresee it.
struct AdapterLesson {
  std::string text;
  struct Item {
    std::string question, answer;
  };
  std::vector<Item> items;
};
struct AdapterTexts {
  std::vector<AdapterLesson> train, heldOut;
  std::string files = {};  ///< they are from, which the file made of them tells
};
struct AdapterSettings {
  std::string method = "retrolm";
  int budgetTokens = ReadSettings{}.budgetTokens;
  int rank = 32;
  std::filesystem::path start;  ///< an adapter of this model and rank to learn on from; empty: nothing learned
  int rounds = 1;               ///< times every text is visited
  int questionsEach = 8;        ///< asked of a text at a visit, which is one step
  double plainShare = 0;        ///< of such visits: those that ask nothing and let the text's end be foreseen
  double learningRate = 1e-3;
  double warmUp = 0.05;   ///< share of the steps in which the rate rises; then it falls along a cosine
  int heldOutEvery = 50;  ///< steps
  int patience = 5;       ///< checks on held-out texts without a better loss before it stops
  std::uint64_t seed = 1;
};
/// A text, its documents if it is made of several, and what is asked of it: where the answers' evidence stands.
/// Stretches are [start, end) in bytes.
struct RetrieverLesson {
  struct Stretch {
    std::size_t start = 0, end = 0;
  };
  struct Item {
    std::string question;
    std::vector<Stretch> gold;
  };
  std::string text;
  std::vector<Stretch> documents;
  std::vector<Item> items;
};
struct RetrieverTexts {
  std::vector<RetrieverLesson> train, heldOut;
  std::string files = {};  ///< as in AdapterTexts
};
struct RetrieverSettings {
  int budgetTokens = ReadSettings{}.budgetTokens;
  int rank = 16;
  int rounds = 1;             ///< times every text is visited, which is one step
  int questionsEach = 24;     ///< asked of a text at a visit
  double temperature = 0.05;  ///< cosines are divided by it before the softmax
  double readingShare = 0.2;  ///< of the loss: a chunk finds the others of its document
  double learningRate = 2e-3;
  double warmUp = 0.05;
  int heldOutEvery = 25;  ///< steps
  int patience = 6;
  std::uint64_t seed = 1;
};
/// Plain texts, each longer than a lesson.
struct BeaconTexts {
  std::vector<std::string> train, heldOut;
  std::string files = {};  ///< as in AdapterTexts
};
struct BeaconSettings {
  int windowTokens = 256;  ///< a multiple of 128
  int windows = 4;         ///< of a lesson, which is one step
  int rank = 32;
  int rounds = 1;  ///< times every lesson is visited
  double learningRate = 1e-3;
  double warmUp = 0.05;
  int heldOutEvery = 25;  ///< steps
  int patience = 6;
  std::uint64_t seed = 1;
};
struct TrainingStep {
  int step = 0, steps = 0;     ///< step 0 is the start, which is checked and teaches nothing
  std::optional<double> loss;  ///< nothing where the step taught nothing
  std::optional<double> heldOutLoss, heldOutRecall;
  bool isBest = false;
  bool isPast = false;  ///< taken before this call, and told again
};

/// A loaded model and everything that is done with it. All calls come on one thread, but for the const getters.
/// Errors are std::runtime_error with a sentence for the user; a listener may throw to stop.
class Engine {
 public:
  Engine(const EngineSettings& settings, Listener& listener);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const ModelInfo& model() const;
  const Tokenizer& tokenizer() const;
  int threads() const;
  std::string deviceName() const;  ///< of the CUDA device it computes on; empty: on the processor alone

  /// Throws a sentence where a method cannot have a budget with this model: one too small for it; or, where its
  /// positions are places in what the budget holds (StreamingLLM §3.2, Activation Beacon §3.1), one beyond the
  /// trained length, with the largest it can have. All that reads or answers with a budget asks it before it
  /// begins; callers with much to do before then may ask themselves.
  void requireBudget(const std::string& method, int budgetTokens) const;

  /// Throws the sentence that the work itself would throw, where a method is of no use with this model: for the
  /// budget, as `requireBudget` does, or as too small for its policy; the model file has no factors for its
  /// positions; there is no embedder for its passages; or it reads no text as a whole that could be foreseen.
  /// For callers who would come to it late. Loads the embedder where answers need it.
  void requireUse(const std::string& method, int budgetTokens, MethodUse use) const;

  /// Names what the adapter at work changes; empty where there is none.
  std::string adapterId() const;

  /// Names a reading: equal keys mean that a file read then serves now. Holds the model's fingerprint,
  /// tokenizer, positions, codec, policy and its numbers; safe as a file name. Throws what `requireBudget`
  /// does.
  std::string readingKey(const ReadSettings& settings) const;

  /// Names the reading, of a method that sees everything, that spares a dense one: with it `read` takes
  /// seconds. Empty where there is none, as for rows that do not read densely or that must hear all of a text
  /// themselves (`h2o`, `expected-attention`). Throws what `requireBudget` does.
  std::string denseKey(const ReadSettings& settings) const;

  /// Reads `text` into `file` chunk by chunk. A file that was interrupted is continued where its last whole
  /// chunk ends; a complete one is only opened. A file of another text, key or a damaged one is started again.
  /// dense: a file that was read under `denseKey`; not needed, and passed over where it is not whole or of
  /// another text.
  std::shared_ptr<const Reading> read(std::string_view text, const ReadSettings& settings,
                                      const std::filesystem::path& file, Listener& listener,
                                      const std::filesystem::path& dense = {});

  /// Opens what `read` left; nothing when the file is missing, damaged, not read as far as `extent` says, or
  /// has another key. Questions to a reading that is not whole are asked after its last whole chunk.
  std::shared_ptr<const Reading> open(const std::filesystem::path& file, const ReadSettings& settings,
                                      Extent extent = Extent::Whole);

  /// Several readings of one model, method and budget as one, in this order: what has been read of each, as if
  /// the documents followed each other. Chunks and evidence name the document. Throws a sentence where they do
  /// not fit.
  std::shared_ptr<const Reading> join(const std::vector<std::shared_ptr<const Reading>>& readings);

  /// The reading a question needs, so that callers can look for its file.
  ReadSettings readSettingsFor(const AskSettings& settings) const;

  Answer ask(const Reading& reading, std::string_view question, const AskSettings& settings,
             Listener& listener);

  /// What `ask` tells of an answer, for one that was given before: it is said again token by token, and nothing
  /// is sampled. Serves for answers that were stopped, and for what is not kept of earlier ones.
  Answer retrace(const Reading& reading, std::string_view question, std::string_view answer,
                 const AskSettings& settings, Listener& listener);

  /// Where full attention looks: the question, and `answer` token by token, fed again over every chunk of the
  /// reading, whatever its method. Costs time and memory in step with the document, so it is made when the user
  /// wants it.
  FullAttention fullAttention(const Reading& reading, std::string_view question, std::string_view answer,
                              Listener& listener);

  /// Full attention over a text, no chat frame; beginning-of-text is added where the model expects it.
  std::vector<TopTokens> logits(std::string_view text, int top, Listener& listener);

  /// How well a method foresees a text while it reads it: the log-probability of each of its tokens after those
  /// before it. No chat frame; beginning-of-text stands before the text, and before each window, where the
  /// model expects it, else nothing foresees the first token. Throws a sentence for methods that read nothing
  /// but passages.
  std::vector<std::optional<double>> foresee(std::string_view text, const ReadSettings& settings,
                                             const TextStretch& stretch, Listener& listener);

  /// Makes the closed-form index entries of the method "whitened" for this model from plain texts and questions
  /// asked of them, and writes them into the folder under the model's name. Each text is read from its start;
  /// texts should be short (1,000 to 4,000 tokens) and many. They serve from the next Engine on. Returns the
  /// file.
  struct WhiteningText {
    std::string text;
    std::vector<std::string> questions;
  };
  struct WhiteningSettings {
    std::vector<int> layers;  ///< empty: the first two and every third
    double shrinkage = 0.2;   ///< of the covariance towards a multiple of the identity, 0 to 1
  };
  std::filesystem::path trainWhitening(const std::vector<WhiteningText>& texts,
                                       const WhiteningSettings& settings, const std::filesystem::path& folder,
                                       Listener& listener);

  /// Trains low-rank changes that act on question and answer, so that the model answers from what the method
  /// retrieves, says kNotInDocument where the text holds no answer, and stays short. The model itself and what
  /// it read stay as they are. The best adapter so far, by the loss on texts held out, stands in the folder
  /// under the model's name and serves from the next Engine on; it takes the place of what stands there only if
  /// it is better than that, and than the start. A run that was ended goes on where its last checkpoint stands,
  /// if texts and settings are the same; one that is finished says so. Returns the file; throws a sentence
  /// where nothing was better, or memory is too little.
  std::filesystem::path trainAdapter(const AdapterTexts& texts, const AdapterSettings& settings,
                                     const std::filesystem::path& folder,
                                     const std::function<void(const TrainingStep&)>& report,
                                     Listener& listener);

  /// Trains the bookmarks of the method "retrolm" (RetroLM §3.3, stage 1): the model frozen, contrastive loss
  /// over the chunks of the same text, from the whitened entries on. Checkpoints, texts held out and the
  /// returned file as for an adapter.
  std::filesystem::path trainRetriever(const RetrieverTexts& texts, const RetrieverSettings& settings,
                                       const std::filesystem::path& folder,
                                       const std::function<void(const TrainingStep&)>& report,
                                       Listener& listener);

  /// Trains the beacons of the method "beacon" (Activation Beacon §3.3): the model frozen, each window's tokens
  /// foreseen from the beacons of those before it, at a ratio drawn for each window. Texts are cut into lessons
  /// of whole windows. Checkpoints, texts held out and the returned file as for an adapter.
  std::filesystem::path trainBeacons(const BeaconTexts& texts, const BeaconSettings& settings,
                                     const std::filesystem::path& folder,
                                     const std::function<void(const TrainingStep&)>& report,
                                     Listener& listener);

  /// Reading `tokens` after `depth` tokens, on random tokens.
  BenchResult benchRead(int tokens, int depth, const ReadSettings& settings, Listener& listener);
  /// Generating `tokens` after `depth`, which are read once, and a token of a question; so many times.
  std::vector<BenchResult> benchGenerate(int tokens, int depth, int times, const ReadSettings& settings,
                                         Listener& listener);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kvasir
