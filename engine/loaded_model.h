#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/accelerator.h"
#include "engine/cache/codec.h"
#include "engine/engine.h"
#include "engine/model/adapter.h"
#include "engine/model/beacons.h"
#include "engine/model/chat_template.h"
#include "engine/model/weights.h"
#include "engine/retrieval/bookmarks.h"
#include "engine/retrieval/passages.h"
#include "engine/retrieval/sentence_embedder.h"

namespace kvasir {

/// A model file made ready: immutable once loaded, but for dense forms of weights made at first use.
struct LoadedModel {
  ModelInfo info;
  ModelShape shape;
  ModelWeights weights;
  std::unique_ptr<Tokenizer> tokenizer;
  ChatTemplate chat;
  DenseForm form = DenseForm::Bfloat16;
  std::shared_ptr<Accelerator> device;  ///< null: the processor computes everything
  std::unique_ptr<Whitening>
      whitening;                        ///< never null, as those below: plain states where none was made for it
  std::unique_ptr<Bookmarks> whitened;  ///< over it, gathering evenly
  std::unique_ptr<Bookmarks> bookmarks;  ///< trained ones, if any

  std::unique_ptr<Beacons> beacons;  ///< never null: untrained where none were trained for it
  BeaconWeights beaconWeights;       ///< the same, over `weights`

  std::unique_ptr<Adapter> adapter;  ///< null where none was trained for it or none is wanted
  ModelWeights adapted;              ///< `weights`, changed by the adapter where there is one

  std::vector<std::filesystem::path> embedderFolders;  ///< searched when an embedder is first wanted
  mutable std::unique_ptr<SentenceEmbedder> embedder;  ///< null until then

  /// What finds it; for calls while this stands where it is. Throws a sentence where there is none.
  FindEmbedder findEmbedder() const;
  KvShape kvShape() const { return {shape.layers, shape.kvHeads, shape.headDimension}; }
};

/// Throws a sentence for a file that is not a whole model of a family we know.
LoadedModel loadModel(const EngineSettings& settings, Listener& listener);

/// Gives a device as much of the model as fits; the head and the first layers, where not all does. The listener
/// may throw.
void placeOn(LoadedModel& model, std::shared_ptr<Accelerator> device, Listener& listener);

/// The token that a beacon begins as: the one that ends an answer.
TokenId beaconToken(const LoadedModel& model);
/// Tokens of a text, never control tokens.
std::vector<TokenId> plainTokens(const LoadedModel& model, std::string_view text);
/// Tokens before a document: the start of a conversation, up to where its text begins.
std::vector<TokenId> framePrefix(const LoadedModel& model);
/// The same, and a text's after them.
std::vector<TokenId> frameText(const LoadedModel& model, std::string_view text);
/// Tokens after it: what the model is asked to do, and the start of an answer, with its first words if they are
/// given.
std::vector<TokenId> frameTask(const LoadedModel& model, std::string_view task, std::string_view opening = "");
/// The same for a question.
std::vector<TokenId> frameQuestion(const LoadedModel& model, std::string_view question);

}  // namespace kvasir
