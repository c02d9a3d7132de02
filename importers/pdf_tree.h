#pragma once

#include <qpdf/QPDFObjectHandle.hh>
#include <vector>

namespace kvasir {

struct TreeLeaf {
  QPDFObjectHandle node;       ///< a dictionary
  QPDFObjectHandle resources;  ///< its own or else those of the nearest node above that has some
};

/// The ends of a tree of pages or of names, in order. A damaged tree can refer to itself and be as deep as the
/// file has objects: every node above the ends is entered once, and none by recursion, as qpdf's own walks do.
std::vector<TreeLeaf> leavesOf(QPDFObjectHandle root);

}  // namespace kvasir
