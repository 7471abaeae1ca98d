// The ring's memory: what is in the file of a new ring, who holds its lock, and when it goes.

#include "lss/ring/ring_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/base/crc32c.h"
#include "lss/ring/ring_view.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;
using test::Exists;
using test::Names;

class RingMemoryTest : public testing::Test {
 protected:
  RingMemoryTest() {
    options_.buffer_bytes = 8192;
    options_.buffer_count = 3;
  }

  FileIdentity Log(const std::string& name) {
    const std::string path = dir_ / name;
    if (!Exists(path)) {
      WriteFile(path, "");
    }
    FileIdentity identity;
    uint64_t size = 0;
    EXPECT_TRUE(IdentifyPath(path, &identity, &size).ok());
    return identity;
  }
  std::unique_ptr<RingMemory> Create(const FileIdentity& target) {
    std::unique_ptr<RingMemory> ring;
    const Status status = RingMemory::Create(rings_, target, options_, &ring);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return ring;
  }
  static bool OwnerLives(const std::string& ring) {
    std::unique_ptr<RingView> view;
    EXPECT_TRUE(RingView::Open(ring, &view).ok()) << ring;
    return view != nullptr && view->OwnerAlive();
  }
  static uint32_t ModeOf(const std::string& path) {
    struct stat st = {};
    EXPECT_EQ(stat(path.c_str(), &st), 0) << path;
    return st.st_mode & 0777;
  }

  TempDir dir_;
  const std::string rings_ = dir_ / kRingDirectoryName;
  RingOptions options_;
};

TEST_F(RingMemoryTest, HeaderNamesItsFileAndPromisesNothing) {
  const FileIdentity target = Log("000007.log");
  const std::unique_ptr<RingMemory> ring = Create(target);
  const RingHeader& header = *ring->header();
  EXPECT_EQ(std::string(header.fixed.magic, 8), "bloomlfs");
  EXPECT_EQ(header.fixed.format_version, kRingFormatVersion);
  EXPECT_EQ(header.fixed.buffer_bytes, 8192U);
  EXPECT_EQ(header.fixed.buffer_count, 3U);
  EXPECT_EQ(header.fixed.write_mode, static_cast<uint32_t>(WriteMode::kSerializedWrites));
  EXPECT_EQ(header.fixed.inode, target.inode);
  EXPECT_EQ(header.fixed.device, target.device);
  EXPECT_EQ(header.fixed.birth_time_ns, target.birth_time_ns);
  EXPECT_EQ(std::memcmp(header.fixed.boot_id, BootId(), kBootIdBytes), 0);
  EXPECT_EQ(header.fixed.owner_pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(static_cast<uint32_t>(header.fixed_checksum),
            Crc32c(0, &header.fixed, sizeof(header.fixed)));
  EXPECT_EQ(header.committed.load(std::memory_order_relaxed), 0U);
  EXPECT_EQ(header.hi_stable.load(std::memory_order_relaxed), 0U);
  EXPECT_EQ(header.durable.load(std::memory_order_relaxed), 0U);
  EXPECT_EQ(header.state.load(), static_cast<uint32_t>(RingState::kLive));
  for (const auto& base : header.base) {
    EXPECT_EQ(base.load(std::memory_order_relaxed), kNoBase);
  }
}

TEST_F(RingMemoryTest, FileLiesBesideTheLogUnderItsInode) {
  const FileIdentity target = Log("000007.log");
  const std::unique_ptr<RingMemory> ring = Create(target);
  EXPECT_EQ(ring->path(), rings_ + "/" + RingFileName(target));
  EXPECT_EQ(Names(rings_), std::vector<std::string>{RingFileName(target)});
}

TEST_F(RingMemoryTest, RemembersTheHighestSiblingAndItsStreamsName) {
  RingTarget target(Log("000007.log"));
  target.name = "000007.log";
  std::unique_ptr<RingMemory> ring;
  ASSERT_TRUE(RingMemory::Create(rings_, target, options_, &ring).ok());
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(ring->path(), &view).ok());
  EXPECT_EQ(view->stream_name(), "000007.log");
  EXPECT_EQ(view->sibling_max(), 0U);
  ring->NoteSibling(12);
  ring->NoteSibling(9);
  EXPECT_EQ(view->sibling_max(), 12U);
}

