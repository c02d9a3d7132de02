#include "kernels/received.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Received;
using cases::Sight;

class ReceiveAttention : public EveryWay {
 protected:
  template <class Value>
  void receive(const ReceivedAttention<Value>& attention, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return receiveAttention(attention, begin, end);
    for (std::int64_t head = 0; head < attention.heads(); ++head)
      for (std::int64_t key = begin; key < end; ++key)
        attention.received[head * attention.count + key] = attention.sumOf(head, key);
  }

  template <class Value>
  void expectRight(Received<Value> received) const {
    SCOPED_TRACE(testing::Message() << received.rows.rows << " rows of " << received.rows.dimension << " over "
                                    << received.rows.count << ", " << received.heads << " heads");
    const ReceivedAttention<Value> attention = received.argument();
    receive(attention, 0, attention.count);
    EXPECT_TRUE(isNone(reference::differences(reference::receiveAttention(attention), received.received)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, ReceiveAttention, everyWay(), nameOfWay);

TEST_P(ReceiveAttention, TakesAnyCountOfRowsAndKeys) {
  for (const int rows : {1, 3, 4, 5, 13})
    for (const int count : {1, 3, 63, 64, 65, 200}) {
      expectRight<float>({{rows, 64, count}});
      expectRight<std::uint16_t>({{rows, 64, count}});
    }
}

TEST_P(ReceiveAttention, TakesAnyDimension) {
  for (const int dimension : {1, 3, 16, 20, 64, 80, 256}) {
    expectRight<float>({{6, dimension, 70}});
    expectRight<std::uint16_t>({{6, dimension, 70}});
  }
}

TEST_P(ReceiveAttention, KeepsHeadsApart) {
  for (const int heads : {2, 3, 9}) {
    expectRight<float>({{9 * heads, 32, 70}, heads});
    expectRight<std::uint16_t>({{9 * heads, 32, 70}, heads});
  }
}

TEST_P(ReceiveAttention, CountsNothingOfWhatARowDoesNotSee) {
  for (const Sight sight : {Sight::Causal, Sight::Window}) {
    expectRight<float>({{70, 64, 70, sight}});
    expectRight<std::uint16_t>({{50, 32, 173, sight}});
  }
  Received<float> blind{{4, 16, 130}};
  const ReceivedAttention<float> attention = blind.argument();
  std::fill(blind.rows.begins.begin(), blind.rows.begins.end(), 70);
  std::fill(blind.rows.ends.begin(), blind.rows.ends.end(), 70);
  receive(attention, 0, 130);
  EXPECT_EQ(blind.received, std::vector<float>(130, 0.0f));
}

TEST_P(ReceiveAttention, GivesEveryRowsAttentionAway) {
  Received<std::uint16_t> received{{40, 64, 700, Sight::Causal}, 2};
  const ReceivedAttention<std::uint16_t> attention = received.argument();
  receive(attention, 0, 700);
  for (int head = 0; head < 2; ++head) {
    double sum = 0;
    for (int key = 0; key < 700; ++key) sum += received.received[head * 700 + key];
    EXPECT_NEAR(sum, 20, 0.01);
  }
}

TEST_P(ReceiveAttention, WritesTheKeysAskedForAndNoOther) {
  for (const auto& [begin, end] : {std::pair{0, 70}, {70, 71}, {64, 128}, {5, 5}, {33, 200}}) {
    Received<float> received{{12, 64, 200}, 2};
    const ReceivedAttention<float> attention = received.argument();
    const reference::Expectations expected = reference::receiveAttention(attention);
    receive(attention, begin, end);
    for (int i = 0; i < 400; ++i) {
      if (i % 200 < begin || i % 200 >= end)
        EXPECT_TRUE(std::isnan(received.received[i])) << i;
      else
        EXPECT_TRUE(reference::distance(expected[i], received.received[i]).isWithin()) << i;
    }
  }
}

TEST_P(ReceiveAttention, GivesAKeyTheSameWhateverComesWithIt) {
  Received<std::uint16_t> together{{24, 64, 150, Sight::Causal}, 3}, alone = together;
  receive(together.argument(), 0, 150);
  const ReceivedAttention<std::uint16_t> attention = alone.argument();
  for (int key = 0; key < 150; ++key) receive(attention, key, key + 1);
  EXPECT_EQ(together.received, alone.received);
}

}  // namespace
}  // namespace kvasir
