// Databases whose syncs rest on a second place: killed, their disk gone, their place gone. Every
// row that was acknowledged by a sync is there afterwards, or the database says what it lacks.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/lost_power.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

std::string RowKey(int row) { return "row " + std::to_string(1000000 + row); }
std::string RowValue(int row) {
  return std::string(static_cast<size_t>(50 + row % 400), 'v') + std::to_string(row);
}

rocksdb::Options RowOptions(rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  return options;
}

rocksdb::Status OpenWith(rocksdb::Env* env, const std::string& path, const std::string& wal_dir,
                         std::unique_ptr<rocksdb::DB>* db) {
  rocksdb::Options options = RowOptions(env);
  options.wal_dir = wal_dir;
  return rocksdb::DB::Open(options, path, OpenInto(db));
}

rocksdb::Status PutSynced(rocksdb::DB* db, int row) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return db->Put(options, RowKey(row), RowValue(row));
}

// Rows of [0, end) that are missing or wrong.
int Missing(rocksdb::DB* db, int end) {
  int missing = 0;
  for (int row = 0; row < end; ++row) {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), RowKey(row), &value);
    missing += status.ok() && value == RowValue(row) ? 0 : 1;
  }
  return missing;
}

// args: uri, first database, its logs, second database or "", rows. Writes them synced to each
// database, says so, and waits to be killed, or closes when it is told to.
int WriterMain(const std::vector<std::string>& args) {
  const TestEnv env(args.at(0));
  std::vector<std::unique_ptr<rocksdb::DB>> dbs(args.at(3).empty() ? 1 : 2);
  rocksdb::Status status = OpenWith(env.get(), args.at(1), args.at(2), &dbs[0]);
  if (status.ok() && dbs.size() == 2) {
    status = OpenWith(env.get(), args.at(3), "", &dbs[1]);
  }
  const int rows = std::stoi(args.at(4));
  for (int row = 0; row < rows && status.ok(); ++row) {
    for (const auto& db : dbs) {
      status = status.ok() ? PutSynced(db.get(), row) : status;
    }
  }
  Report(status.ok() ? "written" : status.ToString());
  Await();
  dbs.clear();
  Report("closed");
  return 0;
}
const RegisterChild kWriter("second_writer", WriterMain);

// No file may grow beyond, or be written behind it: the database's are shorter, the side log not.
void FailSideLogFromNowOn() {
  constexpr rlim_t kBeforeItsGroups = 1 << 20;
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {kBeforeItsGroups, kBeforeItsGroups};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
    Report("setrlimit fails");
  }
}

// args: uri, database, rows. Its place fails when half of them are written; closes it.
int FailingPlaceMain(const std::vector<std::string>& args) {
  const int rows = std::stoi(args.at(2));
  {
    const TestEnv env(args.at(0));
    std::unique_ptr<rocksdb::DB> db;
    rocksdb::Status status = OpenWith(env.get(), args.at(1), "", &db);
    for (int row = 0; row < rows && status.ok(); ++row) {
      if (row == rows / 2) {
        FailSideLogFromNowOn();
      }
      status = PutSynced(db.get(), row);
    }
    Report(status.ok() ? "written" : status.ToString());
  }
  Report("closed");
  return 0;
}
const RegisterChild kFailingPlace("failing_place", FailingPlaceMain);

class SecondPlaceTest : public testing::Test {
 protected:
  static constexpr int kRows = 300;

  std::string Uri(const std::string& mode, const std::string& more = "") const {
    return "id=bloom_lfs;second_mode=" + mode + ";second_place=" + place_ +
           ";second_bytes=16777216;second_catch_up_ms=3600000" + more;
  }
  // Killed behind its last row.
  void WriteAndKill(const std::string& uri, int rows = kRows, const std::string& logs = "",
                    const std::string& second = "") {
    ChildProcess child("second_writer", {uri, db_, logs, second, std::to_string(rows)});
    ASSERT_EQ(child.Hear(), "written");
    child.Kill();
  }
  // Opens it with the plugin, and says how many of the rows are missing.
  void ExpectAllRows(const std::string& path, int rows = kRows, const std::string& logs = "",
                     const std::string& uri = "id=bloom_lfs") {
    const TestEnv env(uri);
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status = OpenWith(env.get(), path, logs, &db);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(Missing(db.get(), rows), 0);
  }
  std::string ErrorOfOpening(const std::string& path) {
    const TestEnv env("id=bloom_lfs");
    std::unique_ptr<rocksdb::DB> db;
    return OpenWith(env.get(), path, "", &db).ToString();
  }
  bool HasMarker(const std::string& path) { return fs::exists(path + "/.bloom_lfs/second"); }

  TempDir dir_;
  const std::string db_ = dir_ / "db";
  const std::string place_ = dir_ / "place";
};

TEST_F(SecondPlaceTest, SyncedRowsSurviveALogThatWasNeverOnItsDisk) {
  WriteAndKill(Uri("group"));
  ASSERT_TRUE(HasMarker(db_));
  LosePower(db_);
  ExpectAllRows(db_);
  EXPECT_FALSE(HasMarker(db_)) << "the files have everything now";
}

