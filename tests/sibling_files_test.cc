// Which files of a directory were made by somebody else.
#include "plugin/sibling_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "lss/dense_stream.h"
#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using test::TempDir;
using test::WriteFile;

TEST(SiblingFiles, TakeTheirNumbersFromOneCounter) {
  const struct {
    const char* path;
    uint64_t number;
  } rows[] = {{"/db/000012.log", 12},
              {"000013.sst", 13},
              {"14.ldb", 14},
              {"000015.blob", 15},
              {"000016.dbtmp", 16},
              {"/db/MANIFEST-000017", 17},
              {"OPTIONS-000018", 18},
              {"OPTIONS-000019.dbtmp", 19},
              {"LOG", 0},
              {"LOG.old.1700000000", 0},
              {"CURRENT", 0},
              {"IDENTITY", 0},
              {"MANIFEST-", 0},
              {"MANIFEST-12x", 0},
              {"000012.log.trash", 0},
              {".log", 0},
              {"x000012.log", 0},
              {"", 0}};
  for (const auto& row : rows) {
    EXPECT_EQ(SiblingNumber(row.path), row.number) << row.path;
  }
}

class SomebodyElseTest : public testing::Test {
 protected:
  bool WasHere() {
    std::unique_ptr<lss::RingView> view;
    EXPECT_TRUE(lss::RingView::Open(ring_, &view).ok());
    return SomebodyElseWasHere(log_, *view);
  }
  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  std::string ring_ = [this] {
    lss::test::DeadLog log;
    log.sibling_max = 9;
    return log.MakeAt(log_);
  }();
};

TEST_F(SomebodyElseTest, IfANumberIsAboveTheOwners) {
  EXPECT_FALSE(WasHere());
  WriteFile(dir_ / "000009.sst", "");
  WriteFile(dir_ / "LOG", "");
  EXPECT_FALSE(WasHere());
  WriteFile(dir_ / "000010.sst", "");
  EXPECT_TRUE(WasHere());
}

TEST_F(SomebodyElseTest, WhoeverHasOnlyLookedProvesNothing) {
  WriteFile(dir_ / "OPTIONS-000008", "[CFOptions \"default\"]\n[CFOptions \"other\"]\n");
  WriteFile(dir_ / "MANIFEST-000011", "a manifest");
  EXPECT_TRUE(WasHere()) << "it has decided for each family which logs it needs";
  WriteFile(dir_ / "OPTIONS-000012", "[DBOptions]\n[CFOptions \"default\"]\n");
  WriteFile(dir_ / "000010.log", "");
  EXPECT_FALSE(WasHere());
  WriteFile(dir_ / "000010.log", test::WalBuilder().AddCompressionType().bytes());
  EXPECT_FALSE(WasHere());
  WriteFile(dir_ / "000010.log", "x");
  EXPECT_TRUE(WasHere());
}

TEST_F(SomebodyElseTest, ThisProcessIsNobodyElse) {
  WriteFile(dir_ / "000020.sst", "");
  EXPECT_TRUE(WasHere());
  NoteSibling(dir_ / "000020.sst");
  EXPECT_FALSE(WasHere());
  WriteFile(dir_ / "000021.sst", "");
  EXPECT_TRUE(WasHere());
}

// This process has had the database, then the dead one, then a stranger; now it is back.
TEST_F(SomebodyElseTest, ANumberBetweenThoseOfThisProcessIsNotOfThisProcess) {
  NoteSibling(dir_ / "000005.log");
  WriteFile(dir_ / "000011.log", "a stranger's");
  NoteSibling(dir_ / "000014.log");
  EXPECT_TRUE(WasHere());
}

TEST_F(SomebodyElseTest, ANumberThatThisProcessHadUsedBeforeItLockedTheDatabaseProvesNothing) {
  NoteSibling(dir_ / "000011.log");
  WriteFile(dir_ / "000011.log", "a stranger's, after a backup was restored");
  ForgetSiblingsIn(DirectoryId::Of(dir_.path()));
  EXPECT_TRUE(WasHere());
}

TEST(SiblingFilesOfALiveLog, AreInItsRingBeforeTheyAreThere) {
  const TempDir dir;
  NoteSibling(dir / "MANIFEST-000004");
  StorePtr store;
  ASSERT_TRUE(lss::DenseStream::Open(DefaultRuntime(dir.path()), dir / "000005.log",
                                     lss::StoreOptions(), lss::OpenMode::kTruncate, &store)
                  .ok());
  LiveStores::Add(store);
  NoteSiblingsIn(store, DirectoryId::Of(dir.path()));
  std::unique_ptr<lss::RingView> view;
  ASSERT_TRUE(lss::RingView::Open(store->ring_path(), &view).ok());
  EXPECT_EQ(view->sibling_max(), 4U);
  NoteSibling(dir / "000006.sst");
  EXPECT_EQ(view->sibling_max(), 6U);
  NoteSibling(dir / "000003.sst");
  EXPECT_EQ(view->sibling_max(), 6U);
  const TempDir other;
  NoteSibling(other / "000099.sst");
  EXPECT_EQ(view->sibling_max(), 6U);
  EXPECT_TRUE(store->Close().ok());
  LiveStores::Remove(store);
}

}  // namespace
}  // namespace bloom_lfs
