// The same program under stock RocksDB and under the plugin leaves the same logs, byte for byte.

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

constexpr size_t kMiB = 1 << 20;

void Require(const rocksdb::Status& s) {
  if (!s.ok()) throw std::runtime_error(s.ToString());
}

struct Case {
  const char* name;
  uint32_t operations;
  uint32_t column_families;
  size_t value_size_min;
  size_t value_size_max;
  uint32_t large_one_in;   // records of 9 to 20 MiB, more than a ring holds; 0: none
  uint32_t sync_one_in;    // 0: none
  uint32_t switch_one_in;  // flushes a column family, which begins a new log; 0: none
  std::function<void(rocksdb::Options*)> tweak;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"TinyRecords", 8000, 1, 0, 60, 0, 0, 0, nullptr},
      {"SmallRecordsSynced", 300, 1, 50, 150, 0, 1, 0, nullptr},
      {"MixedSizesSomeSynced", 400, 1, 1, 300000, 0, 10, 0, nullptr},
      {"RecordsLargerThanTheRing", 24, 1, 1, 100000, 6, 5, 0, nullptr},
      {"ColumnFamiliesAndManyLogs", 1500, 4, 1, 20000, 0, 30, 60, nullptr},
      {"CompressedLog", 900, 2, 1, 50000, 300, 20, 300,
       [](rocksdb::Options* options) { options->wal_compression = rocksdb::kZSTD; }},
      {"ManualFlush", 900, 2, 1, 50000, 0, 40, 300,
       [](rocksdb::Options* options) { options->manual_wal_flush = true; }},
      {"RangeSync", 600, 1, 100, 20000, 0, 0, 200,
       [](rocksdb::Options* options) { options->wal_bytes_per_sync = 64 << 10; }},
      {"UnflushedRecovery", 800, 3, 1, 20000, 0, 20, 0,
       [](rocksdb::Options* options) { options->avoid_flush_during_recovery = true; }},
      {"Recycled", 1500, 1, 1, 3000, 0, 50, 200, [](rocksdb::Options* options) {
         options->WAL_ttl_seconds = 0;  // archiving would switch recycling off
         options->recycle_log_file_num = 2;
         options->wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
       }}};
  return cases;
}

// Everything that could depend on time is off: logs begin only where the program says so, and
// none of them is deleted.
rocksdb::Options MakeOptions(const Case& c, rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.compression = rocksdb::kNoCompression;
  options.disable_auto_compactions = true;
  options.write_buffer_size = 256 << 20;  // more than any case writes
  options.WAL_ttl_seconds = 100000;       // old logs go to archive/ and stay there
  if (c.tweak) c.tweak(&options);
  return options;
}

class Program {
 public:
  Program(const Case& c, const std::string& path, rocksdb::Env* env, uint64_t seed)
      : case_(c), random_(seed) {
    const rocksdb::Options options = MakeOptions(c, env);
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (uint32_t i = 0; i < c.column_families; ++i) {
      descriptors.emplace_back(
          i == 0 ? rocksdb::kDefaultColumnFamilyName : "cf" + std::to_string(i), options);
    }
    manual_wal_flush_ = options.manual_wal_flush;
    Require(rocksdb::DB::Open(options, path, descriptors, &families_, OpenInto(&db_)));
  }

  ~Program() {
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  }

  void Step() {
    rocksdb::WriteBatch batch;
    for (uint64_t puts = 1 + random_.Below(3); puts > 0; --puts) {
      batch.Put(AnyFamily(), "key" + std::to_string(random_.Below(1000)), AnyValue());
    }
    rocksdb::WriteOptions write_options;
    write_options.sync = OneIn(case_.sync_one_in);
    Require(db_->Write(write_options, &batch));
    if (manual_wal_flush_ && random_.OneIn(7)) {
      Require(db_->FlushWAL(random_.OneIn(2)));
    }
    if (random_.OneIn(150)) Require(db_->SyncWAL());
    if (OneIn(case_.switch_one_in)) SwitchLog();
  }

 private:
  bool OneIn(uint32_t n) { return n != 0 && random_.OneIn(n); }

  rocksdb::ColumnFamilyHandle* AnyFamily() { return families_[random_.Below(families_.size())]; }

  std::string AnyValue() {
    const size_t size =
        OneIn(case_.large_one_in)
            ? 9 * kMiB + random_.Below(11 * kMiB)
            : random_.Skewed(1 + case_.value_size_min, 1 + case_.value_size_max) - 1;
    return MakeValue(random_.Next(), size);
  }

  void SwitchLog() {
    Require(db_->Flush(rocksdb::FlushOptions(), AnyFamily()));
    // Waits until the old log is where it belongs: which log gets recycled next must not depend on
    // how far a background thread has come.
    Require(db_->DisableFileDeletions());
    Require(EnableFileDeletions(db_.get()));
  }