TEST_F(RingMemoryTest, MayBeReadByWhoeverMayReadTheLogAndByNobodyElse) {
  Log("000007.log");
  for (const uint32_t mode : {0600U, 0640U, 0644U}) {
    ASSERT_EQ(chmod((dir_ / "000007.log").c_str(), mode), 0);
    const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
    EXPECT_EQ(ModeOf(ring->path()), mode);
    EXPECT_EQ(ModeOf(rings_), 0700U | (mode & 0044) | (mode & 0044) >> 2);
    ring->Remove();
  }
}

TEST_F(RingMemoryTest, IsNotMadeWhereItMightBeSomebodyElsesWork) {
  const FileIdentity target = Log("000007.log");
  ASSERT_EQ(mkdir(rings_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(rings_.c_str(), 0777), 0);
  std::unique_ptr<RingMemory> ring;
  const Status status = RingMemory::Create(rings_, target, options_, &ring);
  EXPECT_EQ(status.code(), Status::Code::kPermissionDenied);
  EXPECT_NE(status.message().find(rings_), std::string::npos) << status.message();
  ASSERT_EQ(rmdir(rings_.c_str()), 0);
  ASSERT_EQ(mkdir((dir_ / "elsewhere").c_str(), 0755), 0);
  ASSERT_EQ(symlink("elsewhere", rings_.c_str()), 0);
  EXPECT_FALSE(RingMemory::Create(rings_, target, options_, &ring).ok());
  EXPECT_TRUE(Names(dir_ / "elsewhere").empty());
}

// A page of the mapping without a block behind it would be a SIGBUS on a full disk.
TEST_F(RingMemoryTest, EveryPageHasABlock) {
  const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  struct stat st = {};
  ASSERT_EQ(stat(ring->path().c_str(), &st), 0);
  EXPECT_EQ(static_cast<uint64_t>(st.st_size), RingFileBytes(8192, 3) + RingReserveBytes(8192, 3));
  EXPECT_GE(static_cast<uint64_t>(st.st_blocks) * 512,
            RingFileBytes(8192, 3) + RingReserveBytes(8192, 3));
}

TEST_F(RingMemoryTest, TheReserveIsGivenBackOnceAndTheRingIsWhole) {
  const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  std::memset(ring->buffer(2), 'x', 8192);
  for (int i = 0; i < 2; ++i) {
    ring->GiveReserveBack();
    const std::string file = ReadFile(ring->path());
    ASSERT_EQ(file.size(), RingFileBytes(8192, 3));
    EXPECT_EQ(file.substr(file.size() - 8192), std::string(8192, 'x'));
  }
}

// It would be whole again with zeros, and nobody would tell that it was cut.
TEST_F(RingMemoryTest, ARingCutShortIsNotMadeLongAgainByGivingItsReserveBack) {
  const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  ASSERT_EQ(truncate(ring->path().c_str(), 4096), 0);
  ring->GiveReserveBack();
  EXPECT_EQ(ReadFile(ring->path()).size(), 4096U);
}

TEST_F(RingMemoryTest, BuffersAreWhereTheFormatSays) {
  std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  for (uint32_t i = 0; i < 3; ++i) {
    std::memset(ring->buffer(i), static_cast<int>('a' + i), 8192);
  }
  const std::string path = ring->path();
  ring.reset();
  const std::string file = ReadFile(path);
  EXPECT_EQ(file.substr(kPageBytes, 3 * 8192),
            std::string(8192, 'a') + std::string(8192, 'b') + std::string(8192, 'c'));
}

TEST_F(RingMemoryTest, OwnerHoldsTheLockForAsLongAsItLives) {
  std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  const std::string path = ring->path();
  EXPECT_TRUE(OwnerLives(path));
  EXPECT_TRUE(OwnerLives(path)) << "a view that was closed has not cost it its lock";
  ring.reset();
  EXPECT_TRUE(Exists(path)) << "as after a crash";
  EXPECT_FALSE(OwnerLives(path));
}

TEST_F(RingMemoryTest, LeftoverOfAReusedInodeNumberIsReplaced) {
  const FileIdentity target = Log("000007.log");
  ASSERT_EQ(mkdir(rings_.c_str(), 0755), 0);
  WriteFile(rings_ + "/" + RingFileName(target), std::string(1 << 20, 'x'));
  const std::unique_ptr<RingMemory> ring = Create(target);
  EXPECT_EQ(ReadFile(ring->path()).size(), RingFileBytes(8192, 3) + RingReserveBytes(8192, 3));
  EXPECT_EQ(std::string(ring->buffer(2), 8192), std::string(8192, '\0')) << "no stale bytes";
}

TEST_F(RingMemoryTest, RemoveTakesTheDirectoryWithTheLastRing) {
  const std::unique_ptr<RingMemory> first = Create(Log("000007.log"));
  const std::unique_ptr<RingMemory> second = Create(Log("000008.log"));
  first->Remove();
  EXPECT_FALSE(Exists(first->path()));
  EXPECT_TRUE(Exists(second->path()));
  first->Remove();
  EXPECT_TRUE(Exists(second->path())) << "idempotent";
  second->Remove();
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(RingMemoryTest, RemoveLeavesARingThatHasTakenItsName) {
  const FileIdentity target = Log("000007.log");
  const std::unique_ptr<RingMemory> old_ring = Create(target);
  const std::unique_ptr<RingMemory> new_ring = Create(target);
  ASSERT_EQ(old_ring->path(), new_ring->path());
  old_ring->Remove();
  EXPECT_TRUE(Exists(new_ring->path()));
  EXPECT_TRUE(OwnerLives(new_ring->path()));
}

TEST_F(RingMemoryTest, HeaderCanBeMadeDurable) {
  const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  const Status status = ring->MakeHeaderDurable();
  EXPECT_TRUE(status.ok()) << status.ToString();
}

// A checkpoint is written to X.tmp and renamed to X.
TEST_F(RingMemoryTest, ItsDirectoryMayBeRenamed) {
  ASSERT_EQ(mkdir((dir_ / "X.tmp").c_str(), 0755), 0);
  const FileIdentity target = Log("X.tmp/000007.log");
  std::unique_ptr<RingMemory> ring;
  ASSERT_TRUE(RingMemory::Create(dir_ / "X.tmp/.bloom_lfs", target, options_, &ring).ok());
  ASSERT_EQ(rename((dir_ / "X.tmp").c_str(), (dir_ / "X").c_str()), 0);
  const Status status = ring->MakeHeaderDurable();
  EXPECT_TRUE(status.ok()) << status.ToString();
  ring->Remove();
  EXPECT_FALSE(Exists(dir_ / "X/.bloom_lfs")) << "the ring is still found where it went";
}

TEST_F(RingMemoryTest, PrefaultChangesNothing) {
  const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  std::memset(ring->buffer(1), 'b', 8192);
  for (uint32_t i = 0; i < 3; ++i) {
    ring->Prefault(i);
  }
  EXPECT_EQ(std::string(ring->buffer(0), 8192), std::string(8192, '\0'));
  EXPECT_EQ(std::string(ring->buffer(1), 8192), std::string(8192, 'b'));
}

TEST_F(RingMemoryTest, PrefaultUnusedLeavesZerosInThatBufferOnly) {
  const std::unique_ptr<RingMemory> ring = Create(Log("000007.log"));
  for (uint32_t i = 0; i < 3; ++i) {
    std::memset(ring->buffer(i), 'b', 8192);
  }
  const uint64_t committed = ring->header()->committed.load(std::memory_order_relaxed);
  ring->PrefaultUnused(1);
  EXPECT_EQ(std::string(ring->buffer(0), 8192), std::string(8192, 'b'));
  EXPECT_EQ(std::string(ring->buffer(1), 8192), std::string(8192, '\0'));
  EXPECT_EQ(std::string(ring->buffer(2), 8192), std::string(8192, 'b'));
  EXPECT_EQ(ring->header()->committed.load(std::memory_order_relaxed), committed);
}

TEST_F(RingMemoryTest, DirectoryThatIsAFileIsAnErrorThatNamesIt) {
  WriteFile(rings_, "not a directory");
  std::unique_ptr<RingMemory> ring;
  const Status status = RingMemory::Create(rings_, Log("000007.log"), options_, &ring);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(ring, nullptr);
  EXPECT_NE(status.message().find(rings_), std::string::npos) << status.message();
  EXPECT_EQ(ReadFile(rings_), "not a directory");
}

TEST_F(RingMemoryTest, NameThatIsADirectoryIsAnErrorThatNamesIt) {
  const FileIdentity target = Log("000007.log");
  const std::string path = rings_ + "/" + RingFileName(target);
  ASSERT_EQ(mkdir(rings_.c_str(), 0755), 0);
  ASSERT_EQ(mkdir(path.c_str(), 0755), 0);
  std::unique_ptr<RingMemory> ring;
  const Status status = RingMemory::Create(rings_, target, options_, &ring);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
}

TEST_F(RingMemoryTest, MissingParentIsAnErrorAndMakesNothing) {
  std::unique_ptr<RingMemory> ring;
  const Status status =
      RingMemory::Create(dir_ / "missing/.bloom_lfs", Log("000007.log"), options_, &ring);
  EXPECT_EQ(status.code(), Status::Code::kNotFound) << status.ToString();
  EXPECT_FALSE(Exists(dir_ / "missing"));
}

// One store is closed while the next is opened: the directory may go between any two steps of a
// creation.
TEST_F(RingMemoryTest, CreationIsNotDisturbedByTheLastRingGoing) {
  const FileIdentity a = Log("a");
  const FileIdentity b = Log("b");
  const auto open_and_close = [&](const FileIdentity& target, Status* worst) {
    for (int i = 0; i < 500 && worst->ok(); ++i) {
      std::unique_ptr<RingMemory> ring;
      *worst = RingMemory::Create(rings_, target, options_, &ring);
      if (worst->ok()) {
        ring->Remove();
      }
    }
  };
  Status in_thread;
  Status here;
  std::thread other(open_and_close, a, &in_thread);
  open_and_close(b, &here);
  other.join();
  EXPECT_TRUE(in_thread.ok()) << in_thread.ToString();
  EXPECT_TRUE(here.ok()) << here.ToString();
  EXPECT_FALSE(Exists(rings_));
}

// An inode number is given out again when its file is gone; a name is not.
TEST_F(RingMemoryTest, ANamedStreamsRingIsNotTakenFromItsOwnerNorFromRecovery) {
  const StreamId id = StreamId::Named({1, 2});
  std::unique_ptr<RingMemory> first;
  ASSERT_TRUE(RingMemory::Create(rings_, id, options_, &first).ok());
  std::unique_ptr<RingMemory> second;
  const Status in_use = RingMemory::Create(rings_, id, options_, &second);
  EXPECT_EQ(in_use.code(), Status::Code::kInvalidArgument);
  EXPECT_NE(in_use.message().find(first->path()), std::string::npos) << in_use.message();
  first->header()->committed.store(5, std::memory_order_relaxed);
  const std::string path = first->path();
  first.reset();  // as if killed
  EXPECT_EQ(RingMemory::Create(rings_, id, options_, &second).code(),
            Status::Code::kInvalidArgument);
  EXPECT_TRUE(Exists(path)) << "it may hold the only copy";
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_TRUE(RingMemory::Create(rings_, id, options_, &second).ok());
  second.reset();
  EXPECT_TRUE(RingMemory::Create(rings_, id, options_, &second).ok()) << "nothing was in it";
}

}  // namespace
}  // namespace lss
