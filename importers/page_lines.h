#pragma once

#include <vector>

#include "importers/page_columns.h"

namespace kvasir {

/// One row as a line: spaces found from the gaps, right-to-left text put into logical order, ligatures and
/// presentation forms resolved, characters composed (NFC). A soft hyphen stays only as the line's last
/// character. No words when nothing readable is left. The boxes of the words' glyphs remain those of the
/// upright page.
TextLine lineOf(const Row& row, bool pageReadsFromTheRight);

}  // namespace kvasir
