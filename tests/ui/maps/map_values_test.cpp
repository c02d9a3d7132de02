#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <QBuffer>
#include <QTest>

#include "ui/maps/axis_marks.h"
#include "ui/maps/binned_grid.h"
#include "ui/maps/chunk_strip.h"
#include "ui/maps/color_maps.h"
#include "ui/maps/csv.h"
#include "ui/maps/evidence_model.h"
#include "ui/maps/evidence_overlap.h"
#include "ui/maps/number_table.h"
#include "ui/maps/value_scale.h"

namespace kvasir {
namespace {

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

// Written plainly: every bin looks at every column.
std::vector<float> slowBins(const std::vector<int>& edges, const std::vector<float>& values, int rows,
                            double from, double to, int bins, BinRule rule, int firstColumn) {
  const auto columns = static_cast<int>(edges.size()) - 1;
  std::vector<float> found;
  for (int row = 0; row < rows; ++row) {
    for (int bin = 0; bin < bins; ++bin) {
      const double start = from + bin * (to - from) / bins, end = from + (bin + 1) * (to - from) / bins;
      double maximum = -std::numeric_limits<double>::infinity(), sum = 0, weight = 0;
      for (int column = firstColumn; column < columns; ++column) {
        const double covered = std::min<double>(end, edges[static_cast<std::size_t>(column) + 1]) -
                               std::max<double>(start, edges[static_cast<std::size_t>(column)]);
        const double value = static_cast<double>(values[static_cast<std::size_t>(row * columns + column)]);
        if (covered <= 1e-6 || !std::isfinite(value)) continue;
        maximum = std::max(maximum, value);
        sum += covered * value;
        weight += covered;
      }
      const double result = rule == BinRule::Maximum ? maximum : sum / weight;
      found.push_back(weight > 0 ? static_cast<float>(result) : kNothing);
    }
  }
  return found;
}

bool areSame(const std::vector<float>& one, const std::vector<float>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](float a, float b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return std::abs(a - b) <= 1e-5F * std::max(1.0F, std::abs(b));
  });
}

// CIE 1976 L* of an sRGB colour, 0 to 100.
double lightness(const QColor& color) {
  const auto linear = [](double part) {
    return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
  };
  const double y =
      0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

}  // namespace

class MapValuesTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void binsEqualThePlainReference_data();
  void binsEqualThePlainReference();
  void binsOutsideTheColumnsAreBlank();
  void movedWindowEqualsBinsMadeAnew();
  void columnAtFindsTheColumnOfAPosition();
  void colorMapsGrowEvenlyLighter();
  void linearScaleBeginsAtZeroForShares();
  void scoresMayBeNegative();
  void logarithmicScaleIsEvenInDecades();
  void scaleMarksStandWithinTheScale();
  void labelsThinnedByRankNeverMeet();
  void pagesAreThinnedEvenly();
  void csvQuotesWhatNeedsQuotes();
  void tableIsWrittenAsCsv();
  void evidenceCsvHoldsWholeTexts();
  void evidenceSortsNumbersAsNumbers();
  void evidenceFilterSearchesTheWholeText();
  void sharedPartIsByLengthOfText();
  void stripTakesTheHighestValueOfAPixel();
};

void MapValuesTest::binsEqualThePlainReference_data() {
  QTest::addColumn<int>("columns");
  QTest::addColumn<double>("from");
  QTest::addColumn<double>("to");
  QTest::addColumn<int>("bins");
  QTest::addColumn<int>("firstColumn");
  QTest::newRow("many columns a bin") << 1000 << 0.0 << 1.0 << 7 << 0;
  QTest::newRow("a bin a column or so") << 300 << 0.0 << 1.0 << 290 << 0;
  QTest::newRow("many bins a column") << 40 << 0.3 << 0.4 << 200 << 0;
  QTest::newRow("a part, uneven") << 777 << 0.123 << 0.871 << 13 << 0;
  QTest::newRow("first left out") << 100 << 0.0 << 1.0 << 9 << 1;
  QTest::newRow("one column") << 1 << 0.0 << 1.0 << 5 << 0;
}

