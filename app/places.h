#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kvasir {

/// Where documents are kept unless said otherwise: the user's data folder of the system, kvasir/library.
std::filesystem::path defaultLibraryFolder();

/// Folders that may hold model files, in the order they are searched: the cache, beside the program, the
/// installed share folder.
std::vector<std::filesystem::path> modelFolders();

/// The model to use: `given` (--model) if not empty, else the variable KVASIR_MODEL, else the default model in
/// one of the folders. Throws a sentence that says where it looked.
std::filesystem::path findModel(const std::filesystem::path& given,
                                const std::vector<std::filesystem::path>& folders);

}  // namespace kvasir
