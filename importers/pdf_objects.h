#pragma once

#include <memory>
#include <string>

class QPDF;

namespace kvasir {

/// What a PDF consists of; a PDF without pages where nothing can be made of the file. bytes: of the file; they
/// must outlive what is returned.
std::shared_ptr<QPDF> pdfObjects(const std::string& bytes);

}  // namespace kvasir
