#pragma once

#include <vector>

#include <QDialog>
#include <QWidget>

#include "engine/numbers.h"

class QComboBox;
class QLabel;
class QToolButton;

namespace kvasir {

/// How keys and values can be kept in fewer bits.
struct PackingChoice {
  QString suffix;  ///< behind the method's name: "+kivi-4"
  QString text;    ///< "4 bits"
};

/// A method as the window offers it.
struct MethodChoice {
  QString name, description;
  std::vector<MethodNumber> numbers = {};
  std::vector<PackingChoice> packings = {};  ///< that the method can take; none: it keeps all as it comes
};

/// The numbers of a method, each in a field of its own, and in what it keeps keys and values; `name()` has the
/// method's name with what was chosen behind it.
class NumbersDialog : public QDialog {
  Q_OBJECT
 public:
  /// packing: the suffix of one of the method's, or nothing.
  NumbersDialog(const MethodChoice& method, Numbers numbers, QString packing, QWidget* parent = nullptr);
  QString name() const;

 private:
  QWidget* makeFields(const MethodChoice& method);
  QWidget* makeField(std::size_t number);
  QWidget* makePackings(const std::vector<PackingChoice>& packings);
  QWidget* makeButtons();
  void set(std::size_t number, double value);
  void showName();

  QString row_, packing_;
  Numbers numbers_;
  QLabel *name_, *note_;
};

/// A method to choose, and a button for its numbers and how it keeps keys and values. A method with others than
/// usual is one more in the list, as long as the box is there.
class MethodBox : public QWidget {
  Q_OBJECT
 public:
  explicit MethodBox(const QString& accessibleName, QWidget* parent = nullptr);

  void setMethods(std::vector<MethodChoice> methods);
  /// One of them, or one that varies it ("snapkv+kivi-4:window=64"); nothing changes where there is none of
  /// that name.
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
