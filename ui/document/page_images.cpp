#include "ui/document/page_images.h"

#include <algorithm>

namespace kvasir {
namespace {

constexpr int kLongestGoodbye = 1000;  // milliseconds

}  // namespace

PageImages::PageImages(QObject* parent)
    : QObject(parent), thread_(std::make_unique<QThread>()), drawer_(std::make_unique<PageDrawer>().release()) {
  thread_->setObjectName(QStringLiteral("pages"));
  drawer_->moveToThread(thread_.get());
  connect(thread_.get(), &QThread::finished, drawer_, &QObject::deleteLater);
  connect(drawer_, &PageDrawer::drawn, this, &PageImages::take);
  connect(drawer_, &PageDrawer::opened, this, [this](int generation, const QString& complaint) {
    if (generation == generation_) Q_EMIT opened(complaint);
  });
  thread_->start(QThread::LowPriority);
}

PageImages::~PageImages() {
  if (inFlight_) inFlight_->isStale->store(true);
  thread_->quit();
  // A page can keep Poppler busy for hours. The thread is then left to end with the program.
  if (!thread_->wait(kLongestGoodbye)) static_cast<void>(thread_.release());
}

void PageImages::open(std::shared_ptr<const Document> document, const QString& file) {
  if (inFlight_) inFlight_->isStale->store(true);
  inFlight_.reset();
  for (TileCache& cache : caches_) cache.clear();
  for (auto& wanted : wanted_) wanted.clear();
  stack_ = document == nullptr ? PageStack() : PageStack(document->pages);
  const int generation = ++generation_;
  QMetaObject::invokeMethod(drawer_, [drawer = drawer_, document = std::move(document), file, generation] {
    drawer->open(document, file, generation);
  });
}

void PageImages::want(ImageUse use, std::vector<TileKey> tiles) {
  std::int64_t room = cacheOf(use).boundBytes();
  std::erase_if(tiles, [&](const TileKey& key) {
    if (key.page < 0 || key.page >= stack_.count()) return true;
    const QRect rect = TileGrid(stack_.points(key.page), key.scale).rect(key.column, key.row);
    const std::int64_t bytes = std::int64_t{4} * rect.width() * rect.height();
    if (bytes > room) return true;
    room -= bytes;
    return false;
  });
  wantedFor(use) = std::move(tiles);
  if (inFlight_ && inFlight_->use == use) {
    const auto& wanted = wantedFor(use);
    const bool isWanted = std::find(wanted.begin(), wanted.end(), inFlight_->key) != wanted.end();
    if (!isWanted) inFlight_->isStale->store(true);
  }
  sendNext();
}

void PageImages::sendNext() {
  if (inFlight_) return;
  for (const ImageUse use : {ImageUse::Pages, ImageUse::Thumbnails}) {
    for (const TileKey& key : wantedFor(use)) {
      if (!cacheOf(use).contains(key)) return send(use, key);
    }
  }
}

void PageImages::send(ImageUse use, const TileKey& key) {
  inFlight_ = InFlight{key, use, std::make_shared<std::atomic<bool>>(false)};
  const DrawOrder order{key, TileGrid(stack_.points(key.page), key.scale).rect(key.column, key.row),
                        generation_, inFlight_->isStale};
  QMetaObject::invokeMethod(drawer_, [drawer = drawer_, order] { drawer->draw(order); });
}

void PageImages::take(const DrawnTile& tile) {
  if (!inFlight_ || tile.order.isStale != inFlight_->isStale) return;  // of a document shown before
  const InFlight done = *inFlight_;
  inFlight_.reset();
  if (tile.image.isNull()) {
    // No memory for it: asking again and again would not help.
    if (!done.isStale->load()) std::erase(wantedFor(done.use), done.key);
  } else {
    cacheOf(done.use).insert(done.key, tile.image);
    Q_EMIT drawn(done.use, done.key.page);
  }
  sendNext();
}

}  // namespace kvasir
