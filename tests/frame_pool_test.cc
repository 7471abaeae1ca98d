// Frames and their queue: bounded, and never reused under a reader.
#include "lss/pages/frame_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "lss/pages/frame_queue.h"
#include "lss/pages/page_table.h"

namespace lss {
namespace {

TEST(FramePoolTest, GivesEachFrameOnce) {
  FramePool pool(10, 1 << 20);
  std::set<uint32_t> taken;
  for (int i = 0; i < 10; ++i) {
    taken.insert(pool.Take(100));
  }
  EXPECT_EQ(taken.size(), 10U);
  EXPECT_EQ(taken.count(FramePool::kNone), 0U);
  EXPECT_EQ(pool.Take(100), FramePool::kNone);
  EXPECT_EQ(pool.used_bytes(), 1000U);
  for (const uint32_t frame : taken) {
    pool.GiveBack(frame);
  }
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_NE(pool.Take(100), FramePool::kNone);
}

TEST(FramePoolTest, AFrameThatIsTakenAnewWasNotTouchedYet) {
  FramePool pool(1, 1000);
  const uint32_t frame = pool.Take(10);
  pool.frame(frame).touched = true;
  pool.GiveBack(frame);
  ASSERT_EQ(pool.Take(10), frame);
  EXPECT_FALSE(pool.frame(frame).touched);
}

TEST(FramePoolTest, AFreeFrameKeepsItsMemoryForWhatFits) {
  FramePool pool(1, 100000);
  uint32_t frame = pool.Take(4000);
  const char* const memory = pool.frame(frame).bytes.get();
  const auto take_anew = [&](uint32_t length) {
    pool.GiveBack(frame);
    frame = pool.Take(length);
    EXPECT_NE(frame, FramePool::kNone);
    return pool.frame(frame).bytes.get();
  };
  EXPECT_EQ(take_anew(4000), memory);
  EXPECT_EQ(take_anew(3500), memory);
  char* const larger = take_anew(5000);
  memset(larger, 1, 5000);
  char* const small = take_anew(100);
  memset(small, 1, 100);
  EXPECT_EQ(pool.used_bytes(), 100U);
}

TEST(FramePoolTest, UsedAndFreeFramesTogetherKeepToTheBudget) {
  FramePool pool(100, 8000);
  const auto fill = [&](uint32_t length) {
    std::vector<uint32_t> taken;
    for (uint32_t frame = pool.Take(length); frame != FramePool::kNone; frame = pool.Take(length)) {
      taken.push_back(frame);
    }
    for (const uint32_t frame : taken) {
      pool.GiveBack(frame);
    }
    return taken.size();
  };
  const auto frames_with_memory = [&] {
    size_t count = 0;
    for (uint32_t frame = 0; frame < 100; ++frame) {
      count += pool.frame(frame).bytes != nullptr ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(fill(1000), 8U);
  EXPECT_EQ(frames_with_memory(), 8U);
  EXPECT_EQ(fill(100), 80U);
  EXPECT_EQ(frames_with_memory(), 80U) << "the eight have become smaller";
  EXPECT_EQ(fill(1000), 8U);
  EXPECT_LE(frames_with_memory(), 80U);
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST(FramePoolTest, BytesAreBounded) {
  FramePool pool(10, 1000);
  const uint32_t first = pool.Take(600);
  ASSERT_NE(first, FramePool::kNone);
  EXPECT_EQ(pool.Take(600), FramePool::kNone);
  EXPECT_NE(pool.Take(400), FramePool::kNone);
  pool.Retire(first);
  EXPECT_NE(pool.Take(600), FramePool::kNone);
}

TEST(FramePoolTest, AFrameThatIsReadIsNotReused) {
  FramePool pool(1, 1000);
  const uint32_t frame = pool.Take(10);
  pool.Pin(frame);
  pool.Retire(frame);
  EXPECT_EQ(pool.retired_count(), 1U);
  EXPECT_EQ(pool.Take(10), FramePool::kNone);
  pool.Sweep();
  EXPECT_EQ(pool.Take(10), FramePool::kNone);
  pool.Unpin(frame);
  pool.Sweep();
  EXPECT_EQ(pool.retired_count(), 0U);
  EXPECT_EQ(pool.Take(10), frame);
}

// The protocol of frame_pool.h with all its sides: those who share frames, readers, the owner.
TEST(FramePoolTest, ReadersSeeWholePagesOfTheWordTheyHold) {
  constexpr uint64_t kPages = 20000;
  constexpr uint32_t kLength = 256;
  FramePool pool(16, 1 << 20);
  FrameQueue queue(16);
  std::unique_ptr<PageTable> table;
  ASSERT_TRUE(PageTable::Create(2, &table).ok());
  std::atomic<bool> done{false};
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> read{0};
  std::thread inserter([&] {
    for (uint64_t number = 0; number < kPages;) {
      const uint32_t at = pool.Take(kLength);
      if (at == FramePool::kNone) {
        std::this_thread::yield();
        continue;
      }
      Frame& frame = pool.frame(at);
      frame.key = {number, number};
      memset(frame.bytes.get(), static_cast<int>(number % 251), kLength);
      // One tag for all: words of different pages look the same.
      const PageTable::Inserted in = table->Insert(0, PageWord::Memory(0, at));
      if (!in.done) {
        pool.GiveBack(at);
        continue;
      }
      frame.index = in.index;
      queue.Push(at);
      ++number;
    }
    done.store(true);
  });
  std::thread owner([&] {
    for (;;) {
      const bool last = done.load();
      const uint32_t at = queue.Pop();
      if (at != FramePool::kNone) {
        table->Replace(pool.frame(at).index, PageWord::Memory(0, at), PageWord());
        pool.Retire(at);
      } else if (last && pool.used_bytes() == 0) {
        return;
      }
      pool.Sweep();
    }
  });
  const auto reader = [&] {
    while (!done.load()) {
      for (const PageTable::Found& found : table->Find(0)) {
        const uint32_t at = found.word.frame();
        pool.Pin(at);
        if (table->Load(found.index) == found.word) {
          const Frame& frame = pool.frame(at);
          const char wanted = static_cast<char>(frame.key.low % 251);
          for (uint32_t i = 0; i < kLength; ++i) {
            wrong.fetch_add(frame.bytes[i] != wanted ? 1 : 0);
          }
          read.fetch_add(1);
        }
        pool.Unpin(at);
      }
    }
  };
  std::thread reader1(reader);
  std::thread reader2(reader);
  inserter.join();
  reader1.join();
  reader2.join();
  owner.join();
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(read.load(), 0U);
}

TEST(FrameQueueTest, FirstInFirstOut) {
  FrameQueue queue(4);
  EXPECT_FALSE(queue.HasNext());
  for (uint32_t lap = 0; lap < 10; ++lap) {
    for (uint32_t frame = 0; frame < 4; ++frame) {
      queue.Push(frame);
    }
    EXPECT_TRUE(queue.HasNext());
    for (uint32_t frame = 0; frame < 4; ++frame) {
      EXPECT_EQ(queue.Pop(), frame);
    }
    EXPECT_EQ(queue.Pop(), FramePool::kNone);
  }
}

}  // namespace
}  // namespace lss
