#include "ui/document/outline_model.h"

#include <algorithm>

namespace kvasir {

void OutlineModel::setDocument(std::shared_ptr<const Document> document) {
  beginResetModel();
  document_ = std::move(document);
  nodes_.clear();
  roots_.clear();
  std::vector<int> open;
  const int count = document_ == nullptr ? 0 : static_cast<int>(document_->sections.size());
  nodes_.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto levelOf = [&](int section) {
      return document_->sections[static_cast<std::size_t>(section)].level;
    };
    while (!open.empty() && levelOf(open.back()) >= levelOf(i)) open.pop_back();
    Node& node = nodes_[static_cast<std::size_t>(i)];
    node.parent = open.empty() ? -1 : open.back();
    auto& siblings = open.empty() ? roots_ : nodes_[static_cast<std::size_t>(node.parent)].children;
    node.row = static_cast<int>(siblings.size());
    siblings.push_back(i);
    open.push_back(i);
  }
  endResetModel();
}

QModelIndex OutlineModel::indexOfSection(int section) const {
  return createIndex(nodes_[static_cast<std::size_t>(section)].row, 0, static_cast<quintptr>(section));
}

QModelIndex OutlineModel::sectionAt(std::size_t byte) const {
  if (document_ == nullptr) return {};
  const auto& sections = document_->sections;
  const auto after = std::partition_point(sections.begin(), sections.end(),
                                          [&](const Section& section) { return section.start <= byte; });
  return after == sections.begin() ? QModelIndex()
                                   : indexOfSection(static_cast<int>(after - sections.begin()) - 1);
}

std::size_t OutlineModel::byteOf(const QModelIndex& index) const {
  return document_->sections[static_cast<std::size_t>(index.internalId())].start;
}

TextRange OutlineModel::rangeOf(const QModelIndex& index) const {
  const auto& sections = document_->sections;
  const auto section = sections.begin() + static_cast<std::ptrdiff_t>(index.internalId());
  const auto next = std::find_if(section + 1, sections.end(),
                                 [&](const Section& other) { return other.level <= section->level; });
  return {section->start, next == sections.end() ? document_->text.size() : next->start};
}

const std::vector<int>& OutlineModel::childrenOf(const QModelIndex& parent) const {
  return parent.isValid() ? nodes_[static_cast<std::size_t>(parent.internalId())].children : roots_;
}

QModelIndex OutlineModel::index(int row, int column, const QModelIndex& parent) const {
  const std::vector<int>& children = childrenOf(parent);
  if (row < 0 || row >= static_cast<int>(children.size()) || column < 0 || column > 1) return {};
  return createIndex(row, column, static_cast<quintptr>(children[static_cast<std::size_t>(row)]));
}

QModelIndex OutlineModel::parent(const QModelIndex& child) const {
  if (!child.isValid()) return {};
  const int parent = nodes_[static_cast<std::size_t>(child.internalId())].parent;
  return parent < 0 ? QModelIndex() : indexOfSection(parent);
}

int OutlineModel::rowCount(const QModelIndex& parent) const {
  return parent.column() > 0 ? 0 : static_cast<int>(childrenOf(parent).size());
}

int OutlineModel::columnCount(const QModelIndex&) const { return 2; }

QVariant OutlineModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const Section& section = document_->sections[static_cast<std::size_t>(index.internalId())];
  if (index.column() == 0) {
    const bool isTitle = role == Qt::DisplayRole || role == Qt::ToolTipRole;
    return isTitle ? QString::fromStdString(section.title).simplified() : QVariant();
  }
  if (role == Qt::TextAlignmentRole) return QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  const auto pages = pagesOf(*document_, section.start, section.start + 1);
  if (!pages) return {};
  return QString::fromStdString(document_->pages[static_cast<std::size_t>(pages->first)].label);
}

}  // namespace kvasir
