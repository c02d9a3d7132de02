#include "app/window/exchange_store.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include <QByteArray>
#include <QDataStream>
#include <QIODevice>

namespace kvasir {
namespace {

using Json = nlohmann::json;

constexpr quint32 kMapsVersion = 3;      // 1: without the documents of chunks; 2: without the shares seen
constexpr qint64 kMostValues = 1 << 26;  // of one list; more is damage

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

bool hasNumber(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number();
}
double numberOf(const Json& json, const char* name) {
  return hasNumber(json, name) ? json.find(name)->get<double>() : 0;
}
int intOf(const Json& json, const char* name) {
  const double value = numberOf(json, name);
  return std::abs(value) < 2e9 ? static_cast<int>(value) : 0;
}
std::size_t byteOf(const Json& json, const char* name) {
  const double value = numberOf(json, name);
  return value > 0 && value < 1e15 ? static_cast<std::size_t>(value) : 0;
}
QString textOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? QString::fromStdString(found->get<std::string>())
                                                   : QString();
}
bool flagOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}
std::vector<int> intsOf(const Json& json, const char* name) {
  std::vector<int> values;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return values;
  for (const Json& value : *found) {
    if (value.is_number_integer()) values.push_back(value.get<int>());
  }
  return values;
}

QStringList textsOf(const Json& json, const char* name) {
  QStringList texts;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return texts;
  for (const Json& value : *found) {
    if (value.is_string()) texts << QString::fromStdString(value.get<std::string>());
  }
  return texts;
}

Json toJson(const EvidenceRow& row) {
  return {{"rank", row.rank},
          {"chunk", row.chunk},
          {"score", finite(row.score)},
          {"score_states", row.parts ? finite(row.parts->states) : Json(nullptr)},
          {"score_words", row.parts ? finite(row.parts->words) : Json(nullptr)},
          {"layers", row.layers},
          {"share", finite(row.share)},
          {"section", row.section.toStdString()},
          {"pages", row.pages.toStdString()},
          {"text", row.text.toStdString()},
          {"start", row.range.start},
          {"end", row.range.end},
          {"document", row.document.toStdString()},
          {"title", row.title.toStdString()},
          {"pinned", row.isPinned},
          {"blocked", row.isBlocked}};
}

EvidenceRow rowOf(const Json& json) {
  EvidenceRow row;
  row.rank = intOf(json, "rank");
  row.chunk = intOf(json, "chunk");
  row.score = numberOf(json, "score");
  if (hasNumber(json, "score_states") && hasNumber(json, "score_words"))
    row.parts = ScoreParts{numberOf(json, "score_states"), numberOf(json, "score_words")};
  row.layers = intOf(json, "layers");
  row.share = numberOf(json, "share");
  row.section = textOf(json, "section");
  row.pages = textOf(json, "pages");
  row.text = textOf(json, "text");
  row.range = {byteOf(json, "start"), byteOf(json, "end")};
  row.document = textOf(json, "document");
  row.title = textOf(json, "title");
  row.isPinned = flagOf(json, "pinned");
  row.isBlocked = flagOf(json, "blocked");
  return row;
}

template <class Value>
void write(QDataStream& stream, const std::vector<Value>& values) {
  static_assert(std::is_trivially_copyable_v<Value>);
  stream << static_cast<qint64>(values.size());
  stream.writeRawData(reinterpret_cast<const char*>(values.data()),
                      static_cast<int>(values.size() * sizeof(Value)));
}

template <class Value>
std::vector<Value> readValues(QDataStream& stream) {
  qint64 size = 0;
  stream >> size;
  const qint64 left = stream.device()->bytesAvailable();
  if (size < 0 || size > kMostValues || size * static_cast<qint64>(sizeof(Value)) > left) {
    stream.setStatus(QDataStream::ReadCorruptData);
    return {};
  }
  std::vector<Value> values(static_cast<std::size_t>(size));
  stream.readRawData(reinterpret_cast<char*>(values.data()), static_cast<int>(values.size() * sizeof(Value)));
  return values;
}

void writeMarks(QDataStream& stream, const std::vector<AxisMark>& marks) {
  stream << static_cast<qint64>(marks.size());
  for (const AxisMark& mark : marks) stream << qint32{mark.chunk} << mark.label << qint32{mark.level};
}

std::vector<AxisMark> readMarks(QDataStream& stream) {
  qint64 size = 0;
  stream >> size;
  std::vector<AxisMark> marks;
  for (qint64 i = 0; i < size && stream.status() == QDataStream::Ok; ++i) {
    qint32 chunk = 0, level = 0;
    QString label;
    stream >> chunk >> label >> level;
    marks.push_back({chunk, label, level});
  }
  return marks;
}

bool isWhole(const AnswerMaps& maps, std::size_t chunks) {
  const EvidenceMap& map = maps.retrieved;
  if (map.layers < 0 || map.chunks < 0 || static_cast<std::size_t>(map.chunks) != chunks) return false;
  const std::size_t cells = static_cast<std::size_t>(map.layers) * chunks;
  const auto fits = [&](std::size_t size) { return size == cells || size == 0; };
  return fits(map.scores.size()) && fits(map.mass.size()) && fits(map.attended.size()) &&
         fits(map.seenShare.size()) && maps.firstTokens.size() == chunks + 1;
}

}  // namespace

