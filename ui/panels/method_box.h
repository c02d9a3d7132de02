#pragma once

#include <vector>

#include <QDialog>
#include <QWidget>

#include "engine/numbers.h"

class QComboBox;
class QLabel;
class QToolButton;

namespace kvasir {

/// A method as the window offers it.
struct MethodChoice {
  QString name, description;
  std::vector<MethodNumber> numbers = {};
};

/// The numbers of a method, each in a field of its own; `name()` has the method's name with those that were
/// chosen behind it.
class NumbersDialog : public QDialog {
  Q_OBJECT
 public:
  NumbersDialog(const MethodChoice& method, Numbers numbers, QWidget* parent = nullptr);
  QString name() const;

 private:
  QWidget* makeField(std::size_t number);
  void set(std::size_t number, double value);

  QString row_;
  Numbers numbers_;
  QLabel *name_, *note_;
};

/// A method to choose, and a button for the numbers it has. A method with other numbers than usual is one more
/// in the list, as long as the box is there.
class MethodBox : public QWidget {
  Q_OBJECT
 public:
  explicit MethodBox(const QString& accessibleName, QWidget* parent = nullptr);

  void setMethods(std::vector<MethodChoice> methods);
  /// One of them, or one with numbers ("snapkv:window=64"); nothing changes where there is none of that name.
  void setMethod(const QString& name);
  QString method() const;
  QComboBox* list() const { return list_; }

 Q_SIGNALS:
  void methodChanged(const QString& name);

 private:
  const MethodChoice* rowOf(const QString& name) const;
  void showNumbers();
  void updateButton();

  QComboBox* list_;
  QToolButton* numbers_;
  std::vector<MethodChoice> methods_;
};

}  // namespace kvasir
