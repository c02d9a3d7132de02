#include "engine/foresight.h"

#include "engine/generation.h"

namespace kvasir {

void readInRows(TextRun& run, std::span<const TokenId> tokens, int stepTokens,
                const std::function<void(std::size_t at, std::span<const float> logits)>& hear) {
  constexpr std::int64_t kRows = 256;  // whose whole vocabulary is held at once
  const auto step = static_cast<std::size_t>(std::max(1, stepTokens / kChunkTokens) * kChunkTokens);
  for (std::size_t first = 0; first < tokens.size(); first += step) {
    const std::span<const TokenId> now = tokens.subspan(first, std::min(step, tokens.size() - first));
    const int firstChunk = run.cache().chunks();
    for (std::size_t at = 0; at < now.size(); at += kChunkTokens)
      run.cache().open(static_cast<int>(std::min<std::size_t>(kChunkTokens, now.size() - at)));
    const at::Tensor hidden = run.pass().read(now, firstChunk, Outputs::All);
    for (std::int64_t from = 0; from < hidden.size(0); from += kRows) {
      const at::Tensor logits =
          run.pass().logits(hidden.narrow(0, from, std::min(kRows, hidden.size(0) - from))).contiguous();
      const auto width = static_cast<std::size_t>(logits.size(1));
      for (std::int64_t row = 0; row < logits.size(0); ++row)
        hear(first + static_cast<std::size_t>(from + row),
             std::span(logits.const_data_ptr<float>() + row * logits.size(1), width));
    }
  }
}

std::vector<std::optional<double>> foresee(const LoadedModel& model, std::string_view text,
                                           const ReadSettings& settings, const TextStretch& stretch,
                                           Listener& listener) {
  const Method& method = findMethod(settings.method);
  if (readsPassages(method))
    throw std::runtime_error("The method " + settings.method +
                             " reads passages for a question and no text as a whole; choose another.");
  std::vector<TokenId> all = plainTokens(model, text);
  if (stretch.tokens > 0) all.resize(std::min(all.size(), static_cast<std::size_t>(stretch.tokens)));
  const std::size_t window = stretch.windowTokens > 0 ? static_cast<std::size_t>(stretch.windowTokens)
                                                      : std::max<std::size_t>(1, all.size());
  const auto beginning = model.tokenizer->vocabulary().beginning;
  std::vector<std::optional<double>> foreseen(all.size());
  const auto started = Clock::now();
  for (std::size_t first = 0; first < all.size(); first += window) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<TokenId> tokens(from, from + static_cast<std::ptrdiff_t>(std::min(window, all.size() - first)));
    if (beginning) tokens.insert(tokens.begin(), *beginning);
    std::size_t done = 0;
    const auto breathe = [&] {
      const auto read = static_cast<double>(first + done);
      listener.progress({Stage::Reading, static_cast<std::int64_t>(first + done),
                         static_cast<std::int64_t>(all.size()), read / std::max(1e-3, secondsSince(started))});
    };
    TextRun run(
        model,
        {method, settings.budgetTokens, nullptr, breathe, {}, nullptr, false, static_cast<int>(tokens.size())});
    readInRows(run, tokens, settings.stepTokens, [&](std::size_t at, std::span<const float> logits) {
      done = at + 1;
      if (at + 1 < tokens.size())
        foreseen[first + at + (beginning ? 0 : 1)] = logProbability(logits, tokens[at + 1]);
    });
  }
  return foreseen;
}

}  // namespace kvasir
