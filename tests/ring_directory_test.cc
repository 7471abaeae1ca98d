// What is left of a ring directory when its database is removed.

#include "plugin/ring_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "lss/log_structured_store.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::test::DeadLog;
using lss::test::Exists;
using test::Difference;
using test::ListTree;
using test::TempDir;
using test::Tree;
using test::WriteFile;

class RingDirectoryTest : public testing::Test {
 protected:
  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / lss::kRingDirectoryName;
};

TEST_F(RingDirectoryTest, DeadRingsGoWithTheirDirectory) {
  DeadLog log;
  log.stream = lss::test::Stream(5000);
  const std::string ring = log.MakeAt(log_);
  WriteFile(ring + lss::kAsideSuffix, "set aside once");
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
  std::shared_ptr<lss::LogStructuredStore> store;
  ASSERT_TRUE(lss::LogStructuredStore::Open(log_, lss::StoreOptions(),
                                            lss::LogStructuredStore::OpenMode::kTruncate, &store)
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

}  // namespace
}  // namespace bloom_lfs