std::string bodyOf(const Exchange& exchange) {
  Json evidence = Json::array();
  for (const EvidenceRow& row : exchange.evidence) evidence.push_back(toJson(row));
  Json documents = Json::array();
  for (const QString& id : exchange.documents) documents.push_back(id.toStdString());
  Json steps = Json::array();
  for (const QString& step : exchange.steps) steps.push_back(step.toStdString());
  const Json json = {{"question", exchange.question.toStdString()},
                     {"asked", exchange.asked.toStdString()},
                     {"answer", exchange.answer.toStdString()},
                     {"note", exchange.note.toStdString()},
                     {"when", exchange.when.toStdString()},
                     {"method", exchange.method.toStdString()},
                     {"budget", exchange.budgetTokens},
                     {"attended", exchange.attendedTokens},
                     {"document_tokens", exchange.documentTokens},
                     {"read_tokens", exchange.readTokens},
                     {"left_out", exchange.leftOut},
                     {"documents", documents},
                     {"steps", steps},
                     {"answer_tokens", exchange.answerTokens},
                     {"kv_memory", exchange.kvBytesInMemory},
                     {"kv_disk", exchange.kvBytesOnDisk},
                     {"coverage", exchange.coverage ? finite(*exchange.coverage) : Json(nullptr)},
                     {"log_probability", finite(exchange.logProbability)},
                     {"first_token", exchange.firstTokenSeconds},
                     {"total", exchange.totalSeconds},
                     {"stopped", exchange.isStopped},
                     {"unanswered", exchange.isUnanswered},
                     {"cut", exchange.isCut},
                     {"pinned", exchange.pinned},
                     {"blocked", exchange.blocked},
                     {"evidence", evidence}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Exchange> parseBody(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Exchange exchange;
  exchange.question = textOf(json, "question");
  exchange.asked = textOf(json, "asked");
  exchange.answer = textOf(json, "answer");
  exchange.note = textOf(json, "note");
  exchange.when = textOf(json, "when");
  exchange.method = textOf(json, "method");
  exchange.budgetTokens = intOf(json, "budget");
  exchange.attendedTokens = intOf(json, "attended");
  exchange.documentTokens = intOf(json, "document_tokens");
  exchange.answerTokens = intOf(json, "answer_tokens");
  exchange.readTokens = intOf(json, "read_tokens");
  exchange.kvBytesInMemory = static_cast<qint64>(byteOf(json, "kv_memory"));
  exchange.kvBytesOnDisk = static_cast<qint64>(byteOf(json, "kv_disk"));
  exchange.leftOut = json.contains("left_out") ? intOf(json, "left_out") : -1;
  exchange.documents = textsOf(json, "documents");
  exchange.steps = textsOf(json, "steps");
  if (json.contains("coverage") && json["coverage"].is_number()) exchange.coverage = numberOf(json, "coverage");
  exchange.logProbability = numberOf(json, "log_probability");
  exchange.firstTokenSeconds = numberOf(json, "first_token");
  exchange.totalSeconds = numberOf(json, "total");
  exchange.isStopped = flagOf(json, "stopped");
  exchange.isUnanswered = flagOf(json, "unanswered");
  exchange.isCut = flagOf(json, "cut");
  exchange.pinned = intsOf(json, "pinned");
  exchange.blocked = intsOf(json, "blocked");
  if (json.contains("evidence") && json["evidence"].is_array()) {
    for (const Json& row : json["evidence"]) {
      if (row.is_object()) exchange.evidence.push_back(rowOf(row));
    }
  }
  return exchange;
}

std::string packMaps(const Exchange& exchange) {
  QByteArray bytes;
  QDataStream stream(&bytes, QIODevice::WriteOnly);
  stream.setVersion(QDataStream::Qt_6_4);
  stream << kMapsVersion;
  write(stream, exchange.chunks);
  const AnswerMaps none;
  const AnswerMaps& maps = exchange.maps ? *exchange.maps : none;
  stream << maps.method << qint32{maps.retrieved.layers} << qint32{maps.retrieved.chunks};
  write(stream, maps.retrieved.scores);
  write(stream, maps.retrieved.mass);
  write(stream, maps.retrieved.attended);
  write(stream, maps.firstTokens);
  writeMarks(stream, maps.sections);
  writeMarks(stream, maps.pages);
  write(stream, exchange.chunkDocuments);
  write(stream, maps.retrieved.seenShare);
  return qCompress(bytes, 1).toStdString();
}

void unpackMaps(const std::string& packed, Exchange& exchange) {
  const QByteArray bytes = qUncompress(QByteArray::fromStdString(packed));
  QDataStream stream(bytes);
  stream.setVersion(QDataStream::Qt_6_4);
  quint32 version = 0;
  stream >> version;
  if (version == 0 || version > kMapsVersion) return;
  auto chunks = readValues<TextRange>(stream);
  auto maps = std::make_shared<AnswerMaps>();
  qint32 layers = 0, count = 0;
  stream >> maps->method >> layers >> count;
  maps->retrieved.layers = layers;
  maps->retrieved.chunks = count;
  maps->retrieved.scores = readValues<float>(stream);
  maps->retrieved.mass = readValues<float>(stream);
  maps->retrieved.attended = readValues<std::uint8_t>(stream);
  maps->firstTokens = readValues<int>(stream);
  maps->sections = readMarks(stream);
  maps->pages = readMarks(stream);
  auto documents = version > 1 ? readValues<int>(stream) : std::vector<int>();
  if (version > 2) maps->retrieved.seenShare = readValues<float>(stream);
  if (!documents.empty() && documents.size() != chunks.size()) return;
  if (stream.status() != QDataStream::Ok || chunks.empty() || !isWhole(*maps, chunks.size())) return;
  exchange.chunks = std::move(chunks);
  exchange.chunkDocuments = std::move(documents);
  exchange.maps = std::move(maps);
}

}  // namespace kvasir
