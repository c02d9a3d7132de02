#pragma once

#include "engine/cache/kv_cache.h"
#include "engine/numbers.h"

/// The numbers that can be chosen of a method, seam by seam, with what its paper has: methods.cpp puts them
/// into rows, and the seams ask for them by their names.
namespace kvasir {

using Kind = MethodNumber::Kind;

/// The same where a document is read densely, and a question alone meets it.
constexpr MethodNumber inAnswers(MethodNumber number) {
  number.actsOnReading = false;
  return number;
}

inline constexpr MethodNumber kRecentNumber{
    "recent", "Share of the budget that the most recent chunks have while reading", .25, 0, .75, Kind::Real};
inline constexpr MethodNumber kWordsNumber{
    "words", "Weight of the words shared with the question, beside that of states", 1, 0, 100, Kind::Real,
    false};
inline constexpr MethodNumber kAgainNumber{
    "again", "Tokens until an answer retrieves anew, in steps of 128; 0: never", 128, 0, 65536, Kind::Whole,
    false};
inline constexpr MethodNumber kStreamingNumbers[] = {
    {"sinks", "First tokens that always stay; 0: a window alone", 4, 0, 64}};
// The first chunk alone outlives the window in a reading's file.
inline constexpr MethodNumber kFirstNumber{
    "first", "First tokens that always stay, at most a quarter of the budget", 100, 1, kChunkTokens};
inline constexpr MethodNumber kLambdaNumbers[] = {kFirstNumber};
inline constexpr MethodNumber kLambdaMiddleNumbers[] = {
    kFirstNumber,
    {"picks", "Tokens of the middle that each KV head picks", 5, 0, 64, Kind::Whole, false},
    {"from", "First layer that picks, counted from 1", 5, 1, 1024, Kind::Whole, false},
    kAgainNumber};
inline constexpr MethodNumber kInfllmNumbers[] = {
    {"representatives", "Keys of a chunk and KV head that stand for it", 4, 1, kChunkTokens},
    kRecentNumber,
    kAgainNumber};
inline constexpr MethodNumber kBookmarkNumbers[] = {kRecentNumber, kWordsNumber, kAgainNumber};
inline constexpr const char kPageText[] = "Tokens of a page, which is retrieved as one",
                            kEndsText[] = "First and last pages of a document that are always seen";
inline constexpr MethodNumber kQuestNumbers[] = {{"page", kPageText, 16, 8, kChunkTokens, Kind::PowerOfTwo},
                                                 {"ends", kEndsText, 1, 1, 8},
                                                 kRecentNumber,
                                                 kAgainNumber};
inline constexpr MethodNumber kArkvaleNumbers[] = {{"page", kPageText, 32, 8, kChunkTokens, Kind::PowerOfTwo},
                                                   {"ends", kEndsText, 2, 1, 8},
                                                   kRecentNumber,
                                                   kAgainNumber};
inline constexpr MethodNumber kQuestDenseNumbers[] = {kQuestNumbers[0], inAnswers(kQuestNumbers[1]),
                                                      kAgainNumber};
inline constexpr MethodNumber kArkvaleDenseNumbers[] = {kArkvaleNumbers[0], inAnswers(kArkvaleNumbers[1]),
                                                        kAgainNumber};
inline constexpr const char kWindowText[] = "Last tokens whose attention says which others stay",
                            kNeighboursText[] = "Tokens that a score is spread over";
inline constexpr MethodNumber kMaxNumber{"max", "1: the greatest of these neighbours counts; 0: their mean", 0,
                                         0, 1};
inline constexpr MethodNumber kSinksNumber{"sinks", "First tokens that always stay", 4, 0, 64};
inline constexpr MethodNumber kLastNumber{"last", "Last tokens of a document that always stay", 32, 0,
                                          kChunkTokens};
inline constexpr MethodNumber kSnapkvNumbers[] = {{"window", kWindowText, 32, 1, kChunkTokens},
                                                  {"neighbours", kNeighboursText, 5, 1, 63, Kind::Odd},
                                                  kMaxNumber,
                                                  kSinksNumber,
                                                  kLastNumber};
inline constexpr MethodNumber kPyramidkvNumbers[] = {
    {"window", kWindowText, 8, 1, kChunkTokens},
    {"neighbours", kNeighboursText, 7, 1, 63, Kind::Odd},
    {"beta", "How steep: the highest layer has 1 / (2 beta - 1) of what the lowest has", 20, 1, 1000,
     Kind::Real},
    kSinksNumber,
    kLastNumber};
inline constexpr MethodNumber kSnapkvSeenNumbers[] = {
    inAnswers(kSnapkvNumbers[0]), inAnswers(kSnapkvNumbers[1]), inAnswers(kSnapkvNumbers[2]),
    inAnswers(kSinksNumber), inAnswers(kLastNumber)};
inline constexpr MethodNumber kPyramidkvSeenNumbers[] = {
    inAnswers(kPyramidkvNumbers[0]), inAnswers(kPyramidkvNumbers[1]), inAnswers(kPyramidkvNumbers[2]),
    inAnswers(kSinksNumber), inAnswers(kLastNumber)};
inline constexpr MethodNumber kH2oNumbers[] = {
    {"recent", "Share of the budget that the most recent tokens have", .5, 0, 1, Kind::Real},
    kSinksNumber,
    kLastNumber};
inline constexpr MethodNumber kKeydiffNumbers[] = {kSinksNumber, kLastNumber};
inline constexpr MethodNumber kExpectedNumbers[] = {
    {"next", "Positions after the document at which queries are expected", 512, 1, 65536},
    kSinksNumber,
    kLastNumber};
inline constexpr MethodNumber kBeaconNumbers[] = {
    {"ratio", "Tokens that a beacon stands for; 0: as few as let the document fit", 0, 0, 32,
     Kind::PowerOfTwo}};
inline constexpr MethodNumber kScaleNumbers[] = {
    {"scale", "Times the trained length that positions are stretched for; 0: as the text needs", 0, 0, 1024}};
inline constexpr MethodNumber kNtkNumbers[] = {
    kScaleNumbers[0], {"sharpening", "Logits times (1 + this · ln scale)²", .1, 0, 1, Kind::Real}};
// Bounds that meet, so that the one is never below the other.
inline constexpr MethodNumber kYarnNumbers[] = {
    kNtkNumbers[0],
    kNtkNumbers[1],
    {"beta_fast", "Turns within the trained length from which on a frequency stays as it is", 32, 4, 4096,
     Kind::Real},
    {"beta_slow", "Turns within the trained length up to which a frequency is slowed by the whole scale", 1,
     .0625, 4, Kind::Real}};
inline constexpr MethodNumber kGroupedNumbers[] = {
    {"window", "Tokens within which distances are true", 1024, kChunkTokens, 1 << 20},
    {"group", "Neighbours that share a position beyond it", 8, 2, kChunkTokens}};
inline constexpr MethodNumber kFusedNumbers[] = {
    {"rank", "The constant of reciprocal rank fusion", 60, 0, 10000, Kind::Real, false}};
inline constexpr MethodNumber kLandmarkNumbers[] = {
    {"before", "Weight of a sentence beside the one that follows it", .5, 0, 1, Kind::Real, false}};
inline constexpr MethodNumber kPassagesNumber{
    "passages", "Passages in the prompt, at most; 0: as many as the budget holds", 0, 0, 10000, Kind::Whole,
    false};
inline constexpr MethodNumber kPassageNumbers[] = {kPassagesNumber};
inline constexpr MethodNumber kClueNumbers[] = {
    {"clues", "Clues of each kind, at most", 3, 0, 16, Kind::Whole, false},
    {"hits", "Passages that a clue finds", 3, 1, 64, Kind::Whole, false},
    {"draft", "1: a draft of the answer searches as the clues do; 0: none is written", 0, 0, 1, Kind::Whole,
     false},
    kPassagesNumber};
inline constexpr MethodNumber kPartNumbers[] = {
    {"part", "Chunks that are looked at together", 4, 1, 64, Kind::Whole, false},
    {"parts", "Parts that the retriever proposes at a step", 2, 1, 64, Kind::Whole, false},
    {"steps", "Parts that are looked at, at most, before it answers", 6, 1, 1000, Kind::Whole, false}};
// Dev questions gain nothing from more tokens; what is worth less is left out, for a small model loses an
// answer among others.
inline constexpr MethodNumber kRereadNumbers[] = {
    {"tokens", "Tokens read anew, at most", 512, kChunkTokens, 1 << 20, Kind::Whole, false},
    {"worth", "Share of the best passage's score that another has to have", .5, 0, 1, Kind::Real, false}};

}  // namespace kvasir