TEST_F(SecondPlaceTest, ItIsAllTheSameWhenOnlyTheProcessIsKilled) {
  WriteAndKill(Uri("group"));
  ExpectAllRows(db_);
}

TEST_F(SecondPlaceTest, LogsInADirectoryOfTheirOwnAreRecoveredToo) {
  const std::string logs = dir_ / "logs";
  WriteAndKill(Uri("group"), kRows, logs);
  ASSERT_TRUE(HasMarker(logs));
  LosePower(logs);
  ExpectAllRows(db_, kRows, logs);
  EXPECT_FALSE(HasMarker(logs));
}

TEST_F(SecondPlaceTest, ADatabaseThatGoesOnInAGroupIsRecoveredAgainAndAgain) {
  for (int life = 1; life <= 4; ++life) {
    WriteAndKill(Uri("group"), 100 * life);
    LosePower(db_);
  }
  ExpectAllRows(db_, 400, "", Uri("group"));
}

class ClosedDatabaseTest : public SecondPlaceTest, public testing::WithParamInterface<std::string> {
 protected:
  // Opens the database with stock RocksDB: its place is not there any more.
  void ExpectNeedsNoPlace(const std::function<int(rocksdb::DB*)>& missing) {
    EXPECT_FALSE(HasMarker(db_));
    fs::remove_all(place_);
    EXPECT_EQ(ErrorOfOpening(db_), "OK");
    std::unique_ptr<rocksdb::DB> db;
    ASSERT_TRUE(OpenWith(rocksdb::Env::Default(), db_, "", &db).ok());
    EXPECT_EQ(missing(db.get()), 0) << "with stock RocksDB";
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, ClosedDatabaseTest,
                         testing::Values("failover", "hedge", "group", "mirror"),
                         [](const auto& each) { return each.param; });

TEST_P(ClosedDatabaseTest, NeedsNoSecondPlace) {
  ChildProcess child("second_writer", {Uri(GetParam()), db_, "", "", std::to_string(kRows)});
  ASSERT_EQ(child.Hear(), "written");
  child.Say("close");
  ASSERT_EQ(child.Hear(), "closed");
  EXPECT_EQ(child.Wait(), 0);
  ExpectNeedsNoPlace([](rocksdb::DB* db) { return Missing(db, kRows); });
}

TEST_P(ClosedDatabaseTest, NeedsNoSecondPlaceThatHasFailed) {
  ChildProcess child("failing_place",
                     {Uri(GetParam(), ";mirror_degraded=continue"), db_, std::to_string(kRows)});
  ASSERT_EQ(child.Hear(), "written");
  ASSERT_EQ(child.Hear(), "closed");
  EXPECT_EQ(child.Wait(), 0);
  ExpectNeedsNoPlace([](rocksdb::DB* db) { return Missing(db, kRows); });
}

// A worker is still at what the file was quicker with when the database is closed.
TEST_P(ClosedDatabaseTest, NeedsNoSecondPlaceAfterLargeAndCompressedRows) {
  constexpr int kLargeRows = 12;
  std::string value(3 << 20, 'l');
  for (size_t i = 0; i < value.size(); ++i) {
    value[i] = static_cast<char>((i * 2654435761U) >> 13);
  }
  {
    const TestEnv env(Uri(GetParam(), ";second_bytes=1G"));
    rocksdb::Options options = RowOptions(env.get());
    options.wal_compression = rocksdb::kZSTD;
    std::unique_ptr<rocksdb::DB> db;
    ASSERT_TRUE(rocksdb::DB::Open(options, db_, OpenInto(&db)).ok());
    for (int row = 0; row < kLargeRows; ++row) {
      rocksdb::WriteOptions write;
      write.sync = row % 3 == 2;
      ASSERT_TRUE(db->Put(write, RowKey(row), value).ok());
    }
  }
  ExpectNeedsNoPlace([&](rocksdb::DB* db) {
    int missing = 0;
    for (int row = 0; row < kLargeRows; ++row) {
      std::string found;
      missing += db->Get({}, RowKey(row), &found).ok() && found == value ? 0 : 1;
    }
    return missing;
  });
}

TEST_F(SecondPlaceTest, WithoutItsPlaceNothingIsOpenedAndItComesBack) {
  WriteAndKill(Uri("group"));
  LosePower(db_);
  fs::rename(place_, dir_ / "elsewhere");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::string error = ErrorOfOpening(db_);
    EXPECT_NE(error.find(place_), std::string::npos) << error;
    EXPECT_NE(error.find("recover --without-second-place " + db_), std::string::npos)
        << "the remedy: " << error;
  }
  fs::rename(dir_ / "elsewhere", place_);
  ExpectAllRows(db_);
}

