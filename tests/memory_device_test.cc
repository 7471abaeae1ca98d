// The fake device itself: what the other tests take for granted.
#include "tests/support/memory_device.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/stream_bytes.h"

namespace lss::test {
namespace {

class MemoryDeviceTest : public testing::Test {
 protected:
  Status Write(Address offset, const std::string& bytes, WriteKind kind = WriteKind::kPlain) {
    const AlignedMemory memory(bytes);
    return device_.Write({{memory.data(), bytes.size()}}, offset, kind);
  }
  std::string Synced() const { return device_.PowerCut(Survivors::kSyncedOnly); }

  MemoryDevice device_;
};

TEST_F(MemoryDeviceTest, IsAFile) {
  ASSERT_TRUE(Write(0, "hello world").ok());
  ASSERT_TRUE(Write(6, "there").ok());
  EXPECT_EQ(device_.Content(), "hello there");
  ASSERT_TRUE(device_.SetSize(3).ok());
  ASSERT_TRUE(device_.SetSize(5).ok());
  EXPECT_EQ(device_.Content(), std::string("hel\0\0", 5));
  char bytes[10];
  size_t read = 0;
  ASSERT_TRUE(device_.Read(1, 10, bytes, &read).ok());
  EXPECT_EQ(std::string(bytes, read), std::string("el\0\0", 4));
}

TEST_F(MemoryDeviceTest, RecordsCallsInTheOrderOfTheirBeginning) {
  ASSERT_TRUE(Write(0, "abc").ok());
  ASSERT_TRUE(device_.Sync().ok());
  device_.Fail({DeviceCall::kAllocate, ENOSPC});
  ASSERT_FALSE(device_.Allocate(0, 4096).ok());
  device_.BypassCache(true);
  EXPECT_EQ(device_.Trace({DeviceCall::kWrite, DeviceCall::kSync, DeviceCall::kAllocate,
                           DeviceCall::kBypassCache}),
            Lines({"write 0+3 plain", "sync", "allocate 0+4096 failed", "direct on"}));
  device_.ForgetEvents();
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U);
}

TEST_F(MemoryDeviceTest, FailsTheCallsItIsToldTo) {
  device_.Fail({DeviceCall::kWrite, EIO, /*skip=*/1, /*times=*/2, /*bytes_landed=*/2});
  EXPECT_TRUE(Write(0, "aaaa").ok());
  EXPECT_EQ(Write(0, "bbbb").error_number(), EIO);
  EXPECT_EQ(Write(0, "cc").error_number(), EIO);
  EXPECT_TRUE(Write(4, "d").ok());
  EXPECT_EQ(device_.Content(), "ccaad");
}

TEST_F(MemoryDeviceTest, HoldsACallUntilItIsReleased) {
  device_.Hold(DeviceCall::kSync, /*skip=*/1);
  ASSERT_TRUE(device_.Sync().ok());
  std::thread syncing([this] { EXPECT_TRUE(device_.Sync().ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  EXPECT_FALSE(device_.Events().back().ended);
  ASSERT_TRUE(Write(0, "x").ok()) << "others go on";
  device_.Release();
  syncing.join();
  EXPECT_EQ(Synced(), "") << "the write came after the beginning of the sync";
}

TEST_F(MemoryDeviceTest, PunishesOverlapChangedBytesAndMisalignment) {
  AlignedMemory memory(8192);
  device_.Hold(DeviceCall::kWrite);
  std::thread writing([&] {
    EXPECT_TRUE(device_.Write({{memory.data(), 4096}}, 0, WriteKind::kPlain).ok());
  });
  ASSERT_TRUE(device_.AwaitHeld());
  memory.data()[5] = 'x';
  ASSERT_TRUE(Write(4000, "abc").ok());
  device_.BypassCache(true);
  device_.Release();
  writing.join();
  ASSERT_TRUE(Write(4096, "not a page").ok());
  const std::string violations = device_.Violations();
  for (const char* expected : {"two writes of one page", "bytes changed", "direct I/O switched",
                               "unaligned direct write 4096+10"}) {
    EXPECT_NE(violations.find(expected), std::string::npos) << expected << " in\n" << violations;
  }
}

TEST_F(MemoryDeviceTest, PunishesASyncAfterAFailedOneAndLosesItsBytes) {
  ASSERT_TRUE(Write(0, "kept").ok());
  ASSERT_TRUE(device_.Sync().ok());
  ASSERT_TRUE(Write(0, "lost").ok());
  device_.Fail({DeviceCall::kSync});
  ASSERT_FALSE(device_.Sync().ok());
  ASSERT_TRUE(device_.Sync().ok()) << "so the kernel says";
  EXPECT_EQ(device_.Content(), "lost");
  EXPECT_EQ(Synced(), "kept");
  EXPECT_NE(device_.Violations(), "");
}

// --- power cuts
// -------------------------------------------------------------------------------------

TEST_F(MemoryDeviceTest, APowerCutKeepsWhatWasSynced) {
  ASSERT_TRUE(Write(0, "synced").ok());
  ASSERT_TRUE(device_.Sync().ok());
  ASSERT_TRUE(Write(6, " not").ok());
  EXPECT_EQ(Synced(), "synced");
  EXPECT_EQ(device_.PowerCut(Survivors::kEverything), "synced not");
}

TEST_F(MemoryDeviceTest, ADurableWriteKeepsItselfAndTheSizeButNoOtherBytes) {
  ASSERT_TRUE(device_.SetSize(12288).ok());
  ASSERT_TRUE(Write(0, std::string(4096, 'a')).ok());
  ASSERT_TRUE(Write(8192, std::string(4096, 'b'), WriteKind::kDurable).ok());
  EXPECT_EQ(FirstDifference(Synced(), std::string(8192, '\0') + std::string(4096, 'b')), "");
}

TEST_F(MemoryDeviceTest, UnsyncedWritesSurviveInAnyOrderAndTornAtSectors) {
  ASSERT_TRUE(device_.SetSize(8192).ok());
  ASSERT_TRUE(device_.Sync().ok());
  ASSERT_TRUE(Write(0, std::string(4096, 'a')).ok());
  ASSERT_TRUE(Write(4096, std::string(4096, 'b')).ok());
  std::set<std::string> kinds;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::string file = device_.PowerCut(Survivors::kRandomSubset, seed);
    ASSERT_EQ(file, device_.PowerCut(Survivors::kRandomSubset, seed)) << "seeded";
    ASSERT_EQ(file.size(), 8192U);
    std::string kind;
    for (Address page = 0; page < 2; ++page) {
      size_t kept = 0;
      for (Address sector = 0; sector < 8; ++sector) {
        const std::string bytes = file.substr(page * 4096 + sector * 512, 512);
        const char letter = page == 0 ? 'a' : 'b';
        ASSERT_TRUE(bytes == std::string(512, letter) || bytes == std::string(512, '\0'));
        kept += bytes[0] == letter ? 1 : 0;
      }
      kind += kept == 0 ? "lost " : kept == 8 ? "kept " : "torn ";
    }
    kinds.insert(kind);
  }
  EXPECT_EQ(kinds.size(), 9U) << "every combination of lost, kept and torn comes up";
}

TEST_F(MemoryDeviceTest, SizeChangesSurviveInTheirOrder) {
  for (const uint64_t size : {100, 200, 50, 300}) {
    ASSERT_TRUE(device_.SetSize(size).ok());
  }
  std::set<size_t> sizes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    sizes.insert(device_.PowerCut(Survivors::kRandomSubset, seed).size());
  }
  EXPECT_EQ(sizes, (std::set<size_t>{0, 100, 200, 50, 300}));
}

TEST_F(MemoryDeviceTest, AFileThatGrewByAWriteHasItsBytesOrNotItsSize) {
  ASSERT_TRUE(Write(0, std::string(4096, 'a')).ok());
  ASSERT_TRUE(Write(4096, std::string(4096, 'b')).ok());
  const std::string both = device_.Content();
  std::set<size_t> sizes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::string file = device_.PowerCut(Survivors::kRandomSubset, seed);
    ASSERT_EQ(file, both.substr(0, file.size()));
    sizes.insert(file.size());
  }
  EXPECT_EQ(sizes, (std::set<size_t>{0, 4096, 8192}));
}

TEST_F(MemoryDeviceTest, AWriteUnderWayMayHaveLeftAnyPartOfItself) {
  ASSERT_TRUE(device_.SetSize(4096).ok());
  ASSERT_TRUE(device_.Sync().ok());
  device_.Hold(DeviceCall::kWrite);
  std::thread writing([this] { EXPECT_TRUE(Write(0, std::string(4096, 'a')).ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  size_t some = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    some += device_.PowerCut(Survivors::kRandomSubset, seed).find('a') != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(some, 0U);
  EXPECT_LT(some, 50U);
  EXPECT_EQ(Synced(), std::string(4096, '\0'));
  device_.Release();
  writing.join();
}

}  // namespace
}  // namespace lss::test
