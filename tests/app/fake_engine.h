#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"

/// What the stand-in for the engine did, and what it is to do; reset for every test. It has the engine's
/// interface and takes its place when the program is linked, so the commands are tested without a model.
struct FakeEngine {
  int loads = 0;
  std::vector<int> chunksRead;  ///< of each read call that was not stopped before its first: chunks read in it
  std::vector<std::string> questions;
  std::vector<int> documentsAsked;  ///< of each question: how many
  std::vector<int> chunksAsked;     ///< of each question: chunks that had been read
  int retraces = 0;
  std::string saying;                             ///< what it answers; empty: the text of the first chunk found
  std::vector<std::vector<int>> pinned, blocked;  ///< chunks, of each question
  std::vector<std::string> trainingTexts;
  std::vector<kvasir::AnswerStep> steps;          ///< of each answer
  int rank = 0;                                   ///< of the adapter that was trained
  std::string trainingFiles;                      ///< as the adapter's texts name them
  std::vector<kvasir::TrainingStep> losses;       ///< that its training reports; empty: two steps
  std::function<void(int chunk)> onChunk;         ///< called after each chunk read
  std::function<void()> onAnswerWord;             ///< called after each word of an answer
  std::function<void()> onRetrace;                ///< called when an answer is retraced
  std::function<void(kvasir::Listener&)> onLook;  ///< called while full attention is computed
  std::string device;                             ///< that it computes on
  std::string adapter;                            ///< names the adapter at work
  std::string refusal;                            ///< asked for a device it does not have, it throws this
  int trainedTokens = 0;                          ///< `streaming` takes no larger budget; 0: it takes any
  double readShare = 1;                           ///< of each chunk that an answer rests on, what was seen
  std::string unusable;                           ///< a method that is of no use with the model
  std::string spared;                             ///< a method whose reading that of `full` spares; empty: none
  std::vector<std::string> readSparingly;         ///< methods that were read so: nothing of chunksRead
  std::function<void()> onTrainingStep;           ///< called when a training has told of its first step
};
FakeEngine& fakeEngine();