void MapValuesTest::binsEqualThePlainReference() {
  QFETCH(int, columns);
  QFETCH(double, from);
  QFETCH(double, to);
  QFETCH(int, bins);
  QFETCH(int, firstColumn);
  std::mt19937 random(3);
  std::vector<int> edges{5};
  while (static_cast<int>(edges.size()) <= columns)
    edges.push_back(edges.back() + 1 + static_cast<int>(random() % 9));
  std::vector<float> values(static_cast<std::size_t>(columns) * 3);
  for (float& value : values)
    value = random() % 5 == 0 ? kNothing : static_cast<float>(random() % 1000) - 500.0F;
  for (std::size_t index = values.size() / 3; index < values.size() * 2 / 3; ++index) values[index] = kNothing;
  const double length = edges.back() - edges.front();
  const double start = edges.front() + from * length, end = edges.front() + to * length;
  const BinnedGrid grid(3, std::make_shared<const std::vector<int>>(edges),
                        std::make_shared<const std::vector<float>>(values));
  for (const BinRule rule : {BinRule::Maximum, BinRule::Mean}) {
    QVERIFY(areSame(grid.bin(start, end, bins, rule, firstColumn),
                    slowBins(edges, values, 3, start, end, bins, rule, firstColumn)));
  }
}

void MapValuesTest::binsOutsideTheColumnsAreBlank() {
  const BinnedGrid grid(1, std::make_shared<const std::vector<int>>(std::vector{0, 10}),
                        std::make_shared<const std::vector<float>>(std::vector{2.0F}));
  QVERIFY(areSame(grid.bin(-10, 20, 3, BinRule::Maximum), {kNothing, 2.0F, kNothing}));
}

void MapValuesTest::movedWindowEqualsBinsMadeAnew() {
  std::mt19937 random(11);
  std::vector<int> edges{0};
  std::vector<float> values;
  while (edges.size() <= 500) edges.push_back(edges.back() + 1 + static_cast<int>(random() % 5));
  for (int cell = 0; cell < 1000; ++cell) values.push_back(static_cast<float>(random() % 97));
  const auto grid = std::make_shared<const BinnedGrid>(2, std::make_shared<const std::vector<int>>(edges),
                                                       std::make_shared<const std::vector<float>>(values));
  const ValueScale scale(ValueUnit::Score, ScaleKind::Linear, {0, 97, 1});
  BinWindow moved;
  double from = 100;
  for (const double step : {0.0, 3.0, 40.5, -70.25, 0.1, 900.0, -12.0, -400.0}) {
    from += step;
    BinWindow anew;
    const std::vector<float> expected = anew.move(grid, from, from + 200, 64, BinRule::Mean, 1, scale);
    QVERIFY(areSame(moved.move(grid, from, from + 200, 64, BinRule::Mean, 1, scale), expected));
    QCOMPARE(moved.start(), anew.start());
    QVERIFY(moved.start() <= from && moved.start() + moved.width() * moved.count() >= from + 200);
  }
  const std::vector<float> mean = moved.move(grid, 100, 300, 64, BinRule::Mean, 1, scale);
  QVERIFY(!areSame(moved.move(grid, 100, 300, 64, BinRule::Maximum, 1, scale), mean));
}

void MapValuesTest::columnAtFindsTheColumnOfAPosition() {
  const BinnedGrid grid(1, std::make_shared<const std::vector<int>>(std::vector{0, 10, 12}),
                        std::make_shared<const std::vector<float>>(std::vector{1.0F, 2.0F}));
  QCOMPARE(grid.columnAt(-3), 0);
  QCOMPARE(grid.columnAt(9.9), 0);
  QCOMPARE(grid.columnAt(10), 1);
  QCOMPARE(grid.columnAt(99), 1);
}

void MapValuesTest::colorMapsGrowEvenlyLighter() {
  constexpr int kSteps = 50;
  for (const ColorMap map : kColorMaps) {
    const double first = lightness(colorAt(map, 0)), last = lightness(colorAt(map, 1));
    QVERIFY(last - first > 70);
    for (int step = 1; step <= kSteps; ++step) {
      const double position = static_cast<double>(step) / kSteps, light = lightness(colorAt(map, position));
      QVERIFY(light > lightness(colorAt(map, position - 1.0 / kSteps)));
      QVERIFY2(std::abs(light - (first + position * (last - first))) < 4, qPrintable(colorMapName(map)));
    }
  }
}

void MapValuesTest::linearScaleBeginsAtZeroForShares() {
  const ValueScale scale(ValueUnit::Share, ScaleKind::Linear, {0.2, 0.8, 0.2});
  QCOMPARE(scale.position(0), 0.0);
  QCOMPARE(scale.position(0.4), 0.5);
  QCOMPARE(scale.position(0.8), 1.0);
  QVERIFY(std::isnan(scale.position(std::nan(""))));
}

