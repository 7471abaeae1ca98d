// What a database's next log inherits from the one before it.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "plugin/live_stores.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/plugin_file_system.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using rocksdb::FSWritableFile;
using test::ReadFile;

class LogSuccessionTest : public testing::Test {
 protected:
  std::unique_ptr<FSWritableFile> Create(const std::string& path) {
    return test::CreateFile(fs_.get(), path);
  }

  test::TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const rocksdb::IOOptions io_;
  const std::unique_ptr<BloomLfsFileSystem> fs_ = test::NewFileSystem(test::SmallRings());
};

// A database that syncs goes on syncing in its next log, which need not find that out.
TEST_F(LogSuccessionTest, ANewLogIsHotFromItsFirstByteIfTheOneBeforeItWas) {
  const std::string next_log = dir_ / "000009.log";
  const auto first = Create(log_);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(first->Append("record", io_, nullptr).ok());
    ASSERT_TRUE(first->Sync(io_, nullptr).ok());
    test::AwaitDeferredWork();
  }
  const lss::Pace pace = LiveStores::FindPath(log_)->pace();
  ASSERT_TRUE(pace.hot);
  ASSERT_GT(pace.frontier_chunk_bytes, 0U);
  const auto next = Create(next_log);
  ASSERT_TRUE(next->Append("record", io_, nullptr).ok());
  for (int i = 0; i < 10; ++i) {  // jobs make jobs
    test::AwaitDeferredWork();
  }
  EXPECT_TRUE(LiveStores::FindPath(next_log)->pace().hot);
  EXPECT_EQ(LiveStores::FindPath(next_log)->pace().frontier_chunk_bytes, pace.frontier_chunk_bytes);
  EXPECT_TRUE(ReadFile(next_log).find_first_not_of('\0') == std::string::npos);
  ASSERT_TRUE(next->Close(io_, nullptr).ok());
  ASSERT_TRUE(first->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(next_log), "record");
  EXPECT_EQ(ReadFile(log_), "recordrecordrecordrecord");
}

TEST_F(LogSuccessionTest, ANewLogIsColdIfTheOneBeforeItWas) {
  const auto first = Create(log_);
  ASSERT_TRUE(first->Append("record", io_, nullptr).ok());
  const auto next = Create(dir_ / "000009.log");
  ASSERT_TRUE(next->Append("record", io_, nullptr).ok());
  test::AwaitDeferredWork();
  EXPECT_FALSE(LiveStores::FindPath(dir_ / "000009.log")->pace().hot);
}

}  // namespace
}  // namespace bloom_lfs
