#pragma once

#include <string>
#include <vector>

#include "importers/pdf_headings.h"

class QPDF;

namespace kvasir {

constexpr std::size_t kMostMetadataBytes = std::size_t{1} << 22;

/// What a PDF says of itself that poppler-cpp does not give, or not as it is written.
struct PdfCatalogue {
  std::vector<Heading> outline;  ///< in order
  std::string language;          ///< /Lang as written, empty when there is none
  std::string metadata;          ///< the first kMostMetadataBytes of the XMP, empty when there is none
};

/// What is damaged is left out.
PdfCatalogue catalogueOf(QPDF& pdf);

/// By page, whether it has a picture. Nothing of a file that is too damaged to tell.
std::vector<bool> pagesWithPictures(QPDF& pdf);

}  // namespace kvasir
