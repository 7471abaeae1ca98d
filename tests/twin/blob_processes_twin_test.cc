// Databases with blob files and several processes: one is killed, others look on.

#include <gtest/gtest.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/quiet_database.h"
#include "tests/support/test_env.h"
#include "tests/support/twin.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

rocksdb::Options BlobOptions(rocksdb::Env* env, const Tweak& tweak = nullptr) {
  return QuietOptions(env, [&](rocksdb::Options* options) {
    options->enable_blob_files = true;
    options->min_blob_size = 300;
    options->enable_blob_garbage_collection = true;
    options->blob_garbage_collection_age_cutoff = 1.0;
    options->avoid_flush_during_recovery = true;
    if (tweak) tweak(options);
  });
}

With WithOf(const std::string& name) { return name == "plugin" ? With::kPlugin : With::kStock; }

[[noreturn]] void WaitToBeKilled(const std::string& last_words) {
  Report(last_words);
  for (;;) ::pause();
}

// --- killed --------------------------------------------------------------------------------------

// Stops the process in the middle of a table: its blob file has some of its records.
class StopAtRow final : public rocksdb::CompactionFilter {
 public:
  const char* Name() const override { return "StopAtRow"; }
  bool Filter(int /*level*/, const rocksdb::Slice& key, const rocksdb::Slice& /*value*/,
              std::string* /*new_value*/, bool* /*value_changed*/) const override {
    if (key == RowKey(70)) WaitToBeKilled("in the middle");
    return false;
  }
};

class StopAtRowWhile final : public rocksdb::CompactionFilterFactory {
 public:
  explicit StopAtRowWhile(rocksdb::TableFileCreationReason reason) : reason_(reason) {}
  const char* Name() const override { return "StopAtRowWhile"; }
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason reason) const override {
    return reason == reason_;
  }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<StopAtRow>();
  }

 private:
  const rocksdb::TableFileCreationReason reason_;
};

