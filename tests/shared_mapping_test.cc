// A mapping whose file gets into trouble: the process lives, the mapping says so, and what it still
// had stays readable.

#include "lss/ring/shared_mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/base/types.h"
#include "lss/base/unique_fd.h"
#include "tests/support/files.h"
#include "tests/support/page_faults.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;
using Access = SharedMapping::Access;

constexpr uint64_t kPages = 4;

class SharedMappingTest : public testing::Test {
 protected:
  SharedMappingTest() {
    for (uint64_t i = 0; i < kPages; ++i) {
      content_ += std::string(kPageBytes, static_cast<char>('a' + i));
    }
    WriteFile(path_, content_);
  }
  std::unique_ptr<SharedMapping> Map(Access access = Access::kReadWrite) {
    const UniqueFd fd(
        open(path_.c_str(), access == Access::kRead ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CLOEXEC));
    std::unique_ptr<SharedMapping> mapping;
    const Status status =
        SharedMapping::Map(fd.get(), path_, kPages * kPageBytes, access, &mapping);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return mapping;
  }
  static std::string Page(const SharedMapping& mapping, uint64_t page) {
    return {mapping.data() + page * kPageBytes, kPageBytes};
  }
  static bool LostPage(const SharedMapping& mapping, uint64_t page) {
    return mapping.Lost(mapping.data() + page * kPageBytes, kPageBytes);
  }

  TempDir dir_;
  const std::string path_ = dir_ / "mapped";
  std::string content_;
};

TEST_F(SharedMappingTest, StoresReachTheFileWhileAllIsWell) {
  const auto mapping = Map();
  std::memset(mapping->data() + kPageBytes, 'x', 10);
  EXPECT_FALSE(mapping->failed());
  EXPECT_FALSE(mapping->AnyLost());
  EXPECT_EQ(ReadFile(path_).substr(kPageBytes, 12), "xxxxxxxxxxbb");
}

TEST_F(SharedMappingTest, AStoreIntoAFileCutShortFailsTheMappingAndNotTheProcess) {
  const auto mapping = Map();
  test::CutShort(path_, 2 * kPageBytes);
  mapping->data()[3 * kPageBytes + 5] = 'x';
  EXPECT_TRUE(mapping->failed());
  EXPECT_TRUE(LostPage(*mapping, 3));
  EXPECT_FALSE(LostPage(*mapping, 1));
  std::string expected(kPageBytes, '\0');
  expected[5] = 'x';
  EXPECT_EQ(Page(*mapping, 3), expected) << "the store itself goes on";
  EXPECT_EQ(Page(*mapping, 1), std::string(kPageBytes, 'b')) << "the file still has it";
  EXPECT_EQ(ReadFile(path_), content_.substr(0, 2 * kPageBytes)) << "nothing went to the file";
}

TEST_F(SharedMappingTest, ARefusedStoreKeepsWhatThePageHeld) {
  const auto mapping = Map();
  mapping->data()[2 * kPageBytes] = 'x';
  test::RefuseStore(mapping->data() + 2 * kPageBytes + 100);
  EXPECT_TRUE(mapping->failed());
  EXPECT_FALSE(mapping->AnyLost());
  EXPECT_EQ(Page(*mapping, 2), "x" + std::string(kPageBytes - 1, 'c'));
  mapping->data()[2 * kPageBytes + 1] = 'y';
  EXPECT_EQ(Page(*mapping, 2).substr(0, 3), "xyc");
  EXPECT_EQ(ReadFile(path_).substr(2 * kPageBytes, 3), "xcc") << "private from the fault on";
}

// Otherwise the words of a ring could vouch for bytes that are in no file.
TEST_F(SharedMappingTest, TheFirstPageLeavesTheFileWithTheFirstThatFails) {
  const auto mapping = Map();
  test::RefuseStore(mapping->data() + 2 * kPageBytes);
  mapping->data()[0] = 'x';
  mapping->data()[kPageBytes] = 'y';
  EXPECT_EQ(Page(*mapping, 0), "x" + std::string(kPageBytes - 1, 'a'));
  EXPECT_EQ(ReadFile(path_)[0], 'a') << "frozen";
  EXPECT_EQ(ReadFile(path_)[kPageBytes], 'y') << "shared as before";
}

