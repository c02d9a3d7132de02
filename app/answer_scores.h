#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// How a text is cut into tokens before it is compared.
enum class ScoringLanguage { English, Chinese };

/// Chinese when the question holds a Han character.
ScoringLanguage scoringLanguageOf(std::string_view question);

/// As SQuAD's evaluate-v1.1.py compares answers: lower case, without ASCII punctuation, the articles a, an,
/// the, and needless white space.
std::string normalisedEnglish(std::string_view text);

/// As CMRC 2018's cmrc2018_evaluate.py: lower case, without its list of punctuation; a token for each Han
/// character and for each other run of word characters.
std::vector<std::string> chineseTokens(std::string_view text);

/// The best over the accepted answers, 0 to 1. English: overlap of the bags of tokens (SQuAD). Chinese: the
/// longest common run of tokens (CMRC 2018).
double f1Of(std::string_view prediction, const std::vector<std::string>& answers, ScoringLanguage language);

/// Equal to an accepted answer after normalising.
bool isExact(std::string_view prediction, const std::vector<std::string>& answers, ScoringLanguage language);

/// What counts as a part of a prediction in English: whole words, or any run of characters, as RULER has it.
/// "Does not say" has no word "no".
enum class Parts { Words, Characters };

/// Some accepted answer, normalised, is a part of the prediction, normalised.
bool containsAnswer(std::string_view prediction, const std::vector<std::string>& answers,
                    ScoringLanguage language, Parts parts = Parts::Words);

/// For questions that end in "Choose from: A, B, C.": the class that the prediction names first is an accepted
/// answer. Where the question lists no classes, as containsAnswer.
bool choosesAnswer(std::string_view prediction, std::string_view question,
                   const std::vector<std::string>& answers);

}  // namespace kvasir
