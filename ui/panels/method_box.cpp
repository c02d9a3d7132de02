#include "ui/panels/method_box.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

namespace kvasir {
namespace {

/// The numbers that a name chooses, or none where it cannot.
std::optional<Numbers> numbersIn(const MethodChoice& row, const QString& name) {
  Numbers numbers(row.numbers);
  try {
    numbers.choose(numbersOf(name.toStdString()));
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
  return numbers;
}

}  // namespace

NumbersDialog::NumbersDialog(const MethodChoice& method, Numbers numbers, QWidget* parent)
    : QDialog(parent),
      row_(method.name),
      numbers_(std::move(numbers)),
      name_(new QLabel(this)),
      note_(new QLabel(tr("A document is read anew for this."), this)) {
  setWindowTitle(tr("Numbers of %1").arg(method.name));
  auto* column = new QVBoxLayout(this);
  auto* form = new QFormLayout;
  form->setRowWrapPolicy(QFormLayout::WrapLongRows);
  for (std::size_t i = 0; i < numbers_.known().size(); ++i) {
    QWidget* field = makeField(i);
    auto* label = new QLabel(QString::fromUtf8(numbers_.known()[i].meaning), this);
    label->setBuddy(field);
    form->addRow(label, field);
  }
  column->addLayout(form);
  name_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  name_->setAccessibleName(tr("The method's name with its numbers"));
  name_->setToolTip(tr("So it is called in kvasir-cli too."));
  column->addWidget(name_);
  QSizePolicy keepsRoom = note_->sizePolicy();
  keepsRoom.setRetainSizeWhenHidden(true);
  note_->setSizePolicy(keepsRoom);
  column->addWidget(note_);
  auto* buttons = new QDialogButtonBox(
      QDialogButtonBox::Ok | QDialogButtonBox::Cancel | QDialogButtonBox::RestoreDefaults, this);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(buttons->button(QDialogButtonBox::RestoreDefaults), &QPushButton::clicked, this, [this] {
    for (const MethodNumber& number : numbers_.known()) {
      const QString name = QString::fromUtf8(number.name);
      if (auto* whole = findChild<QSpinBox*>(name)) whole->setValue(static_cast<int>(number.usual));
      if (auto* real = findChild<QDoubleSpinBox*>(name)) real->setValue(number.usual);
      if (auto* power = findChild<QComboBox*>(name)) power->setCurrentIndex(power->findData(number.usual));
    }
  });
  column->addWidget(buttons);
  set(0, numbers_[numbers_.known().front().name]);
}

QWidget* NumbersDialog::makeField(std::size_t i) {
  const MethodNumber& number = numbers_.known()[i];
  const double value = numbers_[number.name];
  QWidget* field = nullptr;
  if (number.kind == MethodNumber::Kind::Real) {
    auto* real = new QDoubleSpinBox(this);
    real->setDecimals(3);
    real->setSingleStep(number.most <= 1 ? 0.05 : 0.5);
    real->setRange(number.least, number.most);
    real->setValue(value);
    connect(real, &QDoubleSpinBox::valueChanged, this, [this, i](double now) { set(i, now); });
    field = real;
  } else if (number.kind == MethodNumber::Kind::PowerOfTwo) {
    auto* power = new QComboBox(this);
    if (number.least == 0) power->addItem(tr("As usual"), 0.0);
    for (double each = std::max(1.0, number.least); each <= number.most; each *= 2)
      power->addItem(locale().toString(static_cast<int>(each)), each);
    power->setCurrentIndex(power->findData(value));
    connect(power, &QComboBox::currentIndexChanged, this,
            [this, i, power] { set(i, power->currentData().toDouble()); });
    field = power;
  } else {
    auto* whole = new QSpinBox(this);
    whole->setRange(static_cast<int>(number.least), static_cast<int>(number.most));
    whole->setSingleStep(number.kind == MethodNumber::Kind::Odd ? 2 : 1);
    whole->setGroupSeparatorShown(true);
    whole->setValue(static_cast<int>(value));
    connect(whole, &QSpinBox::valueChanged, this, [this, i](int now) { set(i, now); });
    field = whole;
  }
  field->setObjectName(QString::fromUtf8(number.name));
  field->setAccessibleName(QString::fromUtf8(number.meaning));
  return field;
}

/// What is typed can be no number of the kind (an even one): the nearest that is one is taken.
void NumbersDialog::set(std::size_t i, double value) {
  const MethodNumber& number = numbers_.known()[i];
  if (number.kind == MethodNumber::Kind::Odd && static_cast<int>(value) % 2 == 0)
    value += value < number.most ? 1 : -1;
  numbers_.choose(std::string(number.name) + "=" + numberText(value));
  name_->setText(name());
  note_->setVisible(!numbers_.readingText().empty());
}

QString NumbersDialog::name() const { return row_ + QString::fromStdString(numbers_.text()); }

MethodBox::MethodBox(const QString& accessibleName, QWidget* parent)
    : QWidget(parent), list_(new QComboBox(this)), numbers_(new QToolButton(this)) {
  list_->setAccessibleName(accessibleName);
  list_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  list_->setMinimumContentsLength(8);
  numbers_->setText(tr("…"));
  numbers_->setObjectName(QStringLiteral("methodNumbers"));
  numbers_->setAccessibleName(tr("Numbers of the method"));
  numbers_->setFocusPolicy(Qt::StrongFocus);
  setFocusProxy(list_);
  auto* line = new QHBoxLayout(this);
  line->setContentsMargins(0, 0, 0, 0);
  line->addWidget(list_, 1);
  line->addWidget(numbers_);
  connect(list_, &QComboBox::currentIndexChanged, this, [this] {
    updateButton();
    Q_EMIT methodChanged(method());
  });
  connect(numbers_, &QToolButton::clicked, this, &MethodBox::showNumbers);
  updateButton();
}

void MethodBox::setMethods(std::vector<MethodChoice> methods) {
  const QString before = method();
  {
    const QSignalBlocker quiet(list_);
    methods_ = std::move(methods);
    list_->clear();
    for (const MethodChoice& choice : methods_) {
      list_->addItem(choice.name);
      list_->setItemData(list_->count() - 1, choice.description, Qt::ToolTipRole);
    }
    setMethod(before);
  }
  updateButton();
}

void MethodBox::setMethod(const QString& name) {
  if (const int index = list_->findText(name); index >= 0) return list_->setCurrentIndex(index);
  const MethodChoice* row = rowOf(name);
  if (!row || !numbersIn(*row, name)) return;
  const int below = list_->findText(row->name) + 1;
  list_->insertItem(below, name);
  list_->setItemData(below, row->description, Qt::ToolTipRole);
  list_->setCurrentIndex(below);
}

QString MethodBox::method() const { return list_->currentText(); }

const MethodChoice* MethodBox::rowOf(const QString& name) const {
  const std::string whole = name.toStdString();
  const QString row = QString::fromUtf8(rowNameOf(whole).data(), std::ssize(rowNameOf(whole)));
  const auto found = std::ranges::find(methods_, row, &MethodChoice::name);
  return found == methods_.end() ? nullptr : &*found;
}

void MethodBox::updateButton() {
  const MethodChoice* row = rowOf(method());
  const bool hasNumbers = row && !row->numbers.empty();
  numbers_->setEnabled(hasNumbers);
  numbers_->setToolTip(hasNumbers ? tr("Choose the numbers of this method.")
                                  : tr("This method has no numbers to choose."));
}

void MethodBox::showNumbers() {
  const MethodChoice* row = rowOf(method());
  if (!row || row->numbers.empty()) return;
  auto* dialog = new NumbersDialog(*row, numbersIn(*row, method()).value_or(Numbers(row->numbers)), this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QDialog::accepted, this, [this, dialog] { setMethod(dialog->name()); });
  dialog->open();
}

}  // namespace kvasir
