#pragma once

#include "app/sqlite.h"

namespace kvasir {

/// Brings the library's tables to the newest version, step by step; throws for a library of a later program.
void migrateLibrary(Database& database);

}  // namespace kvasir
