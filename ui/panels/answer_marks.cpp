#include "ui/panels/answer_marks.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <QHash>
#include <QSet>
#include <QTextBoundaryFinder>

namespace kvasir {
namespace {

constexpr int kStemLetters = 6;  // process, processed, processing
constexpr int kShortestWord = 3;
constexpr double kMarkedShare = 0.4;  // of a sentence's weight that a row must have
constexpr double kSecondShare = 0.8;  // of the best row's weight that a second one must have
constexpr double kQuestionShare = 1.0 / 3;
constexpr double kAnswerShare = 0.5;
constexpr std::size_t kMostRows =
    64;  // a method may attend to all of a book, and the window must not wait for it

bool isWithoutSpaces(QChar c) {
  const QChar::Script script = c.script();
  return script == QChar::Script_Han || script == QChar::Script_Hiragana || script == QChar::Script_Katakana ||
         script == QChar::Script_Thai;
}

const QSet<QString>& emptyWords() {
  static const QSet<QString> words = {
      "the",   "and",   "for",   "that",  "this",  "with", "was",   "were", "are", "from",  "have",  "has",
      "had",   "not",   "but",   "its",   "which", "what", "when",  "who",  "how", "did",   "does",  "why",
      "their", "there", "they",  "his",   "her",   "you",  "your",  "our",  "can", "will",  "would", "been",
      "than",  "then",  "these", "those", "into",  "also", "where", "any",  "all", "about", "such",  "many",
      "much",  "der",   "die",   "das",   "und",   "ist",  "mit",   "von",  "les", "des",   "une",   "est"};
  return words;
}

void addWord(QString word, QSet<QString>& words) {
  while (word.endsWith(QLatin1Char('.')) || word.endsWith(QLatin1Char(','))) word.chop(1);
  const bool hasDigit = std::any_of(word.begin(), word.end(), [](QChar c) { return c.isDigit(); });
  if (word.isEmpty() || (!hasDigit && (word.size() < kShortestWord || emptyWords().contains(word)))) return;
  words.insert(hasDigit ? word.remove(QLatin1Char(',')) : word.left(kStemLetters));
}

/// Distinct words that carry meaning: stems, numbers whole, pairs of characters in scripts without spaces.
QSet<QString> wordsOf(const QString& text) {
  const QString lower = text.toLower();
  QSet<QString> words;
  QString word;
  for (qsizetype i = 0; i < lower.size(); ++i) {
    const QChar c = lower[i];
    if (isWithoutSpaces(c)) {
      if (i + 1 < lower.size() && isWithoutSpaces(lower[i + 1])) words.insert(lower.mid(i, 2));
      addWord(std::exchange(word, {}), words);
      continue;
    }
    const bool isInNumber = (c == QLatin1Char('.') || c == QLatin1Char(',')) && !word.isEmpty() &&
                            word.back().isDigit() && i + 1 < lower.size() && lower[i + 1].isDigit();
    if (c.isLetterOrNumber() || isInNumber) {
      word += c;
      continue;
    }
    addWord(std::exchange(word, {}), words);
  }
  addWord(word, words);
  return words;
}

std::span<const EvidenceRow> firstOf(const std::vector<EvidenceRow>& rows) {
  return std::span(rows).first(std::min(rows.size(), kMostRows));
}

struct Span {
  int start = 0, end = 0;
};

/// Sentences without the white space between them.
std::vector<Span> sentencesOf(const QString& text) {
  std::vector<Span> spans;
  QTextBoundaryFinder finder(QTextBoundaryFinder::Sentence, text);
  for (int start = 0; start < text.size();) {
    const auto next = static_cast<int>(finder.toNextBoundary());
    int end = next < 0 ? static_cast<int>(text.size()) : next;
    const int after = end;
    while (end > start && text[end - 1].isSpace()) --end;
    while (start < end && text[start].isSpace()) ++start;
    if (end > start) spans.push_back({start, end});
    start = after;
  }
  return spans;
}

/// How much a word tells one row from another.
class WordWeights {
 public:
  explicit WordWeights(const std::vector<QSet<QString>>& rows) : rows_(static_cast<double>(rows.size())) {
    for (const QSet<QString>& row : rows) {
      for (const QString& word : row) ++count_[word];
    }
  }
  double of(const QString& word) const {
    const double weight = std::log(1 + (rows_ + 1) / (count_.value(word, 0) + 0.5));
    return word[0].isDigit() ? 2 * weight : weight;
  }
  double of(const QSet<QString>& words) const {
    double sum = 0;
    for (const QString& word : words) sum += of(word);
    return sum;
  }
  double shared(const QSet<QString>& words, const QSet<QString>& row) const {
    double sum = 0;
    for (const QString& word : words) sum += row.contains(word) ? of(word) : 0;
    return sum;
  }

