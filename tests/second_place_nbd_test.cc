// Databases whose second place is on a server that is slow, stops, fails, dies and comes back: rows
// go on where the mode says so, and none that was acknowledged is missing, whoever opens it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/lost_power.h"
#include "tests/support/nbd_server.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using lss::test::NbdServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kRowsInALog = 400;

std::string RowKey(uint64_t row) { return "row " + std::to_string(row); }
std::string RowValue(uint64_t row) {
  return std::string(30 + row % 2000, 'v') + std::to_string(row);
}

// Rows that were acknowledged; outlives their writer.
std::atomic<uint64_t>* MapCount(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(uint64_t)) != 0) {
    return nullptr;
  }
  void* const memory = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return static_cast<std::atomic<uint64_t>*>(memory);
}

rocksdb::Status Open(rocksdb::Env* env, const std::string& path, std::unique_ptr<rocksdb::DB>* db) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  return rocksdb::DB::Open(options, path, OpenInto(db));
}

// args: uri, database, file of the count. Writes synced rows until it is killed, or one fails; a
// new log now and then.
int WriterMain(const std::vector<std::string>& args) {
  const TestEnv env(args.at(0));
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = Open(env.get(), args.at(1), &db);
  std::atomic<uint64_t>* const count = MapCount(args.at(2));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  for (uint64_t row = 0; status.ok(); ++row) {
    status = db->Put(synced, RowKey(row), RowValue(row));
    if (status.ok()) {
      count->store(row + 1);
    }
    if (status.ok() && row % kRowsInALog == kRowsInALog - 1) {
      status = db->Flush(rocksdb::FlushOptions());
    }
  }
  Report(status.ToString());
  Await();
  return 0;
}
const RegisterChild kWriter("nbd_writer", WriterMain);

// args: uri, database, rows. Writes half of them synced, the rest when it is told to, and closes.
int CloserMain(const std::vector<std::string>& args) {
  const uint64_t rows = std::stoull(args.at(2));
  {
    const TestEnv env(args.at(0));
    std::unique_ptr<rocksdb::DB> db;
    rocksdb::Status status = Open(env.get(), args.at(1), &db);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (uint64_t row = 0; row < rows && status.ok(); ++row) {
      status = db->Put(synced, RowKey(row), RowValue(row));
      if (row == rows / 2) {
        Report(status.ToString());
        Await();
      }
    }
    Report(status.ToString());
  }
  Report("closed");
  return 0;
}
const RegisterChild kCloser("nbd_closer", CloserMain);

class SecondPlaceNbdTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = lss::test::WhyNoNbdServer(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    WriteFile(file_, "");
    fs::resize_file(file_, 32 << 20);
    count_ = MapCount(dir_ / "count");
    ASSERT_NE(count_, nullptr);
  }

  std::string Uri(const NbdServer& server, const std::string& mode) const {
    return "id=bloom_lfs;second_mode=" + mode + ";second_place=" + server.uri() +
           ";second_catch_up_ms=3600000";
  }
  std::unique_ptr<ChildProcess> Write(const std::string& uri) const {
    return std::make_unique<ChildProcess>("nbd_writer",
                                          std::vector<std::string>{uri, db_, dir_ / "count"});
  }
  uint64_t rows() const { return count_->load(); }
  // Whether so many more rows are acknowledged in time.
  bool AwaitRows(uint64_t more, seconds within = seconds(20)) const {
    const uint64_t wanted = rows() + more;
    const auto until = Clock::now() + within;
    while (rows() < wanted && Clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    return rows() >= wanted;
  }
  // Whether syncs go to the place in time: not with the first new log if trying the last one took
  // long.
  bool AwaitPlace(seconds within = seconds(20)) const {
    const auto until = Clock::now() + within;
    while (Clock::now() < until) {
      const fs::file_time_type before = fs::last_write_time(file_);
      if (AwaitRows(100) && fs::last_write_time(file_) > before) {
        return true;
      }
    }
    return false;
  }
  void ExpectEveryRow(const std::string& uri) const {
    std::string value;
    uint64_t missing = 0;
    {
      const std::unique_ptr<TestEnv> env = uri.empty() ? nullptr : std::make_unique<TestEnv>(uri);
      std::unique_ptr<rocksdb::DB> db;
      const rocksdb::Status status =
          Open(env == nullptr ? rocksdb::Env::Default() : env->get(), db_, &db);
      ASSERT_TRUE(status.ok()) << status.ToString();
      for (uint64_t row = 0; row < rows(); ++row) {
        const bool found = db->Get(rocksdb::ReadOptions(), RowKey(row), &value).ok();
        missing += found && value == RowValue(row) ? 0 : 1;
      }
    }
    printf("%llu rows acknowledged, %llu missing\n", static_cast<unsigned long long>(rows()),
           static_cast<unsigned long long>(missing));
    EXPECT_EQ(missing, 0U);
  }

  TempDir dir_;
  const std::string db_ = dir_ / "db";
  const std::string file_ = dir_ / "export";
  std::atomic<uint64_t>* count_ = nullptr;
};

