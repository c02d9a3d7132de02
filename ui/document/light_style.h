#pragma once

#include <QColor>
#include <QPainter>
#include <QTextCharFormat>
#include <array>

#include "ui/document/document_view.h"

/// How lit text looks. Colours are of the set of Okabe and Ito, which colour-blind readers tell apart, and each
/// light has a line of its own besides: under, around, dashed.
namespace kvasir {

inline constexpr std::array kLights{Light::Evidence, Light::Marked,
                                    Light::Hovered};  ///< the last is drawn on top

enum class Paper { White, Inverted };

QString nameOf(Light light);

void paintLight(QPainter& painter, Light light, Paper paper, const QRectF& box);
void paintMatch(QPainter& painter, Paper paper, bool isCurrent, const QRectF& box);
void paintSelection(QPainter& painter, const QColor& highlight, const QRectF& box);

QTextCharFormat textFormat(Light light, Paper paper);
QTextCharFormat matchFormat(Paper paper, bool isCurrent);

}  // namespace kvasir
