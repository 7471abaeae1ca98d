// Readers beside a living writer: in its own process, in others, with the plugin and without.

#include <gtest/gtest.h>
#include <rocksdb/transaction_log.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {
namespace {

// A process that reads. Arguments: path, "stock" or "plugin", "read-only" or "secondary". For every
// line "<rows> <version>" it says "yes", or which of the rows it does not see.
int ReaderMain(const std::vector<std::string>& args) {
  const With with = args.at(1) == "plugin" ? With::kPlugin : With::kStock;
  const bool is_secondary = args.at(2) == "secondary";
  const auto open = [&] {
    return std::make_unique<Database>(
        args.at(0), with, nullptr,
        is_secondary ? Database::Mode::kSecondary : Database::Mode::kReadOnly);
  };
  std::unique_ptr<Database> db = open();
  Report("open");
  for (std::string line = Await(); !line.empty(); line = Await()) {
    if (is_secondary) {
      Require((*db)->TryCatchUpWithPrimary());
    } else {
      db.reset();  // a read-only database is as of when it was opened
      db = open();
    }
    const size_t space = line.find(' ');
    const std::string missing =
        db->Missing(0, static_cast<uint32_t>(std::stoul(line)),
                    static_cast<uint32_t>(std::stoul(line.substr(space + 1))));
    Report(missing.empty() ? "yes" : missing);
  }
  return 0;
}

const RegisterChild kReader("reader", ReaderMain);

std::string Ask(ChildProcess* reader, uint32_t rows, uint32_t version) {
  reader->Say(std::to_string(rows) + " " + std::to_string(version));
  return reader->Hear();
}

// A living writer may touch the contents of its rings and its info log at any time; only their
// names count. (A reader that wrote an info log of its own would rename that one.)
Tree WithoutRings(Tree tree) {
  for (auto& [name, facts] : tree) {
    if (name.rfind(".bloom_lfs/", 0) == 0 || name == "LOG") facts = FileFacts();
  }
  return tree;
}

class LiveReaderTest : public testing::Test {
 protected:
  const TempDir dir_;
  const std::string path_ = dir_ / "db";
};

TEST_F(LiveReaderTest, ReadOnlyInAnotherProcessSeesUnsyncedWritesAtOnce) {
  Database db(path_, With::kPlugin);
  db.Write(0, 10);
  ChildProcess reader("reader", {path_, Name(With::kPlugin), "read-only"});
  ASSERT_EQ(reader.Hear(), "open");
  for (uint32_t rows = 20; rows <= 120; rows += 20) {
    db.Write(rows - 20, rows);
    EXPECT_EQ(Ask(&reader, rows, 0), "yes");
    if (rows % 40 == 0) db.SwitchLog();
  }
  EXPECT_EQ(db.Missing(0, 120), "");
}

TEST_F(LiveReaderTest, ReadOnlyModifiesNothingBesideALivingWriter) {
  Database db(path_, With::kPlugin);
  db.Write(0, 120);
  db.SwitchLog();
  db.Write(120, 140);
  // The writer's own background work has to end first.
  Tree before = WithoutRings(ListTree(path_));
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    Tree now = WithoutRings(ListTree(path_));
    if (Difference(before, now).empty()) break;
    before = std::move(now);
  }
  ChildProcess reader("reader", {path_, Name(With::kPlugin), "read-only"});
  ASSERT_EQ(reader.Hear(), "open");
  EXPECT_EQ(Ask(&reader, 140, 0), "yes");
  EXPECT_EQ(Difference(before, WithoutRings(ListTree(path_))), "");
}

TEST_F(LiveReaderTest, SecondaryInAnotherProcessCatchesUp) {
  Database db(path_, With::kPlugin);
  db.Write(0, 10);
  ChildProcess secondary("reader", {path_, Name(With::kPlugin), "secondary"});
  ASSERT_EQ(secondary.Hear(), "open");
  for (uint32_t rows = 15; rows <= 120; rows += 5) {
    db.Write(rows - 5, rows);
    EXPECT_EQ(Ask(&secondary, rows, 0), "yes");
    if (rows % 30 == 0) db.SwitchLog();
  }
  for (uint32_t version = 1; version < 4; ++version) {
    db.Write(0, 40, version);
    EXPECT_EQ(Ask(&secondary, 40, version), "yes");
  }
}