void MapValuesTest::scoresMayBeNegative() {
  const std::vector<float> values{9, -3, kNothing, -1, std::numeric_limits<float>::infinity(), 1};
  const ValueRange range = rangeOf(values, 3, 1);
  QCOMPARE(range.low, -3.0);
  QCOMPARE(range.high, 1.0);
  QCOMPARE(range.smallestPositive, 1.0);
  const ValueScale scale(ValueUnit::Score, ScaleKind::Linear, range);
  QCOMPARE(scale.position(-3), 0.0);
  QCOMPARE(scale.position(-1), 0.5);
}

void MapValuesTest::logarithmicScaleIsEvenInDecades() {
  const ValueScale scale(ValueUnit::Share, ScaleKind::Logarithmic, {0, 1, 1e-9});
  QCOMPARE(scale.low(), 1e-4);
  QCOMPARE(scale.position(0), 0.0);
  QVERIFY(std::abs(scale.position(1e-2) - 0.5) < 1e-6);
  QCOMPARE(scale.position(1), 1.0);
  QCOMPARE(ValueScale(ValueUnit::Score, ScaleKind::Logarithmic, {-2, -1, 0}).kind(), ScaleKind::Linear);
}

void MapValuesTest::scaleMarksStandWithinTheScale() {
  for (const ValueRange& range :
       {ValueRange{0, 0.037, 1e-7}, ValueRange{}, ValueRange{5, 5, 5}, ValueRange{-4, 3, 1}}) {
    for (const ScaleKind kind : {ScaleKind::Linear, ScaleKind::Logarithmic}) {
      const std::vector<ScaleMark> marks = ValueScale(ValueUnit::Score, kind, range).marks();
      QVERIFY(marks.size() >= 2 && marks.size() <= 8);
      for (const ScaleMark& mark : marks) QVERIFY(mark.position >= 0 && mark.position <= 1);
    }
  }
}

void MapValuesTest::labelsThinnedByRankNeverMeet() {
  const std::vector<MarkBox> boxes{{0, 50, 2}, {30, 90, 1}, {95, 120, 2}, {98, 110, 2}, {200, 240, 3}};
  QCOMPARE(thinByRank(boxes, 5), (std::vector<bool>{false, true, true, false, true}));
  std::mt19937 random(5);
  std::vector<MarkBox> many;
  for (int index = 0; index < 400; ++index) {
    many.push_back({index * 3.0, index * 3.0 + 10 + random() % 60, static_cast<int>(random() % 3)});
  }
  const std::vector<bool> shown = thinByRank(many, 4);
  double end = -100;
  for (std::size_t index = 0; index < many.size(); ++index) {
    if (!shown[index]) continue;
    QVERIFY(many[index].left >= end + 4);
    end = many[index].right;
  }
  QVERIFY(std::count(shown.begin(), shown.end(), true) > 10);
}

void MapValuesTest::pagesAreThinnedEvenly() {
  std::vector<MarkBox> pages;
  for (int page = 1; page <= 100; ++page) pages.push_back({page * 10.0, page * 10.0 + 24, 0});
  const std::vector<bool> shown = thinEvenly(pages, 8);
  for (std::size_t index = 0; index < pages.size(); ++index) QCOMPARE(shown[index], (index + 1) % 5 == 0);
  QVERIFY(thinEvenly({}, 8).empty());
  QCOMPARE(thinEvenly({{0, 10, 0}}, 8), std::vector<bool>{true});
}

void MapValuesTest::csvQuotesWhatNeedsQuotes() {
  QCOMPARE(csvRecord({QStringLiteral("a"), QStringLiteral("b,c"), QStringLiteral("say \"so\""),
                      QStringLiteral("x\ny"), QString(), QStringLiteral("ä")}),
           QByteArray("a,\"b,c\",\"say \"\"so\"\"\",\"x\ny\",,\xc3\xa4\r\n"));
  QCOMPARE(csvNumber(0.1), QStringLiteral("0.1"));
  QCOMPARE(csvNumber(std::nan("")), QString());
}

void MapValuesTest::tableIsWrittenAsCsv() {
  const NumberTable table{{QStringLiteral("chunk"), QStringLiteral("score")}, 2, [](int row, int column) {
                            if (column == 0) return QVariant(row);
                            return row ? QVariant(std::nan("")) : QVariant(0.5);
                          }};
  QBuffer buffer;
  QVERIFY(buffer.open(QIODevice::WriteOnly));
  QVERIFY(writeCsv(table, buffer));
  QCOMPARE(buffer.data(), QByteArray("chunk,score\r\n0,0.5\r\n1,\r\n"));
  QVERIFY(buffer.isOpen());
  buffer.close();
  QVERIFY(buffer.open(QIODevice::ReadOnly));
  QTest::ignoreMessage(QtWarningMsg, "QIODevice::write (QBuffer): ReadOnly device");
  QVERIFY(!writeCsv(table, buffer));
}

