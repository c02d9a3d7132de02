// Products of a model file's weights, beside the same in float32.
#include <gtest/gtest.h>

#include "engine/model/weights.h"
#include "kernels/block_products.h"
#include "kernels/processor.h"
#include "tests/engine/model/gguf_writer.h"
#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {
namespace {

constexpr int kRows = 96, kColumns = 256;

/// The one matrix of a file.
WeightMatrix matrixOf(TensorType type, Rounded rounded) {
  GgufWriter writer;
  writer.text("general.architecture", "llama");
  writer.tensor("matrix", type, {kRows, kColumns}, randomTensor(type, kRows * kColumns, 1, 7));
  const std::vector<std::byte> bytes = writer.bytes();
  return WeightMatrix(GgufFile(bytes), {{"matrix", kRows, 0}}, kColumns, true, rounded);
}

/// Rows as models have them: a few columns are far larger than all others.
at::Tensor activations(int count) {
  at::manual_seed(3);
  at::Tensor x = at::randn({count, kColumns});
  for (const int column : {5, 77, 200}) x.select(1, column).mul_(60);
  return x.to(at::kBFloat16);
}

/// How far products lie from the same in float32, as a share of what the columns without the large ones give:
/// what is lost of these. Root mean squares.
double lost(const WeightMatrix& matrix, const at::Tensor& x) {
  at::Tensor small = x.to(at::kFloat).clone();
  for (const int column : {5, 77, 200}) small.select(1, column).zero_();
  const at::Tensor exact = at::linear(x.to(at::kFloat), matrix.dense(DenseForm::Float32));
  const at::Tensor rest = at::linear(small, matrix.dense(DenseForm::Float32));
  const at::Tensor off =
      matrix.multiply(x, DenseForm::Bfloat16).to(at::kFloat) - exact.to(at::kBFloat16).to(at::kFloat);
  return std::sqrt((off.pow(2).mean() / rest.pow(2).mean()).item<double>());
}

class WeightProducts : public testing::TestWithParam<TensorType> {
 protected:
  c10::InferenceMode noGradients_;
};
INSTANTIATE_TEST_SUITE_P(Types, WeightProducts,
                         testing::Values(TensorType::Q4_0, TensorType::Q4_1, TensorType::Q4_K, TensorType::Q2_K,
                                         TensorType::Q8_0),
                         [](const auto& type) { return std::to_string(static_cast<int>(type.param)); });

TEST_P(WeightProducts, KeepWhatLiesBesideColumnsThatStandOut) {
  for (const Rounded rounded : {Rounded::To16Bits, Rounded::To8Bits}) {
    EXPECT_LT(lost(matrixOf(GetParam(), rounded), activations(40)), 0.03) << static_cast<int>(rounded);
  }
}

TEST_P(WeightProducts, GiveARowTheSameWhateverComesWithIt) {
  if (multipliesBfloat16Tiles()) GTEST_SKIP() << "many rows go to LibTorch here";
  for (const Rounded rounded : {Rounded::To16Bits, Rounded::To8Bits}) {
    const WeightMatrix matrix = matrixOf(GetParam(), rounded);
    const at::Tensor x = activations(150), all = matrix.multiply(x, DenseForm::Bfloat16);
    for (const int count : {1, 3, 20})
      EXPECT_TRUE(
          at::equal(matrix.multiply(x.narrow(0, 127, count), DenseForm::Bfloat16), all.narrow(0, 127, count)));
  }
}

TEST(RoundedProducts, TakeBytesWhereTheyMayAndThatIsFaster) {
  const c10::InferenceMode noGradients;
  const WeightMatrix bytes = matrixOf(TensorType::Q4_1, Rounded::To8Bits),
                     words = matrixOf(TensorType::Q4_1, Rounded::To16Bits);
  const at::Tensor x = activations(20);
  const bool isSame = at::equal(bytes.multiply(x, DenseForm::Bfloat16), words.multiply(x, DenseForm::Bfloat16));
  EXPECT_EQ(isSame, !isFasterInBytes() || multipliesBfloat16Tiles());
  ProductMemory memory;
  std::vector<float> one(kRows), other(kRows);
  const at::Tensor row = x[0].to(at::kFloat).contiguous();
  bytes.multiply(row.const_data_ptr<float>(), one.data(), 1, DenseForm::Bfloat16, memory);
  words.multiply(row.const_data_ptr<float>(), other.data(), 1, DenseForm::Bfloat16, memory);
  EXPECT_EQ(one, other) << "a token by itself is not";
}

}  // namespace
}  // namespace kvasir
