#pragma once

#include <optional>
#include <string>

#include "ui/panels/exchange.h"

namespace kvasir {

/// An exchange as JSON, without number, maps and chunks.
std::string bodyOf(const Exchange& exchange);
/// Nothing where the text is not such a JSON.
std::optional<Exchange> parseBody(const std::string& body);

/// Maps and chunks, compressed. Heads and looks are left out: they are large, and Engine::retrace makes them
/// again.
std::string packMaps(const Exchange& exchange);
/// Leaves the exchange without maps where the bytes are damaged.
void unpackMaps(const std::string& packed, Exchange& exchange);

}  // namespace kvasir
