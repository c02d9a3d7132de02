// Draws an SVG as a square PNG: render_icon FILE.svg PIXELS FILE.png
#include <QImage>
#include <QPainter>
#include <QSvgRenderer>
#include <cstdio>
#include <cstdlib>

int main(int count, char** values) {
  if (count != 4) {
    std::fputs("usage: render_icon FILE.svg PIXELS FILE.png\n", stderr);
    return 2;
  }
  const int pixels = std::atoi(values[2]);
  QSvgRenderer renderer(QString::fromLocal8Bit(values[1]));
  QImage image(pixels, pixels, QImage::Format_ARGB32);
  if (!renderer.isValid() || image.isNull()) {
    std::fprintf(stderr, "%s is no SVG file, or %s no size\n", values[1], values[2]);
    return 1;
  }
  image.fill(Qt::transparent);
  QPainter painter(&image);
  renderer.render(&painter);
  painter.end();
  return image.save(QString::fromLocal8Bit(values[3]), "PNG") ? 0 : 1;
}
