#pragma once

#include <string>

namespace kvasir {

/// Whether a method heeds AskSettings::pinnedChunks and blockedChunks. Not where what it sees was settled when
/// the document was read: the recent tokens, beacons, or what was picked without a question.
bool takesWishes(const std::string& method);

}  // namespace kvasir
