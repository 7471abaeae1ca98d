// Many threads on one buffer, lap after lap. Run under ThreadSanitizer: on x86 a missing barrier
// shows there and nowhere else.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "lss/ring/flush_buffer.h"
#include "tests/support/aligned_memory.h"

namespace lss {
namespace {

constexpr uint32_t kCapacity = 4096;
constexpr int kThreads = 4;

// Enough that the rare interleavings come up on a busy machine too.
#ifdef __SANITIZE_THREAD__
constexpr uint64_t kLaps = 100000;
#else
constexpr uint64_t kLaps = 1000000;
#endif

// A record is a multiple of 8 bytes: its length, and its address over and over again.
void WriteRecord(char* at, uint32_t length, Address address) {
  const uint64_t head = length;
  std::memcpy(at, &head, sizeof(head));
  for (uint32_t i = 8; i < length; i += 8) {
    std::memcpy(at + i, &address, sizeof(address));
  }
}

// Walks the records of a sealed buffer. Zeros may lie between them: a thread that slept for a lap
// gives up what it got by mistake. Returns the records that are whole, -1 for anything else.
int CountRecords(const char* data, uint32_t sealed_length, Address base) {
  int records = 0;
  for (uint32_t at = 0; at < sealed_length;) {
    uint64_t head = 0;
    std::memcpy(&head, data + at, sizeof(head));
    if (head == 0) {
      at += 8;
      continue;
    }
    if (head > sealed_length - at) {
      return -1;
    }
    for (uint32_t i = 8; i < head; i += 8) {
      Address address = 0;
      std::memcpy(&address, data + at + i, sizeof(address));
      if (address != base + at) {
        return -1;
      }
    }
    at += static_cast<uint32_t>(head);
    ++records;
  }
  return records;
}

// One buffer whose flushers check it and reopen it at once.
class Laps {
 public:
  explicit Laps(uint64_t lap_count) : memory_(kCapacity), lap_count_(lap_count) {
    buffer_.Attach(memory_.data(), kCapacity, &base_);
    buffer_.Reopen(0, 0);
  }

  void Writer(uint32_t seed) {
    uint32_t random = seed;
    for (;;) {
      const uint64_t lap = lap_.load(std::memory_order_acquire);
      if (lap >= lap_count_) {
        return;
      }
      random = random * 1664525 + 1013904223;
      const uint32_t length = 8 + (random >> 20) % 96 * 8;
      const BufferReservation got = buffer_.Reserve(length, GenerationOfLap(lap));
      FlushDuty duty = got.duty;
      if (got.reserved) {
        WriteRecord(buffer_.data() + got.offset, length, buffer_.base() + got.offset);
        ++written_;
        duty = buffer_.Leave();
      }
      CheckAndReopen(duty);
      if ((random >> 8) % 16 == 0) {
        CheckAndReopen(buffer_.Seal(GenerationOfLap(lap)));
      }
    }
  }

  uint64_t written() const { return written_; }
  uint64_t found() const { return found_; }
  uint64_t broken_laps() const { return broken_laps_; }
  uint64_t double_duties() const { return double_duties_; }
  uint64_t laps() const { return lap_; }

 private:
  void CheckAndReopen(FlushDuty duty) {
    if (duty == FlushDuty::kNone) {
      return;
    }
    if (flushers_.fetch_add(1) != 0) {
      ++double_duties_;
    }
    const Address base = buffer_.base();
    const int records = CountRecords(buffer_.data(), buffer_.SealedLength(), base);
    broken_laps_ += records < 0 ? 1 : 0;
    found_ += static_cast<uint64_t>(records < 0 ? 0 : records);
    std::memset(buffer_.data(), 0, kCapacity);
    const uint64_t next = lap_.load(std::memory_order_relaxed) + 1;
    flushers_.fetch_sub(1);
    // Announced before the buffer is open, so that reservations of the next lap race with Reopen:
    // the state word alone must publish what it has set.
    lap_.store(next, std::memory_order_release);
    buffer_.Reopen(base + kCapacity, GenerationOfLap(next));
  }

