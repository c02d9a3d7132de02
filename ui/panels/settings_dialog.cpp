#include "ui/panels/settings_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTabWidget>
#include <QVBoxLayout>

namespace kvasir {
SettingsDialog::SettingsDialog(const SettingsValues& values, const std::vector<MethodChoice>& methods,
                               QWidget* parent)
    : QDialog(parent) {
  setWindowTitle(tr("Settings"));
  auto* pages = new QTabWidget(this);
  pages->setAccessibleName(tr("Settings"));
  pages->addTab(makeModelPage(), tr("&Model"));
  pages->addTab(makeAskingPage(methods), tr("&Asking"));
  pages->addTab(makeLookPage(), tr("&Look"));
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  for (auto* button : buttons->buttons()) button->setAccessibleName(button->text().remove(QLatin1Char('&')));
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* column = new QVBoxLayout(this);
  column->addWidget(pages);
  column->addWidget(buttons);
  fill(values);
}

QSpinBox* SettingsDialog::makeNumber(const QString& name, int least, int most, int step) {
  auto* number = new QSpinBox(this);
  number->setAccessibleName(name);
  number->setRange(least, most);
  number->setSingleStep(step);
  number->setGroupSeparatorShown(true);
  return number;
}

QWidget* SettingsDialog::withButton(QLineEdit* line, const QString& name, Choose choose) {
  auto* row = new QWidget(this);
  auto* choice = new QPushButton(tr("Choose…"), row);
  line->setAccessibleName(name);
  choice->setAccessibleName(tr("Choose: %1").arg(name));
  auto* layout = new QHBoxLayout(row);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(line, 1);
  layout->addWidget(choice);
  connect(choice, &QPushButton::clicked, this, [this, line, name, choose] {
    auto* dialog = new QFileDialog(this, name, line->text());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(choose == Choose::File ? QFileDialog::ExistingFile : QFileDialog::Directory);
    if (choose == Choose::File) dialog->setNameFilters({tr("Models (*.gguf)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, line, &QLineEdit::setText);
    dialog->open();
  });
  return row;
}

QWidget* SettingsDialog::makeModelPage() {
  auto* page = new QWidget(this);
  auto* form = new QFormLayout(page);
  model_ = new QLineEdit(page);
  model_->setPlaceholderText(tr("The default model"));
  model_->setMinimumWidth(fontMetrics().averageCharWidth() * 36);
  modelsFolder_ = new QLineEdit(page);
  modelsFolder_->setPlaceholderText(tr("The default folder"));
  threads_ = makeNumber(tr("Threads"), 0, 1024, 1);
  threads_->setSpecialValueText(tr("One a core"));
  device_ = new QComboBox(page);
  device_->setAccessibleName(tr("Device"));
  device_->addItem(tr("Automatic"), static_cast<int>(Device::Auto));
  device_->addItem(tr("Processor"), static_cast<int>(Device::Cpu));
  device_->addItem(tr("Graphics card (CUDA)"), static_cast<int>(Device::Cuda));
  device_->setItemData(0, tr("A graphics card whose kernels are right, where there is one; else the processor"),
                       Qt::ToolTipRole);
  form->addRow(tr("Model &file:"), withButton(model_, tr("Model file"), Choose::File));
  form->addRow(tr("Models f&older:"), withButton(modelsFolder_, tr("Models folder"), Choose::Folder));
  form->addRow(tr("&Threads:"), threads_);
  form->addRow(tr("&Device:"), device_);
  return page;
}

QWidget* SettingsDialog::makeAskingPage(const std::vector<MethodChoice>& methods) {
  auto* page = new QWidget(this);
  auto* form = new QFormLayout(page);
  method_ = new MethodBox(tr("Method"), page);
  method_->setMethods(methods);
  budget_ = makeNumber(tr("Budget in tokens"), 256, 1 << 20, 256);
  budget_->setSuffix(tr(" tokens"));
  budget_->setToolTip(
      tr("Of how many tokens a question may attend to the keys and values (KV), in each layer."));
  answer_ = makeNumber(tr("Longest answer in tokens"), 16, 8192, 16);
  answer_->setSuffix(tr(" tokens"));
  answer_->setToolTip(tr("An answer that is longer is cut, and says so."));
  background_ = new QCheckBox(tr("&Read added documents in the background"), page);
  background_->setAccessibleName(tr("Read added documents in the background"));
  form->addRow(tr("Me&thod:"), method_);
  form->addRow(tr("&Budget:"), budget_);
  form->addRow(tr("Longest a&nswer:"), answer_);
  form->addRow(background_);
  return page;
}

QWidget* SettingsDialog::makeLookPage() {
  auto* page = new QWidget(this);
  auto* form = new QFormLayout(page);
  theme_ = new QComboBox(page);
  theme_->setAccessibleName(tr("Theme"));
  theme_->addItem(tr("System"), static_cast<int>(Theme::System));
  theme_->addItem(tr("Light"), static_cast<int>(Theme::Light));
  theme_->addItem(tr("Dark"), static_cast<int>(Theme::Dark));
  font_ = makeNumber(tr("Font size"), 5, 40, 1);
  font_->setSpecialValueText(tr("The system's"));
  font_->setSuffix(tr(" pt"));
  form->addRow(tr("&Theme:"), theme_);
  form->addRow(tr("&Font size:"), font_);
  return page;
}

void SettingsDialog::fill(const SettingsValues& values) {
  model_->setText(values.model);
  modelsFolder_->setText(values.modelsFolder);
  threads_->setValue(values.threads);
  device_->setCurrentIndex(device_->findData(static_cast<int>(values.device)));
  method_->setMethod(values.method);
  budget_->setValue(values.budgetTokens);
  answer_->setValue(values.answerTokens);
  theme_->setCurrentIndex(theme_->findData(static_cast<int>(values.theme)));
  font_->setValue(values.fontPoints == 0 ? font_->minimum() : values.fontPoints);
  background_->setChecked(values.readsInBackground);
}

SettingsValues SettingsDialog::values() const {
  SettingsValues values;
  values.model = model_->text().trimmed();
  values.modelsFolder = modelsFolder_->text().trimmed();
  values.threads = threads_->value();
  values.device = static_cast<Device>(device_->currentData().toInt());
  values.method = method_->method();
  values.budgetTokens = budget_->value();
  values.answerTokens = answer_->value();
  values.theme = static_cast<Theme>(theme_->currentData().toInt());
  values.fontPoints = font_->value() == font_->minimum() ? 0 : font_->value();
  values.readsInBackground = background_->isChecked();
  return values;
}

}  // namespace kvasir
