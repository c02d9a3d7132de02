#pragma once

#include <gumbo.h>

#include <string>

/// What elements of HTML are to a reader.
namespace kvasir {

/// A paragraph of its own.
bool isBlock(GumboTag tag);
/// A line of a list or a table.
bool isLine(GumboTag tag);
/// Not read: scripts, readings over characters (ruby), page breaks, tables of contents.
bool isSkipped(const GumboElement& element);
/// 1 to 6, 0 for what is no heading.
int headingLevel(GumboTag tag);

bool isFootnote(const GumboElement& element);
bool isNoteReference(const GumboElement& element);
/// To a place of a file, as to a note.
bool isFragmentLink(const GumboElement& element);

/// Empty when the element has none of this name.
std::string attribute(const GumboElement& element, const char* name);

}  // namespace kvasir