 private:
  double rows_;
  QHash<QString, int> count_;
};

std::vector<int> ranksFor(const QSet<QString>& words, const std::vector<QSet<QString>>& rowWords,
                          std::span<const EvidenceRow> rows, const WordWeights& weights) {
  const double whole = weights.of(words);
  if (whole == 0) return {};
  std::vector<std::pair<double, int>> found;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double share = weights.shared(words, rowWords[r]) / whole;
    if (share >= kMarkedShare && !rows[r].isBlocked) found.emplace_back(-share, rows[r].rank);
  }
  std::sort(found.begin(), found.end());
  std::vector<int> ranks;
  for (const auto& [share, rank] : found) {
    if (ranks.size() < 2 && share <= found[0].first * kSecondShare) ranks.push_back(rank);
  }
  return ranks;
}

double shareFound(const QSet<QString>& words, const QSet<QString>& where) {
  if (words.isEmpty()) return 1;
  const auto found =
      std::count_if(words.begin(), words.end(), [&](const QString& word) { return where.contains(word); });
  return static_cast<double>(found) / static_cast<double>(words.size());
}

}  // namespace

std::vector<SentenceMark> marksOf(const QString& answer, const std::vector<EvidenceRow>& all) {
  const std::span rows = firstOf(all);
  std::vector<QSet<QString>> rowWords;
  for (const EvidenceRow& row : rows) rowWords.push_back(wordsOf(row.text));
  const WordWeights weights(rowWords);
  std::vector<SentenceMark> marks;
  for (const Span& span : sentencesOf(answer)) {
    const QSet<QString> words = wordsOf(answer.mid(span.start, span.end - span.start));
    marks.push_back({span.start, span.end, ranksFor(words, rowWords, rows, weights)});
  }
  return marks;
}

TextRange placeInRow(const EvidenceRow& row, const QString& sentence) {
  const QSet<QString> words = wordsOf(sentence);
  const WordWeights weights({wordsOf(row.text)});
  double best = 0;
  TextRange place = row.range;
  for (const Span& span : sentencesOf(row.text)) {
    const double shared = weights.shared(words, wordsOf(row.text.mid(span.start, span.end - span.start)));
    if (shared <= best) continue;
    best = shared;
    const auto before = static_cast<std::size_t>(row.text.left(span.start).toUtf8().size());
    const auto length =
        static_cast<std::size_t>(row.text.mid(span.start, span.end - span.start).toUtf8().size());
    place = {row.range.start + before, row.range.start + before + length};
  }
  return place;
}

bool isSupported(const QString& question, const QString& answer, const std::vector<EvidenceRow>& rows) {
  QSet<QString> passages;
  for (const EvidenceRow& row : firstOf(rows)) {
    if (!row.isBlocked) passages.unite(wordsOf(row.text));
  }
  if (passages.isEmpty()) return false;
  const QSet<QString> asked = wordsOf(question);
  if (shareFound(asked, passages) < kQuestionShare) return false;
  return shareFound(wordsOf(answer) - asked, passages) >= kAnswerShare;
}

}  // namespace kvasir
