#include "importers/pdf_tree.h"

#include <set>

namespace kvasir {

std::vector<TreeLeaf> leavesOf(QPDFObjectHandle root) {
  std::vector<TreeLeaf> leaves, ahead = {{root, QPDFObjectHandle::newNull()}};
  std::set<QPDFObjGen> entered;
  const auto isEntered = [&](const QPDFObjectHandle& object) {
    return object.isIndirect() && !entered.insert(object.getObjGen()).second;
  };
  while (!ahead.empty()) {
    TreeLeaf at = ahead.back();
    ahead.pop_back();
    if (!at.node.isDictionary()) continue;
    QPDFObjectHandle resources = at.node.getKey("/Resources"), kids = at.node.getKey("/Kids");
    if (resources.isDictionary()) at.resources = resources;
    const bool hasNamesAlone = at.node.hasKey("/Names") && kids.isArray() && kids.getArrayNItems() == 0;
    if (!kids.isArray() || hasNamesAlone || at.node.isDictionaryOfType("/Page")) {
      leaves.push_back(at);
      continue;
    }
    if (isEntered(at.node) || isEntered(kids)) continue;
    for (int i = kids.getArrayNItems(); i-- > 0;) ahead.push_back({kids.getArrayItem(i), at.resources});
  }
  return leaves;
}

}  // namespace kvasir
