#include "ui/panels/about_box.h"

#include <QDialogButtonBox>
#include <QLabel>
#include <QPushButton>
#include <QStringList>
#include <QVBoxLayout>

#include "ui/size_text.h"

namespace kvasir {
namespace {

QString q(const std::string& text) { return QString::fromStdString(text); }

QString describe(const ProcessorInfo& processor) {
  QStringList parts{q(processor.name)};
  if (!processor.instructions.empty()) parts << q(processor.instructions.front());
  parts << (processor.threads == 1 ? AboutBox::tr("1 thread")
                                   : AboutBox::tr("%1 threads").arg(processor.threads));
  if (processor.memoryBytes > 0) parts << asSize(static_cast<qint64>(processor.memoryBytes));
  return AboutBox::tr("Computes on: %1.").arg(parts.join(QStringLiteral(", ")));
}

QString describe(const CudaDeviceInfo& device) {
  if (!device.reason.empty())
    return AboutBox::tr("CUDA: %1, not used. %2").arg(q(device.name), q(device.reason));
  return AboutBox::tr(
             "CUDA: %1, %2; the first that is right is computed on, unless the settings say otherwise.")
      .arg(q(device.name), asSize(static_cast<qint64>(device.memoryBytes)));
}

QLabel* textLabel(const QString& text, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  return label;
}

}  // namespace

AboutBox::AboutBox(const QString& version, QWidget* parent)
    : QDialog(parent),
      devices_(textLabel(tr("Looking for devices…"), this)),
      check_(textLabel({}, this)),
      button_(new QPushButton(tr("&Check the kernels"), this)) {
  setWindowTitle(tr("About Kvasir"));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(textLabel(
      tr("<h3>Kvasir %1</h3><p>Ask long documents, and see why.</p><p>A local language model reads a document "
         "once and answers from the few passages that matter. Nothing leaves this computer.</p><p>Free "
         "software under the GNU General Public License, version 3 or later.</p>")
          .arg(version),
      this));
  for (QLabel* label : {devices_, check_}) {
    label->setTextFormat(Qt::PlainText);
    layout->addWidget(label);
  }
  check_->hide();
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok, this);
  buttons->addButton(button_, QDialogButtonBox::ActionRole);
  button_->setToolTip(
      tr("Runs every kernel by every instruction set of the processor, and on CUDA devices, beside a plain "
         "reference. It takes about a second."));
  layout->addWidget(buttons);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(button_, &QPushButton::clicked, this, [this] {
    button_->setEnabled(false);
    check_->setText(tr("The kernels are being checked…"));
    check_->show();
    Q_EMIT checkWished();
  });
}

void AboutBox::setDevices(const Devices& devices) {
  QStringList lines{describe(devices.processor)};
  for (const CudaDeviceInfo& device : devices.cuda) lines << describe(device);
  if (devices.cuda.empty()) lines << tr("CUDA: none. %1").arg(q(devices.cudaReason));
  devices_->setText(lines.join(QLatin1Char('\n')));
}

void AboutBox::setChecks(const std::vector<DeviceCheck>& checks, const std::string& complaint) {
  QStringList devices;
  for (const DeviceCheck& check : checks) devices << q(check.device);
  check_->setText(complaint.empty()
                      ? tr("Checked: every kernel is right on %1.").arg(devices.join(QStringLiteral(", ")))
                      : q(complaint));
  check_->show();
  button_->setEnabled(true);
}

QString AboutBox::devicesText() const { return devices_->text(); }
QString AboutBox::checkText() const { return check_->isHidden() ? QString() : check_->text(); }

}  // namespace kvasir
