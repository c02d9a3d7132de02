#include "importers/pdf_objects.h"

#include <qpdf/QPDF.hh>
#include <qpdf/QPDFLogger.hh>

namespace kvasir {
namespace {

std::shared_ptr<QPDF> silentPdf() {
  std::shared_ptr<QPDF> pdf = QPDF::create();
  const std::shared_ptr<QPDFLogger> silent = QPDFLogger::create();
  silent->setError(silent->discard());
  silent->setWarn(silent->discard());
  pdf->setLogger(silent);
  return pdf;
}

}  // namespace

std::shared_ptr<QPDF> pdfObjects(const std::string& bytes) {
  try {
    std::shared_ptr<QPDF> pdf = silentPdf();
    pdf->processMemoryFile("", bytes.data(), bytes.size());
    return pdf;
  } catch (const std::exception&) {
    std::shared_ptr<QPDF> none = silentPdf();
    none->emptyPDF();
    return none;
  }
}

}  // namespace kvasir
