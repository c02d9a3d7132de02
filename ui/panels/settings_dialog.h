#pragma once

#include <vector>

#include <QDialog>

#include "engine/engine.h"
#include "ui/panels/method_box.h"

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLineEdit;
class QSpinBox;

namespace kvasir {

enum class Theme { System, Light, Dark };

/// What the user sets once for all questions.
struct SettingsValues {
  QString model;         ///< a file; empty: the default model
  QString modelsFolder;  ///< where models are looked for first; may be empty
  int threads = 0;       ///< 0: one a core
  Device device = Device::Auto;
  QString method;
  int budgetTokens = 2048, answerTokens = 256;
  Theme theme = Theme::System;
  int fontPoints = 0;  ///< 0: the system's
  bool readsInBackground = true;
  friend bool operator==(const SettingsValues&, const SettingsValues&) = default;
};

/// Shows the settings; `values()` has what was chosen once accepted() was emitted.
class SettingsDialog : public QDialog {
  Q_OBJECT
 public:
  SettingsDialog(const SettingsValues& values, const std::vector<MethodChoice>& methods,
                 QWidget* parent = nullptr);
  SettingsValues values() const;

 private:
  enum class Choose { File, Folder };
  QWidget* withButton(QLineEdit* line, const QString& name, Choose choose);
  QWidget* makeModelPage();
  QWidget* makeAskingPage(const std::vector<MethodChoice>& methods);
  QWidget* makeLookPage();
  QSpinBox* makeNumber(const QString& name, int least, int most, int step);
  void fill(const SettingsValues& values);

  QLineEdit *model_, *modelsFolder_;
  QSpinBox *threads_, *budget_, *answer_, *font_;
  QComboBox *device_, *theme_;
  MethodBox* method_;
  QCheckBox* background_;
};

}  // namespace kvasir
