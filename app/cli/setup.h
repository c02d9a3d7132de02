#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/arguments.h"
#include "app/cli/console.h"
#include "engine/engine.h"

namespace kvasir {

/// Throws UsageError for a question without a letter.
void checkQuestion(const std::string& question);
/// Throws UsageError when the table has no such method; told before a model is loaded.
void checkMethod(const std::string& name);
/// Throws a sentence when a method of the arguments is of no use with this model, or not at one of their
/// budgets (Engine::requireUse): for commands that would come to it late.
void checkMethods(const Engine& engine, const Arguments& arguments, MethodUse use);

/// What questions are asked with, side by side: every method of the arguments at every budget.
struct MethodAtBudget {
  std::string method;
  int budgetTokens = 0;
  std::string name;  ///< for people; the budget in it where there are several
};
std::vector<MethodAtBudget> methodsAtBudgets(const Arguments& arguments);
/// What the arguments say of asking, by this one of them.
AskSettings askSettingsOf(const Arguments& arguments, const MethodAtBudget& way);

/// Of readings that are to be made in turn, places of those that spare one before them a dense one of its own
/// (Engine::denseKey): made first, each text is read densely once.
std::vector<std::size_t> readingsToMakeFirst(const Engine& engine, const std::vector<ReadSettings>& readings);

std::unique_ptr<Engine> loadEngine(const Arguments& arguments, Console& console);

ReadSettings readSettingsOf(const Arguments& arguments);

/// The settings of the reading that a question with these arguments needs.
ReadSettings readSettingsFor(const Engine& engine, const AskSettings& asking, int stepTokens);
ReadSettings readSettingsFor(const Engine& engine, const Arguments& arguments);

/// All bytes of a file; throws a sentence.
std::string contentsOf(const std::filesystem::path& file);
/// What a file says: a text byte for byte, a document of another format as it is imported. Throws as these do.
std::string textOf(const std::filesystem::path& file);

}  // namespace kvasir
