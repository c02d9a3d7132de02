#pragma once

#include <algorithm>
#include <string>

#include "importers/document.h"

/// Pages of words of five letters and a space, in lines of ten, each character with its box.
inline kvasir::Document sampleDocument(int pages, int wordsOfPage = 40) {
  using namespace kvasir;
  Document document;
  document.title = "Sample";
  document.language = "en";
  document.format = "pdf";
  for (int p = 0; p < pages; ++p) {
    Page page;
    page.label = p < 2 ? (p == 0 ? "i" : "ii") : std::to_string(p - 1);
    page.width = 595.276F;
    page.height = 841.89F;
    page.start = document.text.size();
    for (int w = 0; w < wordsOfPage; ++w) {
      Word word;
      word.page = p;
      word.start = document.text.size();
      document.text += std::string(1, static_cast<char>('a' + p % 26)) + std::to_string(1000 + w);
      word.end = document.text.size();
      document.text += w % 10 == 9 ? "\n" : " ";
      const float left = 72.013F + static_cast<float>(w % 10) * 33.337F;
      const float top = 80.021F + static_cast<float>(w / 10) * 14.143F;
      for (int c = 0; c < 5; ++c) {
        const float x = left + static_cast<float>(c) * 5.511F;
        word.characters.push_back({x, top, x + 5.273F, top + 11.117F});
      }
      word.box = {left, top, left + 27.553F, top + 11.117F};
      document.words.push_back(word);
    }
    page.end = document.text.size();
    document.pages.push_back(page);
  }
  document.sections = {{"Preface", 1, 0},
                       {"Part one", 1, document.text.size() / 2},
                       {"Chapter 1", 2, document.text.size() / 2 + 10}};
  return document;
}