// Arguments: path, "stock" or "plugin", "flush" or "compaction", "small" or "large" blob files.
int VictimMain(const std::vector<std::string>& args) {
  const TestEnv env(WithOf(args.at(1)));
  rocksdb::Options options = BlobOptions(env.get());
  options.blob_file_size = args.at(3) == "small" ? 50 << 10 : 1 << 30;
  options.writable_file_max_buffer_size = 16 << 10;  // what is half-written reaches the FileSystem
  const auto reason = args.at(2) == "flush" ? rocksdb::TableFileCreationReason::kFlush
                                            : rocksdb::TableFileCreationReason::kCompaction;
  options.compaction_filter_factory = std::make_shared<StopAtRowWhile>(reason);
  QuietDatabase db(options, args.at(0));
  const bool flush_stops = args.at(2) == "flush";
  // What comes before the row at which it stops must be flushed without being filtered.
  PutRows(db.get(), db.family(0), {0, 60, 0, 40000, 0});
  db.Flush();
  PutRows(db.get(), db.family(0), {30, flush_stops ? 100u : 69u, 1, 40000, 20});
  if (flush_stops) {
    Require(db->Flush(rocksdb::FlushOptions()));  // never returns
  }
  db.Flush();
  PutRows(db.get(), db.family(0), {60, 100, 2, 40000, 0});
  db.Flush();
  PutRows(db.get(), db.family(0), {0, 20, 3, 40000, 0});  // in the WAL only, not synced
  Require(db->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  return 1;
}
const RegisterChild kVictim("victim", VictimMain);

struct Moment {
  const char* name;
  const char* job;
  const char* blob_files;
};
class KilledTwinTest : public testing::TestWithParam<Moment> {};
INSTANTIATE_TEST_SUITE_P(All, KilledTwinTest,
                         testing::Values(Moment{"Flush", "flush", "large"},
                                         Moment{"FlushOfManyBlobFiles", "flush", "small"},
                                         Moment{"Compaction", "compaction", "large"},
                                         Moment{"CompactionOfManyBlobFiles", "compaction",
                                                "small"}),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_P(KilledTwinTest, InTheMiddleOfABlobFileNothingThatWasWrittenIsLost) {
  ExpectTwins([](TwinSide& side) {
    ChildProcess victim("victim",
                        {side / "db", side.name(), GetParam().job, GetParam().blob_files});
    side.Say("victim", victim.Hear());
    victim.Kill();
    const rocksdb::Options options = BlobOptions(side.env());
    {
      QuietDatabase db(options, side / "db");
      db.SayContents(side, "when reopened");
      PutRows(db.get(), db.family(0), {90, 110, 5, 40000, 0});
      db.Flush();
      Require(db->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
      AwaitQuiet(db.get());
      db.SayContents(side, "when compacted");
    }
    const QuietDatabase db(options, side / "db");
    db.SayContents(side, "when reopened again");
  });
}

// The plugin's half-written file found by stock, and the other way round. Stock may miss the
// unsynced end of the plugin's log, and leaves its ring alone: rows of tables are what is compared.
TEST_P(KilledTwinTest, TheOtherSideCarriesOn) {
  const auto scenario = [](TwinSide& side) {
    ChildProcess victim("victim",
                        {side / "db", side.name(), GetParam().job, GetParam().blob_files});
    side.Say("victim", victim.Hear());
    victim.Kill();
    const TestEnv other(side.with() == With::kStock ? With::kPlugin : With::kStock);
    const QuietDatabase db(BlobOptions(other.get()), side / "db");
    for (uint32_t row = 20; row < 30; ++row) {
      std::string value;
      side.Say("get", db->Get(rocksdb::ReadOptions(), RowKey(row), &value));
      side.SayBytes(RowKey(row), value);
    }
    // The half-written one is not among them.
    for (const std::string& name : BlobFiles(side / "db")) side.Say("there is", name);
  };
  ExpectTwins(scenario, Files::kNone);
}

// --- looked at -----------------------------------------------------------------------------------

std::string Summary(rocksdb::DB* db) {
  TwinSide words(With::kStock, db->GetName());  // only for its way of putting it
  words.SayContents("contents", db);
  return words.answers().back();
}

// Arguments: path, "stock" or "plugin". Answers every line it hears with what it sees.
int ReaderMain(const std::vector<std::string>& args) {
  const TestEnv env(WithOf(args.at(1)));
  while (Await() == "look") {
    const QuietDatabase db(BlobOptions(env.get()), args.at(0), {}, Access::kReadOnly);
    Report(Summary(db.get()));
  }
  return 0;
}
const RegisterChild kReader("reader", ReaderMain);

int SecondaryMain(const std::vector<std::string>& args) {
  const TestEnv env(WithOf(args.at(1)));
  rocksdb::Options options = BlobOptions(env.get());
  options.max_open_files = -1;
  std::unique_ptr<rocksdb::DB> db;
  Require(
      rocksdb::DB::OpenAsSecondary(options, args.at(0), args.at(0) + ".secondary", OpenInto(&db)));
  while (Await() == "look") {
    Require(db->TryCatchUpWithPrimary());
    Report(Summary(db.get()));
  }
  return 0;
}
const RegisterChild kSecondary("secondary", SecondaryMain);

class ObserverTwinTest : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, ObserverTwinTest, testing::Values("reader", "secondary"),
                         [](const auto& param_info) { return std::string(param_info.param); });

TEST_P(ObserverTwinTest, SeesBlobsAndUnflushedRowsOfARunningProcess) {
  ExpectTwins([](TwinSide& side) {
    QuietDatabase db(BlobOptions(side.env()), side / "db");
    PutRows(db.get(), db.family(0), {0, 10, 0, 40000, 0});
    ChildProcess observer(GetParam(), {side / "db", side.name()});
    const auto look = [&](const std::string& when) {
      observer.Say("look");
      side.Say(when, observer.Hear());
      side.SayContents("the writer " + when, db.get());
    };
    look("before the first table");
    for (uint32_t round = 0; round < 3; ++round) {
      PutRows(db.get(), db.family(0), {round * 20, 50 + round * 20, round, 40000, 0});
      look("unflushed");
      db.Flush();
      look("flushed");
    }
    PutRows(db.get(), db.family(0), {0, 30, 8, 40000, 0});
    Require(db->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
    AwaitQuiet(db.get());
    look("compacted");
    observer.Say("enough");
    side.Say("exit code", static_cast<uint64_t>(observer.Wait()));
  });
}

// Tables and blob files are whole for those, too, who do not know the plugin.
TEST(ForeignReaderTwinTest, StockSeesEveryFlushedBlob) {
  ExpectTwins([](TwinSide& side) {
    QuietDatabase db(BlobOptions(side.env()), side / "db");
    ChildProcess reader("reader", {side / "db", "stock"});
    for (uint32_t round = 0; round < 3; ++round) {
      PutRows(db.get(), db.family(0), {round * 20, 50 + round * 20, round, 40000, 0});
      db.Flush();
      reader.Say("look");
      side.Say("stock sees", reader.Hear());
    }
    reader.Say("enough");
    side.Say("exit code", static_cast<uint64_t>(reader.Wait()));
  });
}

}  // namespace
}  // namespace bloom_lfs::test
