// The register of stores being written: every name of a file leads to its one store.

#include "plugin/live_stores.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "lss/base/posix_file.h"
#include "plugin/default_runtime.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::DenseStream;
using test::TempDir;

class LiveStoresTest : public testing::Test {
 protected:
  StorePtr Open(const std::string& name) {
    StorePtr store;
    const lss::Status status =
        DenseStream::Open(bloom_lfs::DefaultRuntime(dir_ / name), dir_ / name, lss::StoreOptions(),
                          DenseStream::OpenMode::kTruncate, &store);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return store;
  }
  TempDir dir_;
};

TEST_F(LiveStoresTest, EveryNameOfAFileLeadsToItsStore) {
  const StorePtr store = Open("000007.log");
  LiveStores::Add(store);
  ASSERT_EQ(link((dir_ / "000007.log").c_str(), (dir_ / "hard").c_str()), 0);
  ASSERT_EQ(symlink("000007.log", (dir_ / "soft").c_str()), 0);
  for (const char* name : {"000007.log", "hard", "soft", "./000007.log", "/000007.log"}) {
    EXPECT_EQ(LiveStores::FindPath(dir_ / name), store) << name;
  }
  EXPECT_EQ(LiveStores::Find(store->id().file), store);
  ASSERT_EQ(rename((dir_ / "000007.log").c_str(), (dir_ / "renamed").c_str()), 0);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "renamed"), store);
  LiveStores::Remove(store);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "renamed"), nullptr);
  EXPECT_EQ(LiveStores::Find(store->id().file), nullptr);
}

TEST_F(LiveStoresTest, KnowsTheRingsOfItsStores) {
  const StorePtr store = Open("000007.log");
  EXPECT_FALSE(LiveStores::HasRing(store->ring_path()));
  LiveStores::Add(store);
  EXPECT_TRUE(LiveStores::HasRing(store->ring_path()));
  EXPECT_FALSE(LiveStores::HasRing(dir_ / "other.ring"));
  LiveStores::Remove(store);
  EXPECT_FALSE(LiveStores::HasRing(store->ring_path()));
}

TEST_F(LiveStoresTest, OtherFilesAreNotFound) {
  const StorePtr store = Open("000007.log");
  LiveStores::Add(store);
  test::WriteFile(dir_ / "000008.log", "");
  EXPECT_EQ(LiveStores::FindPath(dir_ / "000008.log"), nullptr);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "missing"), nullptr);
  EXPECT_EQ(LiveStores::FindPath(dir_.path()), nullptr);
  LiveStores::Remove(store);
}

TEST_F(LiveStoresTest, ANewFileUnderTheOldNameIsAnotherStore) {
  const StorePtr old_store = Open("000007.log");
  LiveStores::Add(old_store);
  ASSERT_EQ(unlink((dir_ / "000007.log").c_str()), 0);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "000007.log"), nullptr);
  const StorePtr new_store = Open("000007.log");
  LiveStores::Add(new_store);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "000007.log"), new_store);
  EXPECT_EQ(LiveStores::Find(old_store->id().file), old_store);
  LiveStores::Remove(old_store);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "000007.log"), new_store);
  LiveStores::Remove(new_store);
}

// A handle that is closed late must not take its successor out.
TEST_F(LiveStoresTest, RemovingAStoreThatHasBeenReplacedLeavesItsSuccessor) {
  const StorePtr first = Open("000007.log");
  LiveStores::Add(first);
  const StorePtr second = Open("000007.log");  // the same file, emptied
  LiveStores::Add(second);
  LiveStores::Remove(first);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "000007.log"), second);
  LiveStores::Remove(second);
  LiveStores::Remove(second);
  EXPECT_EQ(LiveStores::FindPath(dir_ / "000007.log"), nullptr);
}

TEST_F(LiveStoresTest, LogsOfADirectoryAreFoundOldestFirst) {
  ASSERT_EQ(mkdir((dir_ / "sub").c_str(), 0755), 0);
  const std::vector<std::string> names = {"000100.log", "000009.log",     "000010.log",
                                          "000011.log", "sub/000001.log", "other"};
  std::vector<StorePtr> stores;
  for (const std::string& name : names) {
    stores.push_back(Open(name));
    LiveStores::Add(stores.back(), DirectoryId::Of(lss::DirectoryOf(dir_ / name)));
  }
  const DirectoryId here = DirectoryId::Of(dir_.path());
  EXPECT_EQ(LiveStores::OlderWals(here, 100),
            (std::vector<StorePtr>{stores[1], stores[2], stores[3]}));
  EXPECT_EQ(LiveStores::OlderWals(here, 10), std::vector<StorePtr>{stores[1]});
  EXPECT_TRUE(LiveStores::OlderWals(here, 9).empty());
  EXPECT_TRUE(LiveStores::HasNewerWal(here, 99));
  EXPECT_FALSE(LiveStores::HasNewerWal(here, 100)) << "it is not newer than itself";
  EXPECT_EQ(LiveStores::OlderWals(DirectoryId::Of(dir_ / "sub"), 100),
            std::vector<StorePtr>{stores[4]});
  EXPECT_FALSE(LiveStores::HasNewerWal(DirectoryId::Of(dir_ / "sub"), 1));
  EXPECT_TRUE(LiveStores::OlderWals(DirectoryId::Of(dir_ / "none"), 100).empty());
  for (const StorePtr& store : stores) {
    LiveStores::Remove(store);
    EXPECT_TRUE(store->Close().ok());
  }
  EXPECT_TRUE(LiveStores::OlderWals(here, 1000).empty());
}

// A file that may be one of several in a directory that nobody has looked up belongs to none.
TEST_F(LiveStoresTest, ALogWithoutADirectoryHasNoNeighbours) {
  const StorePtr store = Open("000007.log");
  LiveStores::Add(store, DirectoryId());
  EXPECT_TRUE(LiveStores::OlderWals(DirectoryId::Of(dir_.path()), 100).empty());
  EXPECT_TRUE(LiveStores::OlderWals(DirectoryId(), 100).empty());
  EXPECT_FALSE(LiveStores::HasNewerWal(DirectoryId(), 1));
  LiveStores::Remove(store);
  EXPECT_TRUE(store->Close().ok());
}

TEST_F(LiveStoresTest, ALogIsShownUnderAnyOfItsNames) {
  const StorePtr store = Open("000007.log");
  LiveStores::Add(store);
  ASSERT_EQ(symlink("000007.log", (dir_ / "soft").c_str()), 0);
  ASSERT_TRUE(store->Append({"12345", 5}).ok());
  EXPECT_TRUE(LiveStores::ShowLog(dir_ / "missing").ok());
  EXPECT_TRUE(LiveStores::ShowLog(dir_.path()).ok());
  EXPECT_EQ(test::ReadFile(dir_ / "000007.log"), "");
  EXPECT_TRUE(LiveStores::ShowLog(dir_ / "soft").ok());
  EXPECT_EQ(test::ReadFile(dir_ / "000007.log"), "12345");
  LiveStores::Remove(store);
  EXPECT_TRUE(store->Close().ok());
}

}  // namespace
}  // namespace bloom_lfs
