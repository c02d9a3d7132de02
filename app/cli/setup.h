#pragma once

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
/// Throws a sentence when a method of the arguments cannot have one of their budgets with this model: for
/// commands that would come to it late.
void checkBudgets(const Engine& engine, const Arguments& arguments);

/// What questions are asked with, side by side: every method of the arguments at every budget.
struct MethodAtBudget {
  std::string method;
  int budgetTokens = 0;
  std::string name;  ///< for people; the budget in it where there are several
};
std::vector<MethodAtBudget> methodsAtBudgets(const Arguments& arguments);

std::unique_ptr<Engine> loadEngine(const Arguments& arguments, Console& console);

ReadSettings readSettingsOf(const Arguments& arguments);

/// The settings of the reading that a question with these arguments needs.
ReadSettings readSettingsFor(const Engine& engine, const Arguments& arguments);

/// All bytes of a file; throws a sentence.
std::string contentsOf(const std::filesystem::path& file);
/// What a file says: a text byte for byte, a document of another format as it is imported. Throws as these do.
std::string textOf(const std::filesystem::path& file);

}  // namespace kvasir