TEST_F(SecondPlaceNbdTest, ASlowServerIsWaitedFor) {
  NbdServer server({"--filter=delay", "--filter=rate", "file", file_, "wdelay=3ms", "rate=80M"});
  auto writer = Write(Uri(server, "group"));
  ASSERT_TRUE(AwaitRows(500));
  writer->Kill();
  LosePower(db_);
  ExpectEveryRow(Uri(server, "group"));
  ExpectEveryRow("");
}

TEST_F(SecondPlaceNbdTest, AServerThatStopsStopsAMirrorThatHasToWait) {
  NbdServer server({"file", file_});
  auto writer = Write(Uri(server, "mirror"));
  ASSERT_TRUE(AwaitRows(50));
  server.Signal(SIGSTOP);
  std::this_thread::sleep_for(milliseconds(100));  // a write that was under way may have come back
  const uint64_t before = rows();
  EXPECT_FALSE(AwaitRows(2, seconds(1)));
  EXPECT_LE(rows(), before + 1);
  server.Signal(SIGCONT);
  EXPECT_TRUE(AwaitRows(50));
  writer->Kill();
  ExpectEveryRow("id=bloom_lfs");
}

TEST_F(SecondPlaceNbdTest, AServerThatStopsDoesNotStopOneThatMayGoOn) {
  NbdServer server({"file", file_});
  auto writer = Write(Uri(server, "mirror") + ";mirror_degraded=continue;failover_after_ms=50");
  ASSERT_TRUE(AwaitRows(50));
  server.Signal(SIGSTOP);
  EXPECT_TRUE(AwaitRows(kRowsInALog));
  server.Signal(SIGCONT);
  EXPECT_TRUE(AwaitRows(kRowsInALog));
  writer->Kill();
  ExpectEveryRow("");
}

TEST_F(SecondPlaceNbdTest, AServerThatDiesAndComesBackInTimeIsFoundAgain) {
  NbdServer server({"file", file_}, NbdServer::On::kLocalhost);
  auto writer = Write(Uri(server, "mirror"));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(AwaitRows(50)) << round;
    server.Kill();
    std::this_thread::sleep_for(milliseconds(300));
    server.Start();
  }
  ASSERT_TRUE(AwaitRows(50));
  writer->Kill();
  ExpectEveryRow("id=bloom_lfs");
}

TEST_F(SecondPlaceNbdTest, ErrorsOfTheServerSendSyncsToTheirFilesAndEndWithTheNextLog) {
  const std::string trigger = dir_ / "trigger";
  NbdServer server(
      {"--filter=error", "file", file_, "error-pwrite-rate=100%", "error-file=" + trigger});
  auto writer = Write(Uri(server, "group"));
  ASSERT_TRUE(AwaitRows(100));
  WriteFile(trigger, "");
  ASSERT_TRUE(AwaitRows(2 * kRowsInALog)) << "files are there for that";
  fs::remove(trigger);
  ASSERT_TRUE(AwaitPlace()) << "and the place is, with a new log";
  ASSERT_TRUE(AwaitRows(kRowsInALog));
  writer->Kill();
  ASSERT_TRUE(fs::exists(db_ + "/.bloom_lfs/second"));
  LosePower(db_);
  ExpectEveryRow(Uri(server, "group"));
}

TEST_F(SecondPlaceNbdTest, AMirrorThatFailsIsToldToWhoeverHasToHaveIt) {
  const std::string trigger = dir_ / "trigger";
  NbdServer server(
      {"--filter=error", "file", file_, "error-pwrite-rate=100%", "error-file=" + trigger});
  auto writer = Write(Uri(server, "mirror"));
  ASSERT_TRUE(AwaitRows(100));
  WriteFile(trigger, "");
  const std::string heard = writer->Hear();
  EXPECT_NE(heard.find(server.uri()), std::string::npos) << heard;
  writer->Kill();
  ExpectEveryRow("");
}

