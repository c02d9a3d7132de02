#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QWidget>

namespace kvasir {

/// The line below the pages that finds words.
class FindBar : public QWidget {
  Q_OBJECT
 public:
  explicit FindBar(QWidget* parent = nullptr);

  /// Opens it with the cursor in the field; `words`, where there are any, replace what is in it.
  void open(const QString& words);
  QString query() const { return field_->text(); }
  /// current from 1, 0 for none.
  void showCount(std::size_t current, std::size_t count, bool isSearching);

 Q_SIGNALS:
  void queryChanged(QString query);
  void stepWished(int direction);
  void closed();

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  QLineEdit* field_;
  QLabel* count_;
};

}  // namespace kvasir
