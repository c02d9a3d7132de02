#pragma once

#include <string>
#include <vector>

#include "importers/pdf_headings.h"

namespace kvasir {

/// What a PDF says of itself that poppler-cpp does not give.
struct PdfCatalogue {
  std::vector<Heading> outline;  ///< in order
  std::string language;          ///< /Lang as written, empty when there is none
};

/// bytes: of the file. What is damaged is left out.
PdfCatalogue catalogueOf(const std::string& bytes);

/// By page, whether it has a picture. Nothing of a file that is too damaged to tell.
std::vector<bool> pagesWithPictures(const std::string& bytes);

}  // namespace kvasir