TEST_F(SecondPlaceNbdTest, FailoverOntoAServerLosesNothingWhenBothDie) {
  for (const char* const mode : {"failover", "hedge"}) {
    SCOPED_TRACE(mode);
    count_->store(0);
    NbdServer server({"file", file_});
    auto writer = Write(Uri(server, mode));
    ASSERT_TRUE(AwaitRows(300));
    server.Kill();
    EXPECT_TRUE(AwaitRows(100)) << "the file answers";
    writer->Kill();
    server.Start();
    ExpectEveryRow("id=bloom_lfs");
    fs::remove_all(db_);
  }
}

TEST_F(SecondPlaceNbdTest, WhileTheServerIsGoneADatabaseThatNeedsItIsNotOpened) {
  NbdServer server({"file", file_});
  auto writer = Write(Uri(server, "group"));
  ASSERT_TRUE(AwaitRows(100));
  writer->Kill();
  server.Kill();
  LosePower(db_);
  for (const std::string& uri : {std::string("id=bloom_lfs"), Uri(server, "group")}) {
    const TestEnv env(uri);
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status = Open(env.get(), db_, &db);
    EXPECT_FALSE(status.ok()) << uri;
    const std::string error = status.ToString();
    EXPECT_NE(error.find(server.uri()), std::string::npos) << error;
    EXPECT_NE(error.find("bloom_lfs recover --without-second-place " + db_), std::string::npos)
        << error;
  }
  EXPECT_TRUE(fs::exists(db_ + "/.bloom_lfs/second"));
  server.Start();
  ExpectEveryRow("id=bloom_lfs");
  ExpectEveryRow("");
}

TEST_F(SecondPlaceNbdTest, ClosingDoesNotWaitForEverForAServerThatDoesNotAnswer) {
  NbdServer server({"file", file_});
  count_->store(60);
  ChildProcess closer("nbd_closer", {Uri(server, "hedge"), db_, "60"});
  ASSERT_EQ(closer.Hear(), "OK");
  server.Signal(SIGSTOP);
  closer.Say("go on");
  EXPECT_EQ(closer.Hear(), "OK") << "the file answers";
  EXPECT_EQ(closer.Hear(), "closed");
  EXPECT_EQ(closer.Wait(), 0);
  server.Kill();
  EXPECT_FALSE(fs::exists(db_ + "/.bloom_lfs/second")) << "the file has everything";
  ExpectEveryRow("id=bloom_lfs");
}

TEST_F(SecondPlaceNbdTest, AServerThatCannotBeAPlaceIsNamed) {
  const auto refusal = [&](const NbdServer& server) {
    auto writer = Write(Uri(server, "mirror"));
    const std::string heard = writer->Hear();
    EXPECT_NE(heard.find(server.uri()), std::string::npos) << heard;
    return heard;
  };
  NbdServer read_only({"-r", "file", file_});
  EXPECT_NE(refusal(read_only).find("read-only"), std::string::npos);
  NbdServer small({"memory", "100K"});
  EXPECT_NE(refusal(small).find("room"), std::string::npos);
  WriteFile(dir_ / "other", std::string(4 << 20, 'x'));
  NbdServer other({"file", dir_ / "other"});
  EXPECT_NE(refusal(other).find("holds something"), std::string::npos);
  EXPECT_EQ(ReadFile(dir_ / "other"), std::string(4 << 20, 'x'));
}

TEST_F(SecondPlaceNbdTest, WhoIsTakenOverStopsAndLosesNothingThatItsFilesHave) {
  NbdServer server({"file", file_});
  auto first = Write(Uri(server, "mirror"));
  ASSERT_TRUE(AwaitRows(100));
  const std::string other = dir_ / "other_db";
  ChildProcess second("nbd_writer", {Uri(server, "mirror"), other, dir_ / "other_count"});
  const std::string heard = first->Hear();
  EXPECT_NE(heard.find("taken over"), std::string::npos) << heard;
  first->Kill();
  second.Kill();
  ExpectEveryRow("");
}

}  // namespace
}  // namespace bloom_lfs::test
