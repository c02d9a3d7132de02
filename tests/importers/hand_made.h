#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <zip.h>

/// Small files made in the tests, so that each shows one thing and belongs to nobody.
namespace kvasir {

/// A folder of its own for a test, gone afterwards.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("kvasir_importers_" + name + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A PDF of numbered objects, given from 1; the first is the catalogue. The cross-reference table is right.
inline std::string pdfOf(const std::vector<std::string>& objects) {
  std::string pdf = "%PDF-1.4\n";
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    places.push_back(pdf.size());
    pdf += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::size_t table = pdf.size();
  pdf += "xref\n0 " + std::to_string(objects.size() + 1) + "\n0000000000 65535 f \n";
  for (const std::size_t place : places) {
    std::string digits = std::to_string(place);
    pdf += std::string(10 - digits.size(), '0') + digits + " 00000 n \n";
  }
  return pdf + "trailer\n<< /Size " + std::to_string(objects.size() + 1) + " /Root 1 0 R >>\nstartxref\n" +
         std::to_string(table) + "\n%%EOF\n";
}

inline std::string streamOf(const std::string& content) {
  return "<< /Length " + std::to_string(content.size()) + " >>\nstream\n" + content + "\nendstream";
}

/// A line of Helvetica: left and baseline from the bottom, in points.
struct PdfLine {
  int left = 72, bottom = 700;
  std::string text;
  int size = 11;
};

/// Letter pages with these lines. `page` is added to each page's dictionary, `catalogue` to the catalogue;
/// objects named there follow the pages: number 4 + 2 * pages.size() is the first of `more`; page i is number 4
/// + 2 * i.
inline std::string pdfWithLines(const std::vector<std::vector<PdfLine>>& pages, const std::string& page = "",
                                const std::string& catalogue = "", const std::vector<std::string>& more = {}) {
  std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R " + catalogue + " >>", "",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"};
  std::string kids;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    kids += std::to_string(4 + 2 * i) + " 0 R ";
    std::string content = "BT\n";
    for (const PdfLine& line : pages[i]) {
      content += "/F1 " + std::to_string(line.size) + " Tf 1 0 0 1 " + std::to_string(line.left) + " " +
                 std::to_string(line.bottom) + " Tm (" + line.text + ") Tj\n";
    }
    objects.push_back("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents " +
                      std::to_string(5 + 2 * i) + " 0 R /Resources << /Font << /F1 3 0 R >> >> " + page +
                      " >>");
    objects.push_back(streamOf(content + "ET"));
  }
  objects[1] = "<< /Type /Pages /Count " + std::to_string(pages.size()) + " /Kids [" + kids + "] >>";
  objects.insert(objects.end(), more.begin(), more.end());
  return pdfOf(objects);
}

/// A form XObject. Resources without their brackets.
inline std::string formOf(const std::string& content, const std::string& resources) {
  return "<< /Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << " + resources + " >> /Length " +
         std::to_string(content.size()) + " >>\nstream\n" + content + "\nendstream";
}

/// One page, object 3, that draws by these resources. `more` are the objects from 5 on; `page` is added to the
/// page's dictionary.
inline std::string pdfThatDraws(const std::string& content, const std::string& resources,
                                const std::vector<std::string>& more, const std::string& page = "") {
  std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << " + resources +
          " >> " + page + " >>",
      streamOf(content)};
  objects.insert(objects.end(), more.begin(), more.end());
  return pdfOf(objects);
}

/// A page and so many forms with this content, but for the last; by the name /F each has the next.
inline std::string pdfOfFormsInForms(int deep, const std::string& content) {
  std::vector<std::string> forms;
  for (int i = 0; i + 1 < deep; ++i)
    forms.push_back(formOf(content, "/XObject << /F " + std::to_string(6 + i) + " 0 R >>"));
  forms.push_back(formOf("q Q", ""));
  return pdfThatDraws(content, "/XObject << /F 5 0 R >>", forms);
}

/// A zip file with these entries, in order.
inline std::filesystem::path writeZip(const Folder& folder, const std::string& name,
                                      const std::vector<std::pair<std::string, std::string>>& entries) {
  const std::filesystem::path file = folder.path() / name;
  int error = 0;
  zip_t* zip = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const auto& [path, bytes] : entries) {
    zip_source_t* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(zip, path.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (path == "mimetype") zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  }
  zip_close(zip);
  return file;
}

using Entries = std::vector<std::pair<std::string, std::string>>;

/// The files of an EPUB book whose spine is `parts` (path within OPS, XHTML body). `more` are added as they
/// are.
inline Entries epubEntries(const Entries& parts, const std::string& manifest = "", const Entries& more = {}) {
  std::string items = manifest, spine;
  Entries entries = {
      {"mimetype", "application/epub+zip"},
      {"META-INF/container.xml",
       "<container xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\"><rootfiles><rootfile "
       "full-path=\"OPS/book.opf\"/></rootfiles></container>"}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string id = "part" + std::to_string(i);
    items += "<item id=\"" + id + "\" href=\"" + parts[i].first + "\" media-type=\"application/xhtml+xml\"/>";
    spine += "<itemref idref=\"" + id + "\"/>";
    if (parts[i].second.empty()) continue;  // named, but missing
    entries.emplace_back("OPS/" + parts[i].first,
                         "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\" "
                         "xmlns:epub=\"http://www.idpf.org/2007/ops\"><head><title/></head><body>" +
                             parts[i].second + "</body></html>");
  }
  entries.emplace_back(
      "OPS/book.opf",
      "<package xmlns=\"http://www.idpf.org/2007/opf\"><metadata "
      "xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>A Book</dc:title><dc:language>en-GB"
      "</dc:language></metadata><manifest>" +
          items + "</manifest><spine>" + spine + "</spine></package>");
  entries.insert(entries.end(), more.begin(), more.end());
  return entries;
}

}  // namespace kvasir
