#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kvasir {

/// Where documents are kept unless said otherwise: the user's data folder of the system, kvasir/library.
std::filesystem::path defaultLibraryFolder();

/// The folder the running program lies in, links followed.
std::filesystem::path programFolder();

/// Folders that may hold what a program in folder `program` was installed with (its models, retrievers and
/// sample, a folder each), in the order they are searched: beside it, a bundle's resources (macOS),
/// share/kvasir of its prefix. All hang on the program's own place, so an installation can be moved whole.
std::vector<std::filesystem::path> installedFolders(const std::filesystem::path& program);

/// Folders that may hold model files, in the order they are searched: the cache, then what was installed.
std::vector<std::filesystem::path> modelFolders(const std::filesystem::path& program = programFolder());

/// Folders that may hold what `kvasir-cli train` made, in the order they are searched: the variable
/// KVASIR_RETRIEVERS, the user's data folder (where it is written unless said otherwise), what was installed,
/// the sources the program was built from.
std::vector<std::filesystem::path> retrieverFolders(const std::filesystem::path& program = programFolder());

/// Folders that may hold libraries of kernels for devices (kvasir_kernels_cuda), in the order they are
/// searched: beside the program, lib/kvasir of its prefix.
std::vector<std::filesystem::path> backendFolders(const std::filesystem::path& program = programFolder());

/// The folder of poppler's encoding tables, if the program was installed with its own.
std::optional<std::filesystem::path> encodingTables(const std::filesystem::path& program = programFolder());

/// The model to use: `given` (--model) if not empty, else the variable KVASIR_MODEL, else the default model in
/// one of the folders. Throws a sentence that says where it looked.
std::filesystem::path findModel(const std::filesystem::path& given,
                                const std::vector<std::filesystem::path>& folders);

}  // namespace kvasir