TEST_F(SecondPlaceTest, AnotherPlaceOfTheSameNameIsNotTakenForIt) {
  WriteAndKill(Uri("group"));
  LosePower(db_);
  fs::rename(place_, dir_ / "elsewhere");
  ChildProcess other("second_writer", {Uri("group"), dir_ / "other", "", "", "5"});
  ASSERT_EQ(other.Hear(), "written");  // makes the place anew
  EXPECT_NE(ErrorOfOpening(db_).find("find side log"), std::string::npos);
  other.Kill();
}

TEST_F(SecondPlaceTest, WhoRemovesTheMarkerGivesUpWhatOnlyTheSecondPlaceHas) {
  WriteAndKill(Uri("group"));
  LosePower(db_);
  fs::remove_all(place_);
  fs::remove(db_ + "/.bloom_lfs/second");
  EXPECT_EQ(ErrorOfOpening(db_), "OK");
}

TEST_F(SecondPlaceTest, FilesCatchUpByThemselves) {
  ChildProcess child("second_writer", {Uri("group", ";second_catch_up_ms=1"), db_, "", "", "200"});
  ASSERT_EQ(child.Hear(), "written");
  usleep(1500000);
  child.Kill();
  fs::remove_all(db_ + "/.bloom_lfs");
  fs::remove_all(place_);
  ExpectAllRows(db_, 200);
}

TEST_F(SecondPlaceTest, TwoDatabasesOfOneProcessShareALogAndAreRecoveredByThemselves) {
  const std::string second = dir_ / "db2";
  WriteAndKill(Uri("group"), kRows, "", second);
  LosePower(db_);
  LosePower(second);
  EXPECT_TRUE(fs::exists(place_ + "/side-1"));
  EXPECT_FALSE(fs::exists(place_ + "/side-2"));
  ExpectAllRows(second);
  ExpectAllRows(db_);
}

TEST_F(SecondPlaceTest, TwoProcessesHaveALogEach) {
  ChildProcess one("second_writer", {Uri("group"), db_, "", "", "50"});
  ChildProcess two("second_writer", {Uri("group"), dir_ / "db2", "", "", "50"});
  ASSERT_EQ(one.Hear(), "written");
  ASSERT_EQ(two.Hear(), "written");
  EXPECT_TRUE(fs::exists(place_ + "/side-2"));
  one.Kill();
  two.Kill();
  LosePower(db_);
  LosePower(dir_ / "db2");
  ExpectAllRows(dir_ / "db2", 50);
  ExpectAllRows(db_, 50);
}

TEST_F(SecondPlaceTest, AFullSideLogLosesNothing) {
  const int rows = 9000;  // 250 bytes, a page each
  WriteAndKill(Uri("group"), rows);
  ExpectAllRows(db_, rows);
}

TEST_F(SecondPlaceTest, AMirrorLeavesTheFilesAsDurableAsEver) {
  WriteAndKill(Uri("mirror"));
  fs::remove_all(place_);
  ExpectAllRows(db_);
}

TEST_F(SecondPlaceTest, AFullMirrorSaysWhatMakesRoom) {
  const std::string value(100 << 10, 'm');
  int acknowledged = 0;
  {
    const TestEnv env(Uri("mirror"));
    std::unique_ptr<rocksdb::DB> db;
    ASSERT_TRUE(OpenWith(env.get(), db_, "", &db).ok());
    rocksdb::WriteOptions synced;
    synced.sync = true;
    rocksdb::Status status;
    for (; status.ok() && acknowledged < 1000; ++acknowledged) {
      status = db->Put(synced, RowKey(acknowledged), value);
    }
    --acknowledged;
    EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
    const std::string error = status.ToString();
    EXPECT_NE(error.find(place_), std::string::npos) << error;
    EXPECT_NE(error.find("second_bytes"), std::string::npos) << error;
    EXPECT_NE(error.find("bloom_lfs trim"), std::string::npos) << error;
    EXPECT_EQ(error.find("behind"), std::string::npos) << "no file is: " << error;
  }
  fs::remove(place_ + "/side-1");  // as the remedy says
  const TestEnv env(Uri("mirror", ";second_bytes=64M"));
  std::unique_ptr<rocksdb::DB> db;
  ASSERT_TRUE(OpenWith(env.get(), db_, "", &db).ok());
  for (int row = 0; row < acknowledged; ++row) {
    std::string found;
    ASSERT_TRUE(db->Get(rocksdb::ReadOptions(), RowKey(row), &found).ok()) << row;
    ASSERT_EQ(found, value);
  }
  EXPECT_TRUE(PutSynced(db.get(), acknowledged).ok());
}

TEST_F(SecondPlaceTest, AMirrorThatCannotBeIsRefusedUnlessItMayBeDegraded) {
  for (const bool may_be : {false, true}) {
    ChildProcess child("second_writer",
                       {"id=bloom_lfs;second_mode=mirror;second_place=" + (dir_ / "no/such") +
                            (may_be ? ";mirror_degraded=continue" : ""),
                        db_, "", "", "3"});
    const std::string heard = child.Hear();
    if (may_be) {
      EXPECT_EQ(heard, "written");
    } else {
      EXPECT_NE(heard.find("/no"), std::string::npos) << heard;
    }
  }
}

}  // namespace
}  // namespace bloom_lfs::test
