#include "tests/engine/on_trial.h"

namespace kvasir {
namespace {

/// What is left of an answer whose tokens were tried one by one, or several at a time.
struct SaidOnTrial {
  std::vector<std::vector<float>> logits;  ///< after each
  EvidenceMap map;
  std::vector<AnswerLook> looks;
  int attended = 0, tried = 0;
  bool isWatched = false;  ///< by the policy, so that nothing can be taken back
};

SaidOnTrial sayOnTrial(const LoadedModel& model, const Method& method, int budget, const Left& left,
                       bool triesSeveral, int mostUnpacked) {
  const std::vector<TokenId> answer = randomTokens(300, 3), wrong = randomTokens(9, 4);
  EvidenceTap tap(model.shape.layers, model.shape.heads, {{0, 4}});
  TextRun run(model, {method, budget, &tap, [] {}, {}, nullptr, false, left.tokens(), mostUnpacked},
              left.store.get());
  run.cache().adopt(left.chunks);
  run.cache().startTail();
  run.read(randomTokens(100, 2), 512);
  SaidOnTrial said;
  for (std::size_t i = 0; i < answer.size();) {
    const auto most = static_cast<std::size_t>(run.pass().mostOnTrial());
    const std::size_t count = triesSeveral ? std::min({most, 1 + i % 5, answer.size() - i}) : 1;
    const std::size_t right = 1 + i / 7 % count;
    const auto next = answer.begin() + static_cast<std::ptrdiff_t>(i);
    std::vector<TokenId> tokens(next, next + static_cast<std::ptrdiff_t>(right));
    tokens.insert(tokens.end(), wrong.begin(), wrong.begin() + static_cast<std::ptrdiff_t>(count - right));
    const std::span<const float> logits = run.pass().tryTokens(tokens);
    const std::size_t each = logits.size() / count;
    for (std::size_t row = 0; row < right; ++row) {
      const std::span<const float> own = logits.subspan(row * each, each);
      said.logits.emplace_back(own.begin(), own.end());
    }
    run.pass().accept(static_cast<int>(right));
    said.tried += static_cast<int>(count);
    i += right;
  }
  said.map = tap.map(run.cache().chunks());
  said.looks = tap.looks(run.cache().chunks());
  said.attended = run.pass().attendedTokens();
  said.isWatched = run.policy().needs().observedTokens > 0;
  return said;
}

}  // namespace

void expectTheSameOnTrial(const LoadedModel& model, const Method& method, int budget, int mostUnpacked) {
  const Left left = readMethod(model, method, budget, randomTokens(1500, 1), 512);
  const SaidOnTrial one = sayOnTrial(model, method, budget, left, false, mostUnpacked),
                    several = sayOnTrial(model, method, budget, left, true, mostUnpacked);
  EXPECT_GT(several.tried, several.isWatched ? 299 : 400);
  EXPECT_EQ(several.logits, one.logits);
  EXPECT_EQ(several.attended, one.attended);
  EXPECT_EQ(several.map.attended, one.map.attended);
  EXPECT_EQ(several.map.headMass, one.map.headMass);
  ASSERT_EQ(several.looks.size(), one.looks.size());
  for (std::size_t look = 0; look < one.looks.size(); ++look) {
    const auto &shares = several.looks[look].shares, &expected = one.looks[look].shares;
    ASSERT_EQ(shares.size(), expected.size()) << look;
    for (std::size_t i = 0; i < shares.size(); ++i) EXPECT_EQ(shares[i].mass, expected[i].mass);
  }
}

}  // namespace kvasir
