#pragma once

#include <memory>
#include <qpdf/QPDF.hh>
#include <string>

namespace kvasir {

/// What a PDF consists of. bytes: of the file; they must outlive it. Throws std::exception where nothing can be
/// made of them.
std::unique_ptr<QPDF> pdfObjects(const std::string& bytes);

}  // namespace kvasir