// Somebody without the plugin lags by the time after which an idle tail is written out. (Stock
// RocksDB's own lag would be none, but the kernel's towards the disk is half a minute.)
TEST_F(LiveReaderTest, ReaderWithoutThePluginSeesAnIdleWritersTailSoon) {
  Database db(path_, With::kPlugin);
  ChildProcess reader("reader", {path_, Name(With::kStock), "read-only"});
  ASSERT_EQ(reader.Hear(), "open");
  for (const uint32_t rows : {1, 50, 120}) {
    db.Write(0, rows, rows);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::string answer;
    do {
      answer = Ask(&reader, rows, rows);
    } while (answer != "yes" && std::chrono::steady_clock::now() < deadline);
    EXPECT_EQ(answer, "yes") << rows << " rows";
  }
}

TEST_F(LiveReaderTest, ManyReadersAndAKilledWriter) {
  const auto open = [&](Database::Mode mode) {
    return std::make_unique<Database>(path_, With::kPlugin, nullptr, mode);
  };
  auto db = open(Database::Mode::kReadWrite);
  db->Write(0, 120);
  // In the writer's own process, too, and each of them stays what it was.
  const auto first = open(Database::Mode::kReadOnly);
  db->Write(0, 120, 1);
  const auto second = open(Database::Mode::kReadOnly);
  db->Write(0, 120, 2);
  EXPECT_EQ(first->Missing(0, 120, 0), "");
  EXPECT_EQ(second->Missing(0, 120, 1), "");
  db.reset();
  EXPECT_EQ(second->Missing(0, 120, 1), "");
  EXPECT_EQ(open(Database::Mode::kReadOnly)->Missing(0, 120, 2), "");
}

// Reads a live log to its end, and once more behind it with the same iterator.
TEST_F(LiveReaderTest, TransactionLogIteratorFollowsALiveLog) {
  Database db(path_, With::kPlugin, [](rocksdb::Options* options) {
    options->WAL_ttl_seconds = 100000;  // switched logs stay, in archive/
  });
  rocksdb::SequenceNumber next = 1;
  for (uint32_t round = 0; round < 30; ++round) {
    if (round % 10 == 9) db.SwitchLog();
    db.Write(5 * round, 5 * round + 5);
    std::unique_ptr<rocksdb::TransactionLogIterator> it;
    Require(db->GetUpdatesSince(next, &it));
    while (it->Valid() && next <= db->GetLatestSequenceNumber()) {
      const rocksdb::BatchResult batch = it->GetBatch();
      ASSERT_EQ(batch.sequence, next) << "a gap in the log";
      next += static_cast<uint64_t>(batch.writeBatchPtr->Count());
      it->Next();
    }
    ASSERT_EQ(next, db->GetLatestSequenceNumber() + 1) << it->status().ToString();

    db.Write(5 * round, 5 * round + 1, 1);  // behind the end that the iterator has seen
    it->Next();
    ASSERT_TRUE(it->Valid()) << it->status().ToString();
    ASSERT_EQ(it->GetBatch().sequence, next);
    ++next;
  }
}

// While a thread writes and logs are switched: no gap, nothing twice, and all of it in the end.
TEST_F(LiveReaderTest, UpdatesAreFollowedWhileTheyAreWritten) {
  Database db(path_, With::kPlugin,
              [](rocksdb::Options* options) { options->WAL_ttl_seconds = 100000; });
  std::atomic<bool> writing{true};
  std::thread writer([&] {
    for (uint32_t round = 0; round < 60; ++round) {
      db.Write(5 * round, 5 * round + 5, 0, /*sync=*/round % 7 == 3);
      if (round % 20 == 19) db.SwitchLog();
    }
    writing = false;
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  rocksdb::SequenceNumber next = 1;
  while ((writing || next <= db->GetLatestSequenceNumber()) &&
         std::chrono::steady_clock::now() < deadline) {
    std::unique_ptr<rocksdb::TransactionLogIterator> it;
    if (!db->GetUpdatesSince(next, &it).ok()) continue;  // nothing that new yet
    for (; it->Valid(); it->Next()) {
      const rocksdb::BatchResult batch = it->GetBatch();
      EXPECT_EQ(batch.sequence, next);
      next = batch.sequence + static_cast<uint64_t>(batch.writeBatchPtr->Count());
    }
  }
  writer.join();
  EXPECT_EQ(next, db->GetLatestSequenceNumber() + 1);
}

}  // namespace
}  // namespace bloom_lfs::test
