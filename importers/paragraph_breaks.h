#pragma once

#include "importers/page_layout.h"

namespace kvasir {

/// What stands between two successive lines of the text.
enum class LineBreak { None, Line, Paragraph };

/// What the decision needs to know beyond the two lines.
struct LineContext {
  bool samePage = true;
  int linesInParagraph = 1;  ///< up to and with the first of the two
};

/// The next line's first word would have had room: the line was ended on purpose.
bool endsEarly(const TextLine& line, const TextLine& next);

LineBreak breakBetween(const TextLine& line, const TextLine& next, const LineContext& context);

/// Whether a paragraph that fills lines can end so: "." and the like, perhaps in quotes or brackets.
bool endsSentence(const TextLine& line);

}  // namespace kvasir
