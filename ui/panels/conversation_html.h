#pragma once

#include <QPalette>
#include <QString>
#include <vector>

#include "ui/panels/exchange.h"

namespace kvasir {

/// A link of the conversation: "mark:12:1:0" is exchange 12, evidence of rank 1, sentence 0.
struct ConversationLink {
  enum class Kind { None, Mark, Again, Edit, Show };
  Kind kind = Kind::None;
  qint64 exchange = 0;
  int rank = 0, sentence = 0;
};
ConversationLink parseLink(const QString& link);

/// An exchange with marks behind its sentences; `isShown`: its evidence is what the other panels show.
QString htmlOf(const Exchange& exchange, bool isShown, const QPalette& palette);

/// A question that is being answered, with an empty paragraph at the end for the answer.
QString htmlOfPending(const QString& question, const QString& asked, const QString& note,
                      const QPalette& palette);

}  // namespace kvasir
