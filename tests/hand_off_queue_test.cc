// Bytes on their way to a file: in order, within bounds, and there after a kill.
#include "lss/second_place/hand_off_queue.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.h"

namespace lss {
namespace {

StreamName SomeStream(uint8_t database = 7) {
  StreamName name;
  name.database.fill(database);
  name.number = 12;
  return name;
}

class HandOffQueueTest : public testing::Test {
 protected:
  HandOffQueueTest() {
    const Status status = HandOffQueue::Create(dir_.path(), SomeStream(), &queue_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  size_t Push(const std::string& bytes) { return queue_->Push({bytes.data(), bytes.size()}); }
  std::string Take(size_t most) {
    const ByteView front = queue_->Front(most);
    std::string bytes(front.data, front.size);
    queue_->Pop(front.size);
    return bytes;
  }
  // As a process that was killed leaves it; what leaks is no mistake.
  std::string Leave() {
    static auto* const left = new std::vector<HandOffQueue*>;
    left->push_back(queue_.release());
    return Path();
  }
  std::string Path() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      found.push_back(entry.path());
    }
    return found.empty() ? "" : found.front();
  }
  std::string Recovered(const Uuid& database, uint32_t owner, uint64_t* begin = nullptr) {
    std::string bytes;
    const Status status =
        HandOffQueue::Recover(dir_.path(), database, owner,
                              [&](const StreamName& stream, uint64_t offset, ByteView part) {
                                EXPECT_EQ(stream.number, 12U);
                                if (begin != nullptr && bytes.empty()) {
                                  *begin = offset;
                                }
                                bytes.append(part.data, part.size);
                                return Status::Ok();
                              });
    EXPECT_TRUE(status.ok()) << status.ToString();
    return bytes;
  }
  uint64_t MemoryUsed() const {
    struct stat st = {};
    EXPECT_EQ(stat(Path().c_str(), &st), 0);
    return static_cast<uint64_t>(st.st_blocks) * 512;
  }

  bloom_lfs::test::TempDir dir_;
  std::unique_ptr<HandOffQueue> queue_;
};

TEST_F(HandOffQueueTest, BytesComeOutAsTheyWentInWhileBothSidesWork) {
  constexpr uint64_t kBytes = 200 << 20;  // three times round
  std::thread taker([&] {
    std::mt19937_64 random(1);
    for (uint64_t taken = 0; taken < kBytes;) {
      const std::string bytes = Take(random() % 300000 + 1);
      for (size_t i = 0; i < bytes.size(); i += 4096) {
        ASSERT_EQ(bytes[i], static_cast<char>((taken + i) * 31 >> 8)) << taken + i;
      }
      taken += bytes.size();
    }
  });
  std::mt19937_64 random(2);
  for (uint64_t pushed = 0; pushed < kBytes;) {
    std::string bytes(std::min<uint64_t>(random() % 200000 + 1, kBytes - pushed), '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>((pushed + i) * 31 >> 8);
    }
    for (size_t done = 0; done < bytes.size();) {
      done += queue_->Push({bytes.data() + done, bytes.size() - done});
    }
    pushed += bytes.size();
  }
  taker.join();
  EXPECT_EQ(queue_->pushed(), kBytes);
  EXPECT_EQ(queue_->popped(), kBytes);
}

TEST_F(HandOffQueueTest, AFullOneTakesAPart) {
  const std::string much(HandOffQueue::kCapacity - 10, 'm');
  EXPECT_EQ(Push(much), much.size());
  EXPECT_EQ(Push("0123456789abc"), 10U);
  EXPECT_EQ(Push("x"), 0U);
  EXPECT_EQ(Take(5), "mmmmm");
  EXPECT_EQ(Push("xyzxyz"), 5U);
}

TEST_F(HandOffQueueTest, MemoryIsGivenBackAfterAStall) {
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(Push(std::string(500000, 'q')), 500000U);
    while (!Take(1 << 20).empty()) {
    }
  }
  EXPECT_LE(MemoryUsed(), uint64_t{4} << 20) << "it was emptied each time";
  const std::string much(40 << 20, 'm');
  ASSERT_EQ(Push(much), much.size());
  EXPECT_GE(MemoryUsed(), uint64_t{40} << 20);
  while (!Take(1 << 20).empty()) {
  }
  ASSERT_EQ(Push("next"), 4U);
  EXPECT_LE(MemoryUsed(), uint64_t{4} << 20);
}

TEST_F(HandOffQueueTest, WhatAKilledProcessHadPushedIsFoundAndWhereItBelongs) {
  Push("taken, ");
  Push("and left");
  EXPECT_EQ(Take(7), "taken, ");
  const std::string path = Leave();
  uint64_t begin = 0;
  EXPECT_EQ(Recovered(SomeStream().database, geteuid(), &begin), "and left");
  EXPECT_EQ(begin, 7U);
  EXPECT_EQ(Recovered(SomeStream().database, geteuid()), "and left") << "until it is removed";
  HandOffQueue::Remove(dir_.path(), SomeStream().database);
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_F(HandOffQueueTest, AStallThatWentRoundIsFoundWhole) {
  const std::string much(HandOffQueue::kCapacity - 100, 'm');
  ASSERT_EQ(Push(much), much.size());
  size_t left = much.size() - 50;
  while (left > 0) {
    left -= Take(std::min<size_t>(left, 1 << 20)).size();
  }
  ASSERT_EQ(Push(std::string(300, 'r')), 300U);
  Leave();
  EXPECT_EQ(Recovered(SomeStream().database, geteuid()),
            std::string(50, 'm') + std::string(300, 'r'));
}

TEST_F(HandOffQueueTest, OnesOfOthersAreLeftAlone) {
  Push("bytes");
  const std::string path = Leave();
  EXPECT_EQ(Recovered(SomeStream(8).database, geteuid()), "") << "another database's";
  chmod(path.c_str(), 0620);
  EXPECT_EQ(Recovered(SomeStream().database, geteuid()), "") << "anybody's";
  chmod(path.c_str(), 0600);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(path.c_str(), 4711, 4711), 0);
    EXPECT_EQ(Recovered(SomeStream().database, 0), "") << "another user's";
    EXPECT_EQ(Recovered(SomeStream().database, 4711), "bytes");
  }
}

TEST_F(HandOffQueueTest, ADamagedOneIsLeftAlone) {
  Push("bytes");
  const std::string path = Leave();
  ASSERT_EQ(truncate(path.c_str(), 5000), 0);
  EXPECT_EQ(Recovered(SomeStream().database, geteuid()), "");
}

TEST_F(HandOffQueueTest, GoesWithItsStream) {
  const std::string path = Path();
  ASSERT_EQ(access(path.c_str(), F_OK), 0);
  queue_.reset();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace lss
