// The register of stores being written: every name of a file leads to its one store.

#include "plugin/live_stores.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
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

TEST_F(LiveStoresTest, ThePredecessorIsTheNewestOlderLogOfTheDirectory) {
  const StorePtr seven = Open("000007.log");
  const StorePtr nine = Open("000009.log");
  LiveStores::Add(seven);
  LiveStores::Add(nine);
  EXPECT_EQ(LiveStores::Predecessor(dir_.path(), 10), nine);
  EXPECT_EQ(LiveStores::Predecessor(dir_.path(), 9), seven);
  EXPECT_EQ(LiveStores::Predecessor(dir_.path(), 7), nullptr);
  EXPECT_EQ(LiveStores::Predecessor(dir_ / "elsewhere", 10), nullptr);
  LiveStores::Remove(seven);
  LiveStores::Remove(nine);
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

TEST_F(LiveStoresTest, StoresAreFoundByTheirDirectory) {
  ASSERT_EQ(mkdir((dir_ / "sub").c_str(), 0755), 0);
  const std::vector<StorePtr> stores = {Open("1.log"), Open("2.log"), Open("sub/3.log")};
  for (const StorePtr& store : stores) {
    LiveStores::Add(store);
  }
  const std::vector<StorePtr> found = LiveStores::WalsIn(dir_.path());
  EXPECT_EQ(found.size(), 2U);
  EXPECT_EQ(std::count(found.begin(), found.end(), stores[0]), 1);
  EXPECT_EQ(std::count(found.begin(), found.end(), stores[1]), 1);
  EXPECT_EQ(LiveStores::WalsIn(dir_ / "sub"), std::vector<StorePtr>{stores[2]});
  EXPECT_TRUE(LiveStores::WalsIn(dir_ / "none").empty());
  for (const StorePtr& store : stores) {
    LiveStores::Remove(store);
  }
  EXPECT_TRUE(LiveStores::WalsIn(dir_.path()).empty());
}

// The order in which older logs reach their files rests on this.
TEST_F(LiveStoresTest, AnySpellingOfADirectoryAndItsLaterNamesLeadToItsLogs) {
  const std::string db = dir_ / "db";
  ASSERT_EQ(mkdir(db.c_str(), 0755), 0);
  ASSERT_EQ(symlink("db", (dir_ / "link").c_str()), 0);
  const StorePtr store = Open("link//000007.log");
  LiveStores::Add(store);
  const std::vector<StorePtr> found = {store};
  for (const char* const name : {"db", "db/", "link", ".//db/.", "db/../link"}) {
    EXPECT_EQ(LiveStores::WalsIn(dir_ / name), found) << name;
    EXPECT_EQ(LiveStores::Predecessor(dir_ / name, 8), store) << name;
    EXPECT_TRUE(
        LiveStores::HasRing((dir_ / name) + "/.bloom_lfs/" + lss::BaseNameOf(store->ring_path())))
        << name;
  }
  const auto settle = LiveStores::SettlerOfOlder(db, 8);
  ASSERT_EQ(rename(db.c_str(), (dir_ / "renamed").c_str()), 0);
  ASSERT_EQ(mkdir(db.c_str(), 0755), 0);
  EXPECT_EQ(LiveStores::WalsIn(dir_ / "renamed"), found);
  EXPECT_TRUE(LiveStores::WalsIn(db).empty()) << "another directory of the same name";
  ASSERT_TRUE(store->Append({"12345", 5}).ok());
  EXPECT_TRUE(settle(/*durable=*/true).ok());
  EXPECT_EQ(store->durable(), 5U) << "settled where it is, whatever it is called";
  LiveStores::Remove(store);
  EXPECT_TRUE(store->Close().ok());
}

TEST_F(LiveStoresTest, ADirectoryThatIsNotThereHasNoLogs) {
  ASSERT_EQ(mkdir((dir_ / "gone").c_str(), 0755), 0);
  const StorePtr store = Open("gone/000007.log");
  std::filesystem::remove_all(dir_ / "gone");
  LiveStores::Add(store);
  EXPECT_TRUE(LiveStores::WalsIn(dir_ / "gone").empty());
  LiveStores::Remove(store);
  EXPECT_TRUE(store->Close().ok());
}

TEST_F(LiveStoresTest, OlderLogsOfADirectoryReachTheirFiles) {
  ASSERT_EQ(mkdir((dir_ / "sub").c_str(), 0755), 0);
  const std::vector<std::string> names = {"000009.log", "000010.log",     "000011.log",
                                          "000100.log", "sub/000001.log", "other"};
  std::vector<StorePtr> stores;
  for (const std::string& name : names) {
    stores.push_back(Open(name));
    LiveStores::Add(stores.back());
    ASSERT_TRUE(stores.back()->Append({"12345", 5}).ok());
  }
  ASSERT_TRUE(stores[1]->Close().ok());  // and not yet removed
  EXPECT_TRUE(LiveStores::SettleOlder(dir_.path(), 100, /*durable=*/false).ok());
  EXPECT_EQ(stores[0]->hi_stable(), 5U);
  EXPECT_EQ(stores[0]->durable(), 0U);
  EXPECT_EQ(stores[2]->hi_stable(), 5U);
  ASSERT_TRUE(stores[0]->Append({"late", 4}).ok());
  EXPECT_EQ(stores[0]->durable(), 9U) << "what comes after the settling must not be overtaken";
  EXPECT_EQ(stores[3]->hi_stable(), 0U) << "is not older than itself";
  EXPECT_EQ(stores[4]->hi_stable(), 0U) << "another directory's";
  EXPECT_TRUE(LiveStores::SettleOlder(dir_.path(), 11, /*durable=*/true).ok());
  EXPECT_EQ(stores[0]->durable(), 9U);
  EXPECT_EQ(stores[2]->durable(), 0U);
  for (const StorePtr& store : stores) {
    LiveStores::Remove(store);
    EXPECT_TRUE(store->Close().ok());
  }
}

}  // namespace
}  // namespace bloom_lfs
