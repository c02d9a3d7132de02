#include "engine/model/sentences.h"

#include <memory>
#include <stdexcept>

#include <unicode/brkiter.h>
#include <unicode/utext.h>

namespace kvasir {

std::vector<std::size_t> sentenceStarts(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), status));
  UText* view = utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status);
  if (U_SUCCESS(status)) breaks->setText(view, status);
  std::vector<std::size_t> starts;
  if (U_SUCCESS(status))
    for (int32_t at = breaks->first(); at != icu::BreakIterator::DONE; at = breaks->next())
      starts.push_back(static_cast<std::size_t>(at));
  utext_close(view);
  if (U_FAILURE(status)) throw std::runtime_error("The sentence boundaries of ICU could not be loaded.");
  return starts;
}

}  // namespace kvasir
