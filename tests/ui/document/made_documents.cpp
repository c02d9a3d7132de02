#include "tests/ui/document/made_documents.h"

#include <QFileInfo>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>

#include "importers/importer.h"

namespace kvasir {

QString sampleFile() { return QStringLiteral(KVASIR_SOURCE "/resources/sample/opm_report_2014.pdf"); }

std::shared_ptr<const Document> sampleDocument() {
  static const auto document = std::make_shared<const Document>(importFile(sampleFile().toStdString()));
  return document;
}

QString sharedFile(const QString& name) {
  const QFileInfo file(QStringLiteral(KVASIR_SOURCE "/../shared/data/docs/") + name);
  return file.isFile() ? file.absoluteFilePath() : QString();
}

std::shared_ptr<const Document> repeatedSample(int pages) {
  const Document& sample = *sampleDocument();
  auto document = std::make_shared<Document>();
  document->title = "Repeated";
  document->format = "pdf";
  const int count = static_cast<int>(sample.pages.size());
  for (int first = 0; first < pages; first += count) {
    const std::size_t shift = document->text.size();
    document->text += sample.text + "\n\n";
    for (Page page : sample.pages) {
      page.label = std::to_string(document->pages.size() + 1);
      page.start += shift;
      page.end += shift;
      document->pages.push_back(page);
    }
    for (Word word : sample.words) {
      word.start += shift;
      word.end += shift;
      word.page += first;
      document->words.push_back(std::move(word));
    }
    for (Section section : sample.sections) {
      section.start += shift;
      document->sections.push_back(section);
    }
  }
  return document;
}

void writePdf(const QString& file, int pages) {
  QPdfWriter writer(file);
  const Page& size = sampleDocument()->pages.front();
  writer.setPageSize(QPageSize(QSizeF(size.width, size.height), QPageSize::Point));
  writer.setPageMargins(QMarginsF());
  writer.setResolution(72);
  QPainter painter(&writer);
  painter.setFont(QFont(QStringLiteral("DejaVu Sans"), 10));
  for (int page = 0; page < pages; ++page) {
    if (page > 0) writer.newPage();
    for (int line = 0; line < 40; ++line) {
      painter.drawText(QPointF(72, 72 + 16 * line),
                       QStringLiteral("Page %1, line %2: what was planned, done and found in the year")
                           .arg(page + 1)
                           .arg(line + 1));
    }
  }
}

std::shared_ptr<const Document> madeBook(int chapters, int paragraphs) {
  auto document = std::make_shared<Document>();
  document->title = "A Book";
  document->format = "epub";
  for (int chapter = 1; chapter <= chapters; ++chapter) {
    const std::string title = "Chapter " + std::to_string(chapter);
    document->sections.push_back({title, 1, document->text.size()});
    document->text += title + "\n\n";
    for (int paragraph = 1; paragraph <= paragraphs; ++paragraph) {
      document->text +=
          "Paragraph " + std::to_string(paragraph) + " of " + title +
          " tells of a naïve traveller who came over the hills in winter, asked many questions of "
          "everyone he met, and wrote all their answers down in a book that nobody was to read.\n\n";
    }
  }
  return document;
}

Document madePage(const std::vector<std::pair<std::string, Box>>& words) {
  Document document;
  document.pages.push_back({"1", 600, 800, 0, 0});
  for (const auto& [text, box] : words) {
    if (!document.text.empty()) document.text += ' ';
    Word word{document.text.size(), document.text.size() + text.size(), 0, box, {}};
    const float step = (box.right - box.left) / static_cast<float>(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const float left = box.left + step * static_cast<float>(i);
      word.characters.push_back({left, box.top, left + step, box.bottom});
    }
    document.text += text;
    document.words.push_back(word);
  }
  document.pages.front().end = document.text.size();
  return document;
}

}  // namespace kvasir