void MapValuesTest::evidenceCsvHoldsWholeTexts() {
  EvidenceRow row{1,
                  7,
                  0.25,
                  3,
                  0.125,
                  QStringLiteral("2, Methods"),
                  QStringLiteral("17–18"),
                  QString(500, QLatin1Char('x')),
                  {10, 20},
                  {},
                  QStringLiteral("A report"),
                  true,
                  false};
  const QByteArray header =
      "rank,score,score_states,score_words,layers,share,document,section,pages,chunk,start,end,use,text\r\n";
  const QByteArray rest = QByteArray("3,0.125,A report,\"2, Methods\",17\xe2\x80\x93") + "18,7,10,20,pinned," +
                          QByteArray(500, 'x') + "\r\n";
  QCOMPARE(evidenceCsv({row}), header + "1,0.25,,," + rest);
  row.parts = ScoreParts{-0.5, 0.75};
  QCOMPARE(evidenceCsv({row}), header + "1,0.25,-0.5,0.75," + rest);
}

void MapValuesTest::evidenceSortsNumbersAsNumbers() {
  EvidenceModel model;
  EvidenceOrder order;
  order.setSourceModel(&model);
  std::vector<EvidenceRow> rows(3);
  const std::vector<double> scores{10, 9, 100};
  for (std::size_t index = 0; index < rows.size(); ++index) {
    rows[index].rank = static_cast<int>(index) + 1;
    rows[index].score = scores[index];
    rows[index].layers = 4;
  }
  model.setRows(rows);
  const auto rankAt = [&order](int row) { return order.index(row, RankColumn).data().toInt(); };
  order.sort(ScoreColumn, Qt::AscendingOrder);
  QCOMPARE((std::vector{rankAt(0), rankAt(1), rankAt(2)}), (std::vector{2, 1, 3}));
  order.sort(LayersColumn, Qt::DescendingOrder);
  QCOMPARE((std::vector{rankAt(0), rankAt(1), rankAt(2)}), (std::vector{1, 2, 3}));
  rows[1].parts = ScoreParts{8, 1};
  rows[2].parts = ScoreParts{-1, 101};
  model.setRows(rows);
  order.sort(StatesColumn, Qt::DescendingOrder);
  QCOMPARE((std::vector{rankAt(0), rankAt(1), rankAt(2)}), (std::vector{2, 3, 1}));
  order.sort(WordsColumn, Qt::DescendingOrder);
  QCOMPARE((std::vector{rankAt(0), rankAt(1), rankAt(2)}), (std::vector{3, 2, 1}));
}

void MapValuesTest::evidenceFilterSearchesTheWholeText() {
  EvidenceModel model;
  EvidenceOrder order;
  order.setSourceModel(&model);
  std::vector<EvidenceRow> rows(2);
  rows[1].text = QString(900, QLatin1Char('x')) + QStringLiteral(" the Needle");
  model.setRows(rows);
  order.setFilterFixedString(QStringLiteral("needle"));
  QCOMPARE(order.rowCount(), 1);
}

void MapValuesTest::sharedPartIsByLengthOfText() {
  const std::vector<TextRange> one{{0, 100}, {50, 150}, {300, 350}}, other{{100, 320}, {7, 7}};
  QCOMPARE(joinedRanges(one), (std::vector<TextRange>{{0, 150}, {300, 350}}));
  QCOMPARE(sharedPart(one, other).value(), 70.0 / 200);
  QCOMPARE(sharedPart(other, one).value(), 70.0 / 220);
  QCOMPARE(sharedPart(one, one).value(), 1.0);
  QVERIFY(!sharedPart({}, one));
}

void MapValuesTest::stripTakesTheHighestValueOfAPixel() {
  const std::vector<StripSpan> spans{{{0, 10}, 1}, {{5, 30}, 3}, {{90, 200}, 2}, {{500, 600}, 9}};
  QCOMPARE(stripValues(spans, 100, 5), (std::vector<double>{3, 3, 0, 0, 2}));
  QCOMPARE(stripValues(spans, 0, 2), (std::vector<double>{0, 0}));
}

}  // namespace kvasir

QTEST_MAIN(kvasir::MapValuesTest)
#include "map_values_test.moc"
