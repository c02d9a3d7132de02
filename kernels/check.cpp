#include "kernels/check.h"

#include <algorithm>
#include <cmath>

#include "kernels/cases.h"
#include "kernels/check_trial.h"

namespace kvasir {
namespace checks {
namespace {

template <class Out>
void checkNormalize(Trial& trial) {
  for (const int width : {1, 17, 577}) {
    const cases::Norm<Out> norm{5, width};
    const DeviceArray<float> in(trial.backend, norm.in), weight(trial.backend, norm.weight);
    const DeviceArray<Out> out(trial.backend, cases::unwritten<Out>(norm.in.size()));
    RowNorm<Out> argument = norm.argument(out.data());
    const reference::Expectations expected = reference::normalize(argument, 0, norm.rows);
    argument.in = in.data();
    argument.weight = weight.data();
    trial.launch(trial.backend.kernels.normalizeRows.of<Out>(), argument, norm.rows);
    trial.compare(expected, out.read());
  }
}

template <class Value>
void checkGate(Trial& trial) {
  using Activation = typename RowGate<Value>::Activation;
  for (const float range : {6.0f, 200.0f})
    for (const Activation activation : {Activation::Silu, Activation::GeluTanh}) {
      cases::Gate<Value> gated{3, 577, activation};
      gated.in = cases::randomValues<Value>(std::ssize(gated.in), range, 6);
      const DeviceArray<Value> in(trial.backend, gated.in),
          out(trial.backend, cases::unwritten<Value>(std::ssize(gated.in) / 2));
      RowGate<Value> argument = gated.argument(out.data());
      const reference::Expectations expected = reference::gate(argument, 0, gated.rows);
      argument.in = in.data();
      trial.launch(trial.backend.kernels.gateRows.of<Value>(), argument, gated.rows);
      trial.compare(expected, out.read());
    }
}

/// In place, as the engine does.
template <class Value>
void checkRotate(Trial& trial) {
  for (const auto& [half, angles] : {std::pair{3, cases::Angles::One}, {32, cases::Angles::EachRow}}) {
    const cases::Rotated<Value> rotated(9, half, angles);
    const DeviceArray<Value> memory(trial.backend, rotated.in);
    const DeviceArray<float> cosines(trial.backend, rotated.cosines), sines(trial.backend, rotated.sines);
    Rotation<Value> argument = rotated.argument(memory.data());
    const reference::Expectations expected = reference::rotate(argument);
    argument.in = memory.data();
    argument.cosines = cosines.data();
    argument.sines = sines.data();
    trial.launch(trial.backend.kernels.rotateRows.of<Value>(), argument);
    trial.compare(expected, memory.read());
  }
}

template <class Value>
void checkPackLevels(Trial& trial) {
  for (const LevelGroups& groups : cases::everyGroups()) {
    cases::Grouped<Value> grouped(groups);
    const DeviceArray<Value> numbers(trial.backend, grouped.numbers);
    const DeviceArray<std::uint8_t> packed(trial.backend, grouped.packed);
    trial.launch(trial.backend.kernels.packLevels.of<Value>(),
                 LevelPacking<Value>{groups, numbers.data(), packed.data()});
    const std::vector<std::uint8_t> bytes = packed.read();
    trial.compare(reference::packLevels(grouped.packing()), reference::keptNumbers(groups, bytes.data()));
  }
}

/// Of what the definition packed.
template <class Value>
void checkUnpackLevels(Trial& trial) {
  for (const LevelGroups& groups : cases::everyGroups()) {
    cases::Grouped<Value> grouped(groups);
    cases::packByDefinition(grouped.packing());
    const DeviceArray<std::uint8_t> packed(trial.backend, grouped.packed);
    const DeviceArray<Value> numbers(trial.backend, cases::unwritten<Value>(std::ssize(grouped.numbers)));
    trial.launch(trial.backend.kernels.unpackLevels.of<Value>(),
                 LevelUnpacking<Value>{groups, packed.data(), numbers.data()});
    trial.compare(reference::unpackLevels(grouped.unpacking(nullptr)), numbers.read());
  }
}

void checkScoreChunks(Trial& trial) {
  for (const int width : {1, 31, 64, 577}) {
    cases::ScoredChunks chunks{37, width, width + 3};
    ChunkScores argument = chunks.argument();
    const reference::Expectations expected = reference::scoreChunks(argument, chunks.count);
    const DeviceArray<float> entries(trial.backend, chunks.entries), asked(trial.backend, chunks.asked),
        scores(trial.backend, chunks.scores);
    argument.entries = entries.data();
    argument.asked = asked.data();
    argument.scores = scores.data();
    trial.launch(trial.backend.kernels.scoreChunks, argument, chunks.count);
    trial.compare(expected, scores.read());
  }
}

/// Launches a kernel over what has been placed on the device and compares what it writes.
template <class Argument>
void checkAttended(Trial& trial, const Argument& onHost, Argument argument, Launch<Argument> launch) {
  const cases::AttentionResult<Argument> empty(onHost);
  const std::vector<float> asked(onHost.queries, onHost.queries + onHost.group * onHost.dimension);
  const DeviceArray<float> queries(trial.backend, asked), weights(trial.backend, empty.weights),
      output(trial.backend, empty.output), largest(trial.backend, empty.largest), sum(trial.backend, empty.sum);
  argument.queries = queries.data();
  argument.weights = weights.data();
  argument.output = output.data();
  argument.largest = largest.data();
  argument.sum = sum.data();
  trial.launch(launch, argument);
  const reference::Attention expected = reference::attend(onHost);
  const std::vector<float> written = weights.read();
  for (int query = 0; query < onHost.group; ++query) {
    const auto first = expected.weights.begin() + std::int64_t{query} * onHost.count;
    trial.compare({first, first + onHost.count}, written.data() + query * onHost.weightStride);
  }
  trial.compare(expected.output, output.read());
  trial.compare(expected.largest, largest.read());
  trial.compare(expected.sum, sum.read());
}

template <class Value>
void checkAttendedKeys(Trial& trial, const cases::Attended<Value>& attended) {
  TokenAttention<Value> argument = attended.argument();
  const DeviceArray<Value> keys(trial.backend, attended.keys), values(trial.backend, attended.values);
  argument.keys = keys.data();
  argument.values = values.data();
  checkAttended(trial, attended.argument(), argument, trial.backend.kernels.attendToken.of<Value>());
}

template <class Value>
void checkAttendToken(Trial& trial) {
  for (const cases::Attended<Value>& attended :
       {cases::Attended<Value>{3, 64, 1000}, {8, 33, 7}, {1, 128, 1}, {4, 64, 300, 40}, {2, 20, 0}})
    checkAttendedKeys(trial, attended);
}

void checkAttendPacked(Trial& trial) {
  for (const int bits : {4, 2})
    for (const cases::PackedAttended& attended : {cases::PackedAttended{3, 64, 128, bits},
                                                  {5, 72, 41, bits},
                                                  {1, 128, 1, bits},
                                                  {2, 20, 0, bits},
                                                  {4, 256, 70, bits, 1, 4, 3}}) {
      PackedAttention argument = attended.argument();
      const DeviceArray<std::uint8_t> keys(trial.backend, attended.keys),
          values(trial.backend, attended.values);
      const DeviceArray<float> cosines(trial.backend, attended.angles.cosines),
          sines(trial.backend, attended.angles.sines);
      argument.keys = keys.data();
      argument.values = values.data();
      argument.cosines = cosines.data();
      argument.sines = sines.data();
      checkAttended(trial, attended.argument(), argument, trial.backend.kernels.attendPacked);
    }
}

/// Rows of a block, in one call or in two that see a part of the keys each.
template <class Value>
void checkAttendedRows(Trial& trial, cases::AttendedRows<Value> rows, int calls) {
  const BlockAttention<Value> onHost = rows.argument();
  const DeviceArray<Value> queries(trial.backend, rows.queries), keys(trial.backend, rows.keys),
      values(trial.backend, rows.values);
  const DeviceArray<float> output(trial.backend, rows.output), largest(trial.backend, rows.largest),
      sum(trial.backend, rows.sum);
  BlockAttention<Value> argument = onHost;
  argument.queries = queries.data();
  argument.keys = keys.data();
  argument.values = values.data();
  argument.output = output.data();
  argument.largest = largest.data();
  argument.sum = sum.data();
  for (int part = 0; part < calls; ++part) {
    std::vector<int> begins = rows.begins, ends = rows.ends;
    for (int row = 0; row < rows.rows; ++row) {
      const int middle = rows.count / 3;
      if (calls == 2) (part == 0 ? ends : begins)[row] = std::clamp(middle, rows.begins[row], rows.ends[row]);
    }
    const DeviceArray<int> partBegins(trial.backend, begins), partEnds(trial.backend, ends);
    argument.begins = partBegins.data();
    argument.ends = partEnds.data();
    trial.launch(trial.backend.kernels.attendRows.of<Value>(), argument, rows.rows);
  }
  std::vector<float> outputs = output.read();
  const std::vector<float> most = largest.read(), totals = sum.read();
  for (int row = 0; row < rows.rows; ++row) {
    for (int i = 0; i < rows.dimension; ++i) outputs[row * rows.dimension + i] /= totals[row];
    const auto expected = reference::attendRow(onHost, row);
    const double logSum = double{most[row]} + std::log(double{totals[row]});
    trial.compare(expected.output, outputs.data() + row * rows.dimension);
    trial.compare({expected.logSum}, &logSum);
  }
}

template <class Value>
void checkAttendRows(Trial& trial) {
  for (const cases::Sight sight : {cases::Sight::All, cases::Sight::Causal, cases::Sight::Window})
    for (const int calls : {1, 2})
      checkAttendedRows(trial, cases::AttendedRows<Value>{50, 64, 173, sight}, calls);
  for (const int dimension : {20, 80, 128, 256, 264})
    checkAttendedRows(trial, cases::AttendedRows<Value>{33, dimension, 70, cases::Sight::Causal}, 1);
}

template <class Value>
void checkReceived(Trial& trial, cases::Received<Value> received) {
  const ReceivedAttention<Value> onHost = received.argument();
  const DeviceArray<Value> queries(trial.backend, received.rows.queries),
      keys(trial.backend, received.rows.keys);
  const DeviceArray<int> begins(trial.backend, received.rows.begins), ends(trial.backend, received.rows.ends);
  const DeviceArray<float> logSums(trial.backend, received.logSums), out(trial.backend, received.received);
  ReceivedAttention<Value> argument = onHost;
  argument.queries = queries.data();
  argument.keys = keys.data();
  argument.begins = begins.data();
  argument.ends = ends.data();
  argument.logSums = logSums.data();
  argument.received = out.data();
  trial.launch(trial.backend.kernels.receiveAttention.of<Value>(), argument);
  trial.compare(reference::receiveAttention(onHost), out.read());
}

template <class Value>
void checkReceiveAttention(Trial& trial) {
  for (const cases::Sight sight : {cases::Sight::All, cases::Sight::Causal, cases::Sight::Window})
    checkReceived(trial, cases::Received<Value>{{51, 64, 173, sight}, 3});
  for (const int dimension : {20, 80, 256})
    checkReceived(trial, cases::Received<Value>{{33, dimension, 70, cases::Sight::Causal}});
}

struct Row {
  const char* kernel;
  void (*check)(Trial& trial);
  void (*drop)(KernelTable& kernels);
};

constexpr Row kRows[] = {
    {"multiplyExactly", checkMultiplyExactly, [](KernelTable& k) { k.multiplyExactly = nullptr; }},
    {"expandRows, float", checkExpand<float>, [](KernelTable& k) { k.expandRows.floats = nullptr; }},
    {"expandRows, bf16", checkExpand<Half>, [](KernelTable& k) { k.expandRows.bfloats = nullptr; }},
    {"roundRows, float", checkRound<float>, [](KernelTable& k) { k.roundRows.floats = nullptr; }},
    {"roundRows, bf16", checkRound<Half>, [](KernelTable& k) { k.roundRows.bfloats = nullptr; }},
    {"multiplyPanels, float", checkMultiplyPanels<float>,
     [](KernelTable& k) { k.multiplyPanels.floats = nullptr; }},
    {"multiplyPanels, bf16", checkMultiplyPanels<Half>,
     [](KernelTable& k) { k.multiplyPanels.bfloats = nullptr; }},
    {"roundBlocks, float", checkRoundBlocks<float>, [](KernelTable& k) { k.roundBlocks.floats = nullptr; }},
    {"roundBlocks, bf16", checkRoundBlocks<Half>, [](KernelTable& k) { k.roundBlocks.bfloats = nullptr; }},
    {"multiplyBlocks, float", checkMultiplyBlocks<float>,
     [](KernelTable& k) { k.multiplyBlocks.floats = nullptr; }},
    {"multiplyBlocks, bf16", checkMultiplyBlocks<Half>,
     [](KernelTable& k) { k.multiplyBlocks.bfloats = nullptr; }},
    {"multiplyDense, float", checkMultiplyDense<float>,
     [](KernelTable& k) { k.multiplyDense.floats = nullptr; }},
    {"multiplyDense, bf16", checkMultiplyDense<Half>,
     [](KernelTable& k) { k.multiplyDense.bfloats = nullptr; }},
    {"multiplyVector, float", checkMultiplyVector<float>,
     [](KernelTable& k) { k.multiplyVector.floats = nullptr; }},
    {"multiplyVector, bf16", checkMultiplyVector<Half>,
     [](KernelTable& k) { k.multiplyVector.bfloats = nullptr; }},
    {"normalizeRows, float", checkNormalize<float>, [](KernelTable& k) { k.normalizeRows.floats = nullptr; }},
    {"normalizeRows, bf16", checkNormalize<Half>, [](KernelTable& k) { k.normalizeRows.bfloats = nullptr; }},
    {"gateRows, float", checkGate<float>, [](KernelTable& k) { k.gateRows.floats = nullptr; }},
    {"gateRows, bf16", checkGate<Half>, [](KernelTable& k) { k.gateRows.bfloats = nullptr; }},
    {"rotateRows, float", checkRotate<float>, [](KernelTable& k) { k.rotateRows.floats = nullptr; }},
    {"rotateRows, bf16", checkRotate<Half>, [](KernelTable& k) { k.rotateRows.bfloats = nullptr; }},
    {"packLevels, float", checkPackLevels<float>, [](KernelTable& k) { k.packLevels.floats = nullptr; }},
    {"packLevels, bf16", checkPackLevels<Half>, [](KernelTable& k) { k.packLevels.bfloats = nullptr; }},
    {"unpackLevels, float", checkUnpackLevels<float>, [](KernelTable& k) { k.unpackLevels.floats = nullptr; }},
    {"unpackLevels, bf16", checkUnpackLevels<Half>, [](KernelTable& k) { k.unpackLevels.bfloats = nullptr; }},
    {"scoreChunks", checkScoreChunks, [](KernelTable& k) { k.scoreChunks = nullptr; }},
    {"attendToken, float", checkAttendToken<float>, [](KernelTable& k) { k.attendToken.floats = nullptr; }},
    {"attendToken, bf16", checkAttendToken<Half>, [](KernelTable& k) { k.attendToken.bfloats = nullptr; }},
    {"attendPacked", checkAttendPacked, [](KernelTable& k) { k.attendPacked = nullptr; }},
    {"attendRows, float", checkAttendRows<float>, [](KernelTable& k) { k.attendRows.floats = nullptr; }},
    {"attendRows, bf16", checkAttendRows<Half>, [](KernelTable& k) { k.attendRows.bfloats = nullptr; }},
    {"receiveAttention, float", checkReceiveAttention<float>,
     [](KernelTable& k) { k.receiveAttention.floats = nullptr; }},
    {"receiveAttention, bf16", checkReceiveAttention<Half>,
     [](KernelTable& k) { k.receiveAttention.bfloats = nullptr; }},
    // What goes there on streams; without products the engine uses no device.
    {kCopiesCheck, checkCopies, [](KernelTable& k) { k.multiplyDense = {}; }},
};

}  // namespace
}  // namespace checks

std::vector<KernelCheck> checkKernels(const KernelBackend& backend, int device) {
  std::vector<KernelCheck> checks;
  for (const checks::Row& row : checks::kRows) {
    KernelCheck& check = checks.emplace_back();
    check.kernel = row.kernel;
    check.isRight = true;
    checks::Trial trial(backend, check);
    try {
      checks::require(backend.chooseDevice(device));
      row.check(trial);
    } catch (const std::runtime_error& error) {
      check.isRight = false;
      check.failure = error.what();
    }
  }
  return checks;
}

KernelTable rightKernels(const KernelTable& kernels, const std::vector<KernelCheck>& checks) {
  KernelTable right = kernels;
  for (const checks::Row& row : checks::kRows) {
    const bool isRight = std::any_of(checks.begin(), checks.end(), [&](const KernelCheck& check) {
      return check.kernel == row.kernel && check.isRight;
    });
    if (!isRight) row.drop(right);
  }
  return right;
}

}  // namespace kvasir