  test::AlignedMemory memory_;
  const uint64_t lap_count_;
  GuardedWord base_ = {};
  FlushBuffer buffer_;
  std::atomic<uint64_t> lap_{0};
  std::atomic<int> flushers_{0};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> found_{0};
  std::atomic<uint64_t> broken_laps_{0};
  std::atomic<uint64_t> double_duties_{0};
};

// Traps 2, 3, 4, 5 and 6 together: whoever gets the duty finds every record whole, at its address,
// up to the sealed length and none behind it; and nobody else has the duty at the same time.
TEST(FlushBufferRaceTest, Trap04_TheFlusherSeesEveryWritersBytesInEveryLap) {
  Laps laps(kLaps / 20);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&laps, i] { laps.Writer(i + 1); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(laps.broken_laps(), 0U) << "a record was torn, lost or at the wrong address";
  EXPECT_EQ(laps.double_duties(), 0U) << "two threads had to flush one lap (trap 6)";
  EXPECT_GE(laps.laps(), kLaps / 20);
  // Records that were written in the last lap, which nobody has sealed, have not been counted.
  EXPECT_LE(laps.found(), laps.written());
  EXPECT_GE(laps.found() + kCapacity / 8, laps.written()) << "records are missing from laps";
}

// What Flush builds on: after Seal returns, the lap is over unless it was empty. Also when another
// thread is between its overshooting addition and its sealing bit.
TEST(FlushBufferRaceTest, SealReturnsOnlyWhenTheLapIsOver) {
  test::AlignedMemory memory(kCapacity);
  GuardedWord base = {};
  FlushBuffer buffer;
  buffer.Attach(memory.data(), kCapacity, &base);
  buffer.Reopen(0, 0);
  std::atomic<uint64_t> lap{0};
  std::atomic<uint64_t> flushed_laps{0};
  std::atomic<uint64_t> double_duties{0};
  uint64_t still_open = 0;
  uint64_t wrong_lengths = 0;

  const auto take = [&](FlushDuty duty) {
    if (duty == FlushDuty::kMustFlush) {
      // The base is that of the lap to flush: the main thread does not go on before.
      const uint64_t laps = buffer.base() / kCapacity + 1;
      double_duties += flushed_laps.exchange(laps, std::memory_order_acq_rel) == laps ? 1 : 0;
    }
  };
  // Reserved where nobody expects it: this thread slept until the generation came round again, and
  // was the first in its lap.
  const auto leave_or_take = [&](const BufferReservation& got) {
    take(got.reserved ? buffer.Leave() : got.duty);
  };
  const auto overshoot = [&] {
    while (lap.load(std::memory_order_acquire) < kLaps) {
      const uint64_t now = lap.load(std::memory_order_acquire);
      // Does not fit behind the 8 bytes of the main thread.
      if (buffer.Remaining(GenerationOfLap(now)) == kCapacity - 8) {
        leave_or_take(buffer.Reserve(kCapacity, GenerationOfLap(now)));
      }
    }
  };
  std::vector<std::thread> overshooters;
  for (int i = 0; i < kThreads - 1; ++i) {
    overshooters.emplace_back(overshoot);
  }
  for (uint64_t now = 0; now < kLaps; ++now) {
    const uint32_t generation = GenerationOfLap(now);
    // Not reserved: the other one slept for a lap, took the new lap whole by mistake and gives it
    // up.
    const BufferReservation got = buffer.Reserve(8, generation);
    leave_or_take(got);
    take(buffer.Seal(generation));
    still_open += buffer.IsSealed(generation) ? 0 : 1;
    wrong_lengths += got.reserved && buffer.SealedLength() != 8 ? 1 : 0;
    while (flushed_laps.load(std::memory_order_acquire) <= now) {
      std::this_thread::yield();
    }
    buffer.Reopen((now + 1) * kCapacity, GenerationOfLap(now + 1));
    lap.store(now + 1, std::memory_order_release);
  }
  for (std::thread& overshooter : overshooters) {
    overshooter.join();
  }
  EXPECT_EQ(still_open, 0U) << "of " << kLaps << " seals returned before the lap was over";
  EXPECT_EQ(wrong_lengths, 0U) << "the length is that of the sealing exchange, not a later one";
  EXPECT_EQ(double_duties.load(), 0U) << "one duty per lap (trap 6)";
}

}  // namespace
}  // namespace lss
