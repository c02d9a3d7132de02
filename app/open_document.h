#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/library.h"
#include "engine/engine.h"

namespace kvasir {

/// A document of the library, ready to be read and asked.
struct OpenDocument {
  DocumentRecord record;
  Document document;         ///< without words and boxes
  double importSeconds = 0;  ///< of this call: 0 when it was in the library
};

/// `name` is a file, or the id of a document or its beginning. A file that the library has as it is now is not
/// imported again, and a known file that is gone is taken from the library.
OpenDocument openDocument(Library& library, const std::string& name, Listener& listener);

/// The same document, of which nothing new is kept: a file is imported as it is now, and a library is looked
/// into only for what is no file.
Document readDocument(const std::filesystem::path& library, const std::string& name, Listener& listener);

/// A document as the engine's model reads it, whole.
struct OpenReading {
  std::shared_ptr<const Reading> reading;
  double seconds = 0;  ///< of reading in this call: 0 when it had been read
};

/// Opens the document's reading for these settings; reads it first, or on from where it was stopped, when it is
/// not complete. Stopped by the listener, it keeps what was read.
OpenReading openReading(Engine& engine, Library& library, const OpenDocument& document,
                        const ReadSettings& settings, Listener& listener);

/// Opens what has been read of it. Of a document of which nothing was read, the first step is read now.
OpenReading openBeginning(Engine& engine, Library& library, const OpenDocument& document,
                          const ReadSettings& settings, Listener& listener);

}  // namespace kvasir
