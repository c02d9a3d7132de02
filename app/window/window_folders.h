#pragma once

#include <filesystem>

#include <QString>

namespace kvasir {

/// Where the window keeps things.
struct WindowFolders {
  std::filesystem::path library;  ///< documents, readings and conversations
  QString config;                 ///< preferences
  QString logs;
};

/// The system's folders for them, or all within `dataFolder` where it is not empty.
WindowFolders windowFolders(const QString& dataFolder);

/// The sample document, or an empty path where the program was installed without it.
QString sampleFile();
/// The question that goes with it.
QString sampleQuestion();

}  // namespace kvasir
