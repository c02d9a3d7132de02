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

/// Folders that may hold what `kvasir-cli train` made, in the order they are searched: the variable
/// KVASIR_RETRIEVERS, the user's data folder (where it is written unless said otherwise), the installed share
/// folder, beside the program, the sources the program was built from.
std::vector<std::filesystem::path> retrieverFolders();

/// The model to use: `given` (--model) if not empty, else the variable KVASIR_MODEL, else the default model in
/// one of the folders. Throws a sentence that says where it looked.
std::filesystem::path findModel(const std::filesystem::path& given,
                                const std::vector<std::filesystem::path>& folders);

}  // namespace kvasir
