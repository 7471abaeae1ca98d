// What is left of a ring directory when its database is removed.

#include "lss/recovery/ring_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "lss/dense_stream.h"
#include "lss/ring/ring_memory.h"
#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::Difference;
using bloom_lfs::test::ListTree;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::Tree;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::Exists;

class RingDirectoryTest : public testing::Test {
 protected:
  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / kRingDirectoryName;
};

TEST_F(RingDirectoryTest, DeadRingsGoWithTheirDirectory) {
  DeadLog log;
  log.stream = test::Stream(5000);
  const std::string ring = log.MakeAt(log_);
  WriteFile(ring + kAsideSuffix, "set aside once");
  ASSERT_EQ(unlink(log_.c_str()), 0);
  RemoveDeadRingDirectory(dir_.path());
  EXPECT_FALSE(Exists(rings_));
  EXPECT_TRUE(Exists(dir_.path())) << "the database's directory is not ours to remove";
}

TEST_F(RingDirectoryTest, NothingGoesWhileThereIsAnythingElse) {
  DeadLog().MakeAt(log_);
  const Tree before = ListTree(dir_.path());
  RemoveDeadRingDirectory(dir_.path());
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(RingDirectoryTest, ALiveWritersRingStays) {
  std::shared_ptr<DenseStream> store;
  ASSERT_TRUE(DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, StoreOptions(),
                                DenseStream::OpenMode::kTruncate, &store)
                  .ok());
  const std::string dead = rings_ + "/0000000000000001.ring";
  WriteFile(dead, "");
  ASSERT_EQ(unlink(log_.c_str()), 0);
  RemoveDeadRingDirectory(dir_.path());
  EXPECT_TRUE(Exists(store->ring_path()));
  EXPECT_FALSE(Exists(dead));
  EXPECT_TRUE(store->Close().ok());
}

TEST_F(RingDirectoryTest, MissingAndEmptyDirectoriesAreFine) {
  RemoveDeadRingDirectory(dir_ / "missing");
  RemoveDeadRingDirectory(dir_.path());
  EXPECT_TRUE(Exists(dir_.path()));
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(RingDirectoryTest, ARingOfAStreamThatIsNoFileStays) {
  std::unique_ptr<RingMemory> ring;
  ASSERT_TRUE(RingMemory::Create(rings_, StreamId::Named({1, 2}), RingOptions(), &ring).ok());
  const std::string path = ring->path();
  ring.reset();
  RemoveDeadRingDirectory(dir_.path());
  EXPECT_TRUE(Exists(path)) << "whoever made the stream recovers it";
}

}  // namespace
}  // namespace lss
