#pragma once

#include "ui/panels/exchange.h"

namespace kvasir {

/// Whether the answer is none: the model says that the document holds none, or what it says is not in the
/// passages that were found.
bool isNotInDocument(const Exchange& exchange);

/// What is to be known of an answer beside its text: stopped, cut, from a document that was half read, not in
/// the document. Sentences; empty where there is nothing to say.
QString answerNotice(const Exchange& exchange);

}  // namespace kvasir
