// Streams with a side log, many threads, and a power cut at any moment: what a sync has
// acknowledged is in the file, in the side log, or in both.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/doubled_stream_fixture.h"

namespace lss {
namespace {

using test::Doubled;
using test::MemoryDevice;
using test::StreamNumber;
using test::Survivors;

class DoubledStreamCrashTest : public test::DoubledStreamFixture {
 protected:
  static constexpr uint64_t kStreams = 4;

  DoubledStreamCrashTest() : DoubledStreamFixture(4) {}

  void BeginAll(SecondMode mode, uint64_t first_number) {
    streams_.clear();
    for (uint64_t i = 0; i < kStreams; ++i) {
      streams_.push_back(Begin(first_number + i, mode));
      streams_.back()->file.Last(300 * i);
    }
  }
  struct Crash {
    Address acknowledged = 0;
    Address in_file = 0;
    Address by_file_and_side = 0;
    Address on_side = 0;
  };
  using CheckCrash = std::function<void(const Crash&)>;
  struct Load {
    int rounds;          // of each thread that appends
    int rounds_per_cut;  // of all threads together, on average
    uint64_t mean_bytes;
    bool catch_up;
    uint64_t seed;
  };

  // Each stream is appended to by one thread, and synced by that and another one. The power is cut
  // by the threads that append: however late a busy machine wakes a thread, what it has just synced
  // is as fresh as that.
  void Run(const Load& load, const CheckCrash& check) {
    running_ = kStreams;
    std::vector<std::thread> threads;
    for (const auto& owned : streams_) {
      Doubled* const stream = owned.get();
      threads.emplace_back([this, stream, load, &check] {
        AppendAndSync(stream, load, check);
        --running_;
      });
      threads.emplace_back([this, stream] {
        while (running_ > 0) {
          EXPECT_TRUE(stream->Sync().ok());
          std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
      });
    }
    if (load.catch_up) {
      threads.emplace_back([this, load] {
        std::mt19937_64 random(load.seed);
        while (running_ > 0) {
          EXPECT_TRUE(streams_[random() % kStreams]->stream->CatchUp().ok());
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  void AppendAndSync(Doubled* stream, const Load& load, const CheckCrash& check) {
    std::mt19937_64 random(load.seed + stream->number);
    for (int i = 0; i < load.rounds; ++i) {
      const bool is_much = load.catch_up && random() % 40 == 0;
      stream->Append(random() % (2 * load.mean_bytes) + 1 +
                     (is_much ? DoubledStream::kMostGrouped : 0));
      if (random() % 3 != 0) {
        EXPECT_TRUE(stream->Sync().ok());
      }
      if (random() % load.rounds_per_cut == 0) {
        CutThePower(check);
      }
    }
    EXPECT_TRUE(stream->Sync().ok());
  }

  // What there is of each stream if the power is cut now.
  void CutThePower(const CheckCrash& check) {
    const std::lock_guard<std::mutex> one_at_a_time(cut_);
    std::vector<Crash> crashes(kStreams);
    std::string content;
    {
      // The side log goes on: its power cut is a moment of its own.
      const std::lock_guard<std::mutex> frozen(frozen_);
      for (uint64_t i = 0; i < kStreams; ++i) {
        crashes[i].acknowledged = streams_[i]->acknowledged;
        crashes[i].in_file = streams_[i]->file.durable();
      }
      content = device_.PowerCut(Survivors::kSyncedOnly);
    }
    MemoryDevice after;
    EXPECT_TRUE(after.Write({{content.data(), content.size()}}, 0, WriteKind::kPlain).ok());
    SideScan scan;
    const Ranges ranges = RangesOf(Scan(&after, &scan));
    for (uint64_t i = 0; i < kStreams; ++i) {
      const uint64_t number = streams_[i]->number;
      crashes[i].on_side = CoveredFrom(0, ranges, number);
      crashes[i].by_file_and_side = CoveredFrom(crashes[i].in_file, ranges, number);
      check(crashes[i]);
    }
  }

  std::vector<std::unique_ptr<Doubled>> streams_;
  std::atomic<uint64_t> running_{0};
  std::mutex cut_;
};

TEST_F(DoubledStreamCrashTest, AGroupHasWhatWasAcknowledgedInTheFileOrTheSideLog) {
  BeginAll(SecondMode::kGroup, 1);
  uint64_t rested_on_side = 0;
  const auto check = [&rested_on_side](const Crash& crash) {
    EXPECT_GE(crash.by_file_and_side, crash.acknowledged);
    rested_on_side += crash.in_file < crash.acknowledged ? 1 : 0;
  };
  Run({1000, 100, 4000, true, 1}, check);
  EXPECT_GT(rested_on_side, 0U);
  EXPECT_GT(figures_.doubled_bytes, log_->space().log_bytes()) << "it went round";
  CutThePower(check);
  for (const auto& stream : streams_) {
    EXPECT_EQ(stream->acknowledged, stream->appended);
    EXPECT_TRUE(stream->stream->CatchUp().ok());
    EXPECT_EQ(stream->file.durable(), stream->appended);
  }
  EXPECT_FALSE(IsAnythingWanted());
  EXPECT_EQ(device_.Violations(), "");
}

TEST_F(DoubledStreamCrashTest, AMirrorHasWhatWasAcknowledgedInBoth) {
  for (uint64_t round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    for (const auto& stream : streams_) {
      log_->Forget(StreamNumber(stream->number));
    }
    BeginAll(SecondMode::kMirror, 1 + round * kStreams);
    const auto check = [](const Crash& crash) {
      EXPECT_GE(crash.in_file, crash.acknowledged);
      EXPECT_GE(crash.on_side, crash.acknowledged);
    };
    Run({50, 28, 800, false, round}, check);
    CutThePower(check);
    for (const auto& stream : streams_) {
      EXPECT_GT(stream->acknowledged, 0U);
    }
  }
  EXPECT_EQ(device_.Violations(), "");
}

// The first bytes found no room, and there is some when the next come: a mirror that has a hole is
// none.
TEST_F(DoubledStreamCrashTest, NoMirrorIsAcknowledgedBehindAHole) {
  constexpr uint64_t kRounds = 60;
  for (uint64_t round = 0; round < kRounds; ++round) {
    FillUp();
    std::atomic<bool> next_may_come{false};
    std::atomic<int> asked{0};
    make_room_ = [&] {
      if (++asked > 1) {
        log_->Forget(StreamNumber(kFiller));
        return true;
      }
      next_may_come = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the next is there by then
      return false;
    };
    const auto stream = Begin(1000 + round, SecondMode::kMirror);
    stream->Append(100);
    std::thread first([&] { EXPECT_FALSE(stream->Sync().ok()); });
    while (!next_may_come) {
      std::this_thread::yield();
    }
    stream->Append(100);
    const bool is_acknowledged = stream->Sync().ok();
    first.join();
    EXPECT_FALSE(is_acknowledged && OnSide(*stream) < 200) << round;
    log_->Forget(StreamNumber(kFiller));
    log_->Forget(StreamNumber(stream->number));
    log_->NoteHead();
  }
}

}  // namespace
}  // namespace lss
