// Readers in another process, beside a writer that is alive, gone or killed.

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/crc32c.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

const TwinDatabase::Families kFamilies = {rocksdb::kDefaultColumnFamilyName, "idle"};
constexpr size_t kMoreThanARing = 7 << 20;

With SideNamed(const std::string& name) { return name == "plugin" ? With::kPlugin : With::kStock; }

// --- the reading process ---

// Carries out one command at a time on the writer's database or on one of its files.
class Reader {
 public:
  Reader(With with, const std::string& directory) : side_(with, directory) {}

  void Do(const std::string& command, const std::string& argument) {
    if (command == "open") {
      db_.reset();
      db_ = std::make_unique<TwinDatabase>(
          side_, TwinOptions(side_), side_ / "db", kFamilies,
          argument == "secondary" ? TwinDatabase::Mode::kSecondary : TwinDatabase::Mode::kReadOnly);
    } else if (command == "contents") {
      if (*db_) db_->SayContents("contents");
    } else if (command == "catch-up") {
      if (*db_) side_.Say("catch up", (*db_)->TryCatchUpWithPrimary());
    } else if (command == "open-file") {
      side_.Say("open", side_.env()->NewSequentialFile(argument, &file_, rocksdb::EnvOptions()));
    } else if (command == "read") {
      Read(std::stoul(argument));
    } else if (command == "size") {
      uint64_t size = 0;
      const rocksdb::Status status = side_.env()->GetFileSize(argument, &size);
      side_.Say("size", (status.ok()               ? "ok "
                         : status.IsPathNotFound() ? "no such path "
                                                   : "error ") +
                            std::to_string(size));
    }
  }

  const std::vector<std::string>& answers() const { return side_.answers(); }

 private:
  // From where the handle stands, in the pieces that RocksDB reads logs in.
  void Read(size_t limit) {
    std::string scratch(32768, '\0');
    rocksdb::Slice piece;
    rocksdb::Status status;
    uint64_t bytes = 0;
    uint32_t crc = 0;
    do {
      status = file_->Read(scratch.size(), &piece, scratch.data());
      bytes += piece.size();
      crc = lss::Crc32c(crc, piece.data(), piece.size());
    } while (status.ok() && piece.size() == scratch.size() && bytes < limit);
    side_.Say("read", status.ToString() + " " + std::to_string(bytes) + " bytes, checksum " +
                          std::to_string(crc));
  }

  TwinSide side_;
  std::unique_ptr<TwinDatabase> db_;
  std::unique_ptr<rocksdb::SequentialFile> file_;
};

int ReaderMain(const std::vector<std::string>& args) {
  Reader reader(SideNamed(args.at(1)), args.at(0));
  size_t said = 0;
  for (std::string line = Await(); !line.empty(); line = Await()) {
    const size_t space = std::min(line.find(' '), line.size());
    reader.Do(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
    std::string answer;
    for (; said < reader.answers().size(); ++said) answer += reader.answers()[said] + "; ";
    Report(answer);
  }
  return 0;
}

const RegisterChild kReader("reader", ReaderMain);

// The reader as the scenario sees it. Its answers are those of the scenario.
class ReaderProcess {
 public:
  explicit ReaderProcess(TwinSide& side)
      : side_(side), child_("reader", {side / ".", side.name()}) {}
  void Do(const std::string& command) {
    child_.Say(command);
    side_.Say("reader: " + command.substr(0, command.find(' ')), child_.Hear());
  }

 private:
  TwinSide& side_;
  ChildProcess child_;
};

// --- scenarios ---

constexpr size_t kSizes[] = {10, 40'000, kMoreThanARing, 1000};

void AwaitDeletion(TwinSide& side, const std::string& log) {
  WaitUntil("deletion of " + log, [&] { return side.env()->FileExists(log).IsNotFound(); });
}

TEST(OtherProcessTwinTest, ReadOnlySeesUnsyncedRows) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
    ReaderProcess reader(side);
    db.Write(0, 1, 10, 1);  // "idle" needs the first log from now on
    uint64_t row = 0;
    for (const size_t size : kSizes) {
      db.Write(row, row + 3, size);
      row += 2;
      reader.Do("open read-only");
      reader.Do("contents");
      db.SwitchLog();
      db.Write(row, row + 1, size);
      reader.Do("contents");  // as of when it was opened
      reader.Do("open read-only");
      reader.Do("contents");
    }
  });
}

TEST(OtherProcessTwinTest, SecondaryFollowsOverSwitchesAndDeletedLogs) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
    db.Write(0, 1, 10, 1);
    db.Write(0, 10, 500);
    ReaderProcess early(side);
    early.Do("open secondary");
    early.Do("contents");
    uint64_t row = 5;
    for (const size_t size : kSizes) {
      db.Write(row, row + 3, size, 0, size > 1000);
      row += 2;
      early.Do("catch-up");
      early.Do("contents");
      db.SwitchLog();
      db.Write(row, row + 1, size);
      early.Do("catch-up");
      early.Do("contents");
    }
    const std::string log = NewestLog(side / "db");
    db.SwitchLog(1);  // nobody needs the old logs any more
    db.SwitchLog();
    AwaitDeletion(side, log);
    early.Do("catch-up");
    early.Do("contents");
    db.Write(0, 10, 700);
    early.Do("catch-up");
    early.Do("contents");
  });
}

