#pragma once

#include <optional>
#include <string>
#include <vector>

#include "importers/document.h"
#include "importers/page_text.h"

namespace kvasir {

/// An entry of an outline, and the place it points to where it points into the document.
struct Heading {
  struct Target {
    std::size_t page = 0;            ///< index
    std::optional<float> left, top;  ///< points from the top left corner of the upright page
  };
  std::string title;
  int level = 1;
  std::optional<Target> target;
};

/// Finds the headings of an outline in the text, in order. Those that are no line of it begin at the first line
/// that is at their target or below it, or where their first sub-heading begins; those with neither are left
/// out. Empty when hardly any has a place. lines: of the document, in order.
std::vector<Section> locateHeadings(const std::vector<Heading>& headings, const Document& document,
                                    const std::vector<LinePlace>& lines);

/// For documents without an outline: lines clearly larger than the body.
std::vector<Section> headingsBySize(const Document& document, const std::vector<LinePlace>& lines);

/// The largest lines of the first page; empty when none is larger than the body.
std::string titleBySize(const Document& document, const std::vector<LinePlace>& lines);

}  // namespace kvasir