TEST_F(SharedMappingTest, AReaderOfAFileCutShortIsTold) {
  const auto mapping = Map(Access::kRead);
  EXPECT_EQ(Page(*mapping, 3), std::string(kPageBytes, 'd'));
  test::CutShort(path_, kPageBytes);
  EXPECT_EQ(Page(*mapping, 3), std::string(kPageBytes, '\0'));
  EXPECT_TRUE(mapping->failed());
  EXPECT_TRUE(mapping->Lost(mapping->data() + 4 * kPageBytes - 1, 1));
  EXPECT_FALSE(mapping->Lost(mapping->data(), kPageBytes));
}

TEST_F(SharedMappingTest, OfOtherMemoryNothingIsLost) {
  const auto mapping = Map();
  test::CutShort(path_);
  mapping->data()[0] = 'x';
  const std::string elsewhere(kPageBytes, 'e');
  EXPECT_TRUE(mapping->AnyLost());
  EXPECT_FALSE(mapping->Lost(elsewhere.data(), elsewhere.size()));
  EXPECT_FALSE(mapping->Lost(mapping->data(), 0));
}

TEST_F(SharedMappingTest, ErrnoIsLeftAlone) {
  const auto mapping = Map();
  test::CutShort(path_);
  errno = EXDEV;
  mapping->data()[kPageBytes] = 'x';
  EXPECT_EQ(errno, EXDEV);
}

TEST_F(SharedMappingTest, ASystemCallOnALostPageIsAnErrorAndFailsNothing) {
  const auto mapping = Map();
  test::CutShort(path_);
  const UniqueFd fd(open((dir_ / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(write(fd.get(), mapping->data(), kPageBytes), -1);
  EXPECT_EQ(errno, EFAULT);
}

// Whoever comes second must not put a page over what the first has stored into its own.
TEST_F(SharedMappingTest, ThreadsThatMeetTheSameFaultLoseNoStore) {
  for (int round = 0; round < 20; ++round) {
    WriteFile(path_, content_);
    const auto mapping = Map();
    test::CutShort(path_);
    constexpr size_t kThreads = 8;
    std::atomic<size_t> ready{0};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        ready.fetch_add(1);
        while (ready.load() < kThreads) {
          std::this_thread::yield();
        }
        for (size_t page = 0; page < kPages; ++page) {
          mapping->data()[page * kPageBytes + t] = static_cast<char>('0' + t);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (size_t page = 0; page < kPages; ++page) {
      EXPECT_EQ(Page(*mapping, page).substr(0, kThreads), "01234567") << "page " << page;
    }
  }
}

TEST_F(SharedMappingTest, MappingsComeAndGoWhileOthersFail) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> others;
  for (int t = 0; t < 2; ++t) {
    others.emplace_back([&, t] {
      const std::string path = dir_ / ("other" + std::to_string(t));
      WriteFile(path, content_);
      while (!stop.load()) {
        const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
        std::vector<std::unique_ptr<SharedMapping>> some(100);
        for (auto& mapping : some) {
          ASSERT_TRUE(
              SharedMapping::Map(fd.get(), path, kPages * kPageBytes, Access::kReadWrite, &mapping)
                  .ok());
        }
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    WriteFile(path_, content_);
    const auto mapping = Map();
    test::CutShort(path_, 2 * kPageBytes);
    mapping->data()[3 * kPageBytes] = 'x';
    EXPECT_TRUE(mapping->failed());
    EXPECT_EQ(Page(*mapping, 1), std::string(kPageBytes, 'b'));
  }
  stop = true;
  for (std::thread& thread : others) {
    thread.join();
  }
}

TEST_F(SharedMappingTest, AForkedChildHasFaultsOfItsOwn) {
  const auto mapping = Map();
  const pid_t child = fork();
  if (child == 0) {
    const auto own = Map();
    test::CutShort(path_);
    own->data()[kPageBytes] = 'x';
    _exit(own->failed() && !mapping->failed() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(mapping->failed());
}

TEST_F(SharedMappingTest, WhatIsTooLargeIsRefused) {
  const UniqueFd fd(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  std::unique_ptr<SharedMapping> mapping;
  const Status status = SharedMapping::Map(fd.get(), path_, (uint64_t{1} << 32) + kPageBytes,
                                           Access::kRead, &mapping);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(path_), std::string::npos) << status.message();
}

}  // namespace
}  // namespace lss