  const Case& case_;
  Random random_;
  bool manual_wal_flush_ = false;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// Arguments: case, path, "stock" or "plugin", seed. Opens, writes, closes; ends as programs end.
int ProgramMain(const std::vector<std::string>& args) {
  const Case& c = Cases().at(std::stoul(args.at(0)));
  const TestEnv env(args.at(2) == "plugin" ? With::kPlugin : With::kStock);
  Program program(c, args.at(1), env.get(), std::stoull(args.at(3)));
  for (uint32_t i = 0; i < c.operations; ++i) program.Step();
  return 0;
}

const RegisterChild kProgram("program", ProgramMain);

// By base name: when a log moves to archive/ is a background thread's business.
std::map<std::string, std::string> Logs(const std::string& dir) {
  std::map<std::string, std::string> logs;
  for (const std::string& name : LogFiles(dir)) {
    logs[std::filesystem::path(name).filename().string()] = ReadFile(dir + "/" + name);
  }
  return logs;
}

void ExpectSameBytes(const std::string& stock, const std::string& plugin, const std::string& what) {
  if (stock == plugin) return;
  size_t at = 0;
  while (at < stock.size() && at < plugin.size() && stock[at] == plugin[at]) ++at;
  ADD_FAILURE() << what << " differs at byte " << at << " (" << stock.size() << " bytes by stock, "
                << plugin.size() << " by the plugin)";
}

// Returns how many logs there were.
size_t ExpectSameLogs(const std::string& stock_dir, const std::string& plugin_dir) {
  const auto stock = Logs(stock_dir);
  const auto plugin = Logs(plugin_dir);
  for (const auto& [name, bytes] : stock) {
    const auto found = plugin.find(name);
    if (found == plugin.end()) {
      ADD_FAILURE() << name << " is missing under the plugin";
    } else {
      ExpectSameBytes(bytes, found->second, name);
    }
  }
  for (const auto& [name, bytes] : plugin) {
    EXPECT_EQ(stock.count(name), 1u) << name << " exists only under the plugin";
  }
  return stock.size();
}

void ExpectOnlyRocksDbFiles(const std::string& dir) {
  const std::regex known(
      R"((CURRENT|IDENTITY|LOCK|LOG.*|(MANIFEST|OPTIONS)-\d+|archive|(archive/)?\d+\.(log|sst)))");
  for (const auto& [name, facts] : ListTree(dir)) {
    EXPECT_TRUE(std::regex_match(name, known)) << name << ", " << facts.size << " bytes, is left";
  }
}

class ByteIdentityTest : public testing::TestWithParam<size_t> {
 protected:
  bool IsRecycled() const {
    return MakeOptions(Cases()[GetParam()], nullptr).recycle_log_file_num != 0;
  }

  const TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(All, ByteIdentityTest, testing::Range<size_t>(0, Cases().size()),
                         [](const auto& param_info) { return Cases()[param_info.param].name; });

// Two lives each, in processes of their own: the second recovers the logs of the first.
TEST_P(ByteIdentityTest, LogsAreTheSameAfterACleanExit) {
  size_t logs = 0;
  for (int life = 0; life < 2; ++life) {
    for (const With with : {With::kStock, With::kPlugin}) {
      ChildProcess child("program", {std::to_string(GetParam()), dir_ / Name(with), Name(with),
                                     std::to_string(1000 * GetParam() + life)});
      ASSERT_EQ(child.Wait(), 0) << "with " << Name(with);
    }
    logs = ExpectSameLogs(dir_ / "stock", dir_ / "plugin");
    ExpectOnlyRocksDbFiles(dir_ / "plugin");
  }
  // Recycling keeps no old logs to compare, but the one in use has a former life.
  const bool many = Cases()[GetParam()].switch_one_in != 0 && !IsRecycled();
  EXPECT_GE(logs, many ? 3u : 1u) << "too few logs were compared";
}

void WaitUntilGone(const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::filesystem::exists(path) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << path << " stays";
}

// While the database lives its log is in memory, in the file, or half and half: nobody may notice.
TEST_P(ByteIdentityTest, LiveLogsReadTheSameInLockstep) {
  const Case& c = Cases()[GetParam()];
  const TestEnv stock_env(With::kStock);
  const TestEnv plugin_env(With::kPlugin);
  auto stock = std::make_unique<Program>(c, dir_ / "stock", stock_env.get(), 77);
  auto plugin = std::make_unique<Program>(c, dir_ / "plugin", plugin_env.get(), 77);
  const auto compare_newest = [&](bool contents) {
    const std::string stock_log = NewestLog(dir_ / "stock");
    const std::string plugin_log = NewestLog(dir_ / "plugin");
    ASSERT_EQ(std::filesystem::path(stock_log).filename(),
              std::filesystem::path(plugin_log).filename());
    uint64_t stock_size = 0;
    uint64_t plugin_size = 0;
    Require(stock_env->GetFileSize(stock_log, &stock_size));
    Require(plugin_env->GetFileSize(plugin_log, &plugin_size));
    ASSERT_EQ(stock_size, plugin_size) << "of " << stock_log;
    if (!contents) return;
    std::string bytes;
    Require(rocksdb::ReadFileToString(plugin_env.get(), plugin_log, &bytes));
    ExpectSameBytes(ReadFile(stock_log), bytes, stock_log);
  };
  // A recycled file's length is what its former life left, and the plugin need not keep that.
  const bool comparable = !IsRecycled();
  for (uint32_t i = 0; i < c.operations / 2 && !HasFailure(); ++i) {
    stock->Step();
    plugin->Step();
    if (comparable) compare_newest(i % (c.operations / 16) == 0);
  }
  stock.reset();
  plugin.reset();
  compare_newest(true);  // at once, before anything in the background has ended
  WaitUntilGone(dir_ / "plugin/.bloom_lfs");
  ExpectSameLogs(dir_ / "stock", dir_ / "plugin");
  ExpectOnlyRocksDbFiles(dir_ / "plugin");
}

}  // namespace
}  // namespace bloom_lfs::test