TEST(OtherProcessTwinTest, SecondaryOpenedAfterASwitchSeesTheOldLogsToo) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
    db.Write(0, 20, 3000, 1);
    db.SwitchLog();
    db.Write(20, 40, 3000, 1);
    db.SwitchLog();
    db.Write(0, 20, 3000);
    ReaderProcess reader(side);
    reader.Do("open secondary");
    reader.Do("contents");
    db.Write(10, 30, 400'000);
    reader.Do("catch-up");
    reader.Do("contents");
  });
}

TEST(OtherProcessTwinTest, WhatRocksDbHasNotPassedOnIsNotSeen) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    options.manual_wal_flush = true;
    TwinDatabase db(side, options, side / "db", kFamilies);
    ReaderProcess reader(side);
    for (const bool sync : {false, true, false}) {
      db.Write(0, 10, 500);
      reader.Do("size " + NewestLog(side / "db"));
      reader.Do("open read-only");
      reader.Do("contents");
      Require(db->FlushWAL(sync));
      reader.Do("size " + NewestLog(side / "db"));
      reader.Do("open secondary");
      reader.Do("contents");
      db.Write(10, 20, 100'000);
    }
  });
}

// --- one open file ---

enum class Fate { kDeleted, kArchived, kClosed };

// Ways for a log to end while somebody reads it. The reader is in its middle, or has not begun.
void ReadWhileItEnds(TwinSide& side, Fate fate, size_t bytes, bool sync, bool begun) {
  rocksdb::Options options = TwinOptions(side);
  options.WAL_ttl_seconds = fate == Fate::kArchived ? 100000 : 0;
  auto db = std::make_unique<TwinDatabase>(side, options, side / "db");
  const std::string log = NewestLog(side / "db");
  db->Write(0, 10, bytes / 20, 0, sync);
  ReaderProcess reader(side);
  reader.Do("open-file " + log);
  if (begun) reader.Do("read " + std::to_string(bytes / 4));
  db->Write(10, 20, bytes / 20, 0, sync);
  if (fate == Fate::kClosed) {
    db.reset();
  } else {
    db->SwitchLog();
    AwaitDeletion(side, log);
    db->Write(20, 25, bytes / 20);
  }
  reader.Do("size " + log);
  reader.Do("read " + std::to_string(UINT32_MAX));
  reader.Do("read " + std::to_string(UINT32_MAX));
  db.reset();
  reader.Do("read " + std::to_string(UINT32_MAX));
}

TEST(OtherProcessTwinTest, AnOpenFileIsReadToItsEndWhateverBecomesOfTheLog) {
  for (const Fate fate : {Fate::kDeleted, Fate::kArchived, Fate::kClosed}) {
    for (const size_t bytes : {20'000ul, 8'000'000ul}) {
      for (const bool sync : {false, true}) {
        for (const bool begun : {false, true}) {
          SCOPED_TRACE(std::to_string(static_cast<int>(fate)) + " " + std::to_string(bytes) +
                       (sync ? " synced" : "") + (begun ? " begun" : ""));
          ExpectTwins([&](TwinSide& side) { ReadWhileItEnds(side, fate, bytes, sync, begun); });
        }
      }
    }
  }
}

// --- a writer that is killed ---

// Arguments: directory, side. For every line "<from> <to> <size>" it writes rows to both families
// and says "written".
int WriterMain(const std::vector<std::string>& args) {
  TwinSide side(SideNamed(args.at(1)), args.at(0));
  TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
  db.Write(0, 1, 10, 1);
  Report("open");
  for (std::string line = Await(); !line.empty(); line = Await()) {
    if (line == "switch") {
      db.SwitchLog();
    } else {
      size_t from = 0;
      size_t to = 0;
      size_t size = 0;
      std::sscanf(line.c_str(), "%zu %zu %zu", &from, &to, &size);
      db.Write(from, to, size, 0);
      db.Write(from, to, size, 1);
    }
    Report("written");
  }
  return 0;
}

const RegisterChild kWriter("writer", WriterMain);

void Order(ChildProcess* writer, const std::string& line) {
  writer->Say(line);
  ASSERT_EQ(writer->Hear(), "written");
}

TEST(OtherProcessTwinTest, ReadersSeeAllOfAKilledWritersRows) {
  ExpectTwins([](TwinSide& side) {
    ChildProcess writer("writer", {side / ".", side.name()});
    ASSERT_EQ(writer.Hear(), "open");
    Order(&writer, "0 20 3000");
    ReaderProcess follower(side);
    follower.Do("open secondary");
    ReaderProcess raw(side);
    const std::string first_log = NewestLog(side / "db");
    raw.Do("open-file " + first_log);
    raw.Do("read 50000");
    Order(&writer, "20 40 3000");
    Order(&writer, "switch");
    Order(&writer, "0 30 200");
    Order(&writer, "30 35 1700000");
    writer.Kill();
    raw.Do("read " + std::to_string(UINT32_MAX));
    raw.Do("size " + first_log);
    raw.Do("size " + NewestLog(side / "db"));
    follower.Do("catch-up");
    follower.Do("contents");
    ReaderProcess late(side);
    late.Do("open read-only");
    late.Do("contents");
    // The heir cleans up, which must take nothing away from those who read.
    TwinDatabase heir(side, TwinOptions(side), side / "db", kFamilies);
    heir.SayContents("heir");
    raw.Do("read " + std::to_string(UINT32_MAX));
    follower.Do("catch-up");
    follower.Do("contents");
    heir.Write(40, 50);
    follower.Do("catch-up");
    follower.Do("contents");
  });
}

}  // namespace
}  // namespace bloom_lfs::test
