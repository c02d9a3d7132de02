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

/// What of a name says how keys and values are kept, "+kivi-4" or nothing; none where the row cannot keep them
/// so.
std::optional<QString> packingIn(const MethodChoice& row, const QString& name) {
  const QString packing = name.section(QLatin1Char(':'), 0, 0).mid(row.name.size());
  const bool isThere = packing.isEmpty() ||
                       std::ranges::find(row.packings, packing, &PackingChoice::suffix) != row.packings.end();
  return isThere ? std::optional(packing) : std::nullopt;
}

QString hintFor(const MethodChoice* row) {
  const bool hasNumbers = row && !row->numbers.empty(), hasPackings = row && !row->packings.empty();
  if (hasNumbers && hasPackings)
    return MethodBox::tr("Choose the numbers of this method, and in how many bits it keeps keys and values.");
  if (hasPackings) return MethodBox::tr("Choose in how many bits this method keeps keys and values.");
  return hasNumbers ? MethodBox::tr("Choose the numbers of this method.")
                    : MethodBox::tr("This method has no numbers to choose.");
}

}  // namespace

NumbersDialog::NumbersDialog(const MethodChoice& method, Numbers numbers, QString packing, QWidget* parent)
    : QDialog(parent),
      row_(method.name),
      packing_(std::move(packing)),
      numbers_(std::move(numbers)),
      name_(new QLabel(this)),
      note_(new QLabel(tr("A document is read anew for this."), this)) {
  setWindowTitle((method.numbers.empty() ? tr("Keys and values of %1") : tr("Numbers of %1")).arg(method.name));
  auto* column = new QVBoxLayout(this);
  column->addWidget(makeFields(method));
  name_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  name_->setAccessibleName(tr("The method's name with what is chosen"));
  name_->setToolTip(tr("So it is called in kvasir-cli too."));
  column->addWidget(name_);
  QSizePolicy keepsRoom = note_->sizePolicy();
  keepsRoom.setRetainSizeWhenHidden(true);
  note_->setSizePolicy(keepsRoom);
  column->addWidget(note_);
  column->addWidget(makeButtons());
  showName();
}

QWidget* NumbersDialog::makeFields(const MethodChoice& method) {
  auto* fields = new QWidget(this);
  auto* form = new QFormLayout(fields);
  form->setContentsMargins(0, 0, 0, 0);
  form->setRowWrapPolicy(QFormLayout::WrapLongRows);
  const auto add = [&](const QString& text, QWidget* field) {
    auto* label = new QLabel(text, fields);
    label->setBuddy(field);
    form->addRow(label, field);
  };
  for (std::size_t i = 0; i < numbers_.known().size(); ++i)
    add(QString::fromUtf8(numbers_.known()[i].meaning), makeField(i));
  if (!method.packings.empty()) add(tr("Keys and values are kept in"), makePackings(method.packings));
  return fields;
}

QWidget* NumbersDialog::makePackings(const std::vector<PackingChoice>& packings) {
  auto* field = new QComboBox(this);
  field->setObjectName(QStringLiteral("packing"));
  field->setAccessibleName(tr("Keys and values are kept in"));
  field->addItem(tr("full precision"), QString());
  for (const PackingChoice& choice : packings) field->addItem(choice.text, choice.suffix);
  field->setCurrentIndex(std::max(0, field->findData(packing_)));
  connect(field, &QComboBox::currentIndexChanged, this, [this, field] {
    packing_ = field->currentData().toString();
    showName();
  });
  return field;
}

QWidget* NumbersDialog::makeButtons() {
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
    if (auto* packings = findChild<QComboBox*>(QStringLiteral("packing"))) packings->setCurrentIndex(0);
  });
  return buttons;
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
  showName();
}

void NumbersDialog::showName() {
  name_->setText(name());
  note_->setVisible(!packing_.isEmpty() || !numbers_.readingText().empty());
}

QString NumbersDialog::name() const { return row_ + packing_ + QString::fromStdString(numbers_.text()); }

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
  if (!row || name.endsWith(QLatin1Char(':')) || !packingIn(*row, name) || !numbersIn(*row, name)) return;
  const int below = list_->findText(row->name) + 1;
  list_->insertItem(below, name);
  list_->setItemData(below, row->description, Qt::ToolTipRole);
  list_->setCurrentIndex(below);
}

QString MethodBox::method() const { return list_->currentText(); }

const MethodChoice* MethodBox::rowOf(const QString& name) const {
  const std::string whole = name.toStdString();
  const QString row = QString::fromUtf8(tableRowOf(whole).data(), std::ssize(tableRowOf(whole)));
  const auto found = std::ranges::find(methods_, row, &MethodChoice::name);
  return found == methods_.end() ? nullptr : &*found;
}

void MethodBox::updateButton() {
  const MethodChoice* row = rowOf(method());
  numbers_->setEnabled(row && !(row->numbers.empty() && row->packings.empty()));
  numbers_->setToolTip(hintFor(row));
  const QString description = list_->currentData(Qt::ToolTipRole).toString();
  list_->setToolTip(description);
  list_->setAccessibleDescription(description);
}

void MethodBox::showNumbers() {
  const MethodChoice* row = rowOf(method());
  if (!row) return;
  auto* dialog = new NumbersDialog(*row, numbersIn(*row, method()).value_or(Numbers(row->numbers)),
                                   packingIn(*row, method()).value_or(QString()), this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QDialog::accepted, this, [this, dialog] { setMethod(dialog->name()); });
  dialog->open();
}

}  // namespace kvasir
