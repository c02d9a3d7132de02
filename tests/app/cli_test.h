#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/run.h"
#include "tests/app/fake_engine.h"
#include "tests/app/scratch.h"

namespace kvasir {

using Json = nlohmann::json;

inline const std::string kBook =
    "# The lighthouse\n\nThe keeper climbed the stair every night.\n\nThe lamp burned whale oil until 1846, "
    "and then "
    "kerosene.\n\n# The harbour\n\nShips came for salt and left with herring and timber.\n";

/// Runs the whole program, but for main, over the stand-in engine.
struct CliTest : testing::Test {
  Scratch scratch;
  std::ostringstream out, err;
  std::string library = (scratch.folder() / "library").string();
  std::string model = scratch.write("model.gguf", "").string();
  std::string book = scratch.write("lighthouse.md", kBook).string();

  CliTest() { fakeEngine() = {}; }

  int run(std::vector<std::string> words) {
    out.str(""), err.str("");
    for (const std::string& word : {std::string("--library"), library, std::string("--model"), model})
      words.push_back(word);
    return runCli(std::move(words), out, err);
  }
  Json json(std::vector<std::string> words) {
    words.push_back("--json");
    EXPECT_EQ(run(std::move(words)), 0) << err.str();
    return Json::parse(out.str());
  }
};

}  // namespace kvasir
