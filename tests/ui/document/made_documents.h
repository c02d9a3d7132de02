#pragma once

#include <QString>
#include <memory>

#include "importers/document.h"

/// Documents for the tests of the document view.
namespace kvasir {

QString sampleFile();
std::shared_ptr<const Document> sampleDocument();  ///< imported once

/// A file of the shared documents beside this checkout; empty when they are not there.
QString sharedFile(const QString& name);

/// The sample's pages over and over.
std::shared_ptr<const Document> repeatedSample(int pages);
/// A PDF of this many pages with forty lines of text each, in the sample's size.
void writePdf(const QString& file, int pages);

/// Chapters of paragraphs, without pages.
std::shared_ptr<const Document> madeBook(int chapters, int paragraphs);

/// One page of 600 by 800 points with these words, their characters of one width.
Document madePage(const std::vector<std::pair<std::string, Box>>& words);

}  // namespace kvasir
