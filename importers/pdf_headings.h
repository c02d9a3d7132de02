#pragma once

#include <string>
#include <vector>

#include "importers/document.h"
#include "importers/page_text.h"

namespace kvasir {

/// A heading known by its title only: poppler's interface does not give an outline's targets.
struct Heading {
  std::string title;
  int level = 1;
};

/// Finds the headings of an outline in the text, in order; those not found are put where the next found one
/// begins. Empty when hardly any is found.
std::vector<Section> locateHeadings(const std::vector<Heading>& headings, const Document& document,
                                    const std::vector<LinePlace>& lines);

/// For documents without an outline: lines clearly larger than the body.
std::vector<Section> headingsBySize(const Document& document, const std::vector<LinePlace>& lines);

/// The largest lines of the first page; empty when none is larger than the body.
std::string titleBySize(const Document& document, const std::vector<LinePlace>& lines);

}  // namespace kvasir
