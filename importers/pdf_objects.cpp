#include "importers/pdf_objects.h"

#include <qpdf/QPDFLogger.hh>

namespace kvasir {

std::unique_ptr<QPDF> pdfObjects(const std::string& bytes) {
  auto pdf = std::make_unique<QPDF>();
  const std::shared_ptr<QPDFLogger> silent = QPDFLogger::create();
  silent->setError(silent->discard());
  silent->setWarn(silent->discard());
  pdf->setLogger(silent);
  pdf->processMemoryFile("", bytes.data(), bytes.size());
  return pdf;
}

}  // namespace kvasir
