// What RocksDB makes of damaged logs, in each of its recovery modes.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::WALRecoveryMode;
using testing::Combine;
using testing::Values;

constexpr size_t kBlock = 32768;  // of RocksDB's log format
constexpr size_t kLastRecord = 100'000;

struct Damage {
  const char* name;
  bool only_one_log;  // tried with one uncompressed log; elsewhere it would show nothing new
  std::function<std::string(const std::string&)>
      of;  // the bytes of a log whose last record is large
};

std::string Overwritten(std::string bytes, size_t at, const std::string& with) {
  return bytes.replace(at, with.size(), with);
}

std::string LastRecordFromItsSecondBlockOn(const std::string& bytes, char with) {
  const size_t begin = (bytes.size() - kLastRecord / 2) / kBlock * kBlock;
  return bytes.substr(0, begin) + std::string(bytes.size() - begin, with);
}

const Damage kDamages[] = {
    {"none", false, [](const std::string& bytes) { return bytes; }},
    {"torn inside a record", false,
     [](const std::string& bytes) { return bytes.substr(0, bytes.size() - 5); }},
    {"torn between fragments", true,
     [](const std::string& bytes) {
       return bytes.substr(0, (bytes.size() - 1) / kBlock * kBlock);
     }},
    {"torn inside a header", true,
     [](const std::string& bytes) {
       return bytes.substr(0, (bytes.size() - 1) / kBlock * kBlock + 3);
     }},
    {"zeros behind a whole record", false,
     [](const std::string& bytes) { return bytes + std::string(5000, '\0'); }},
    {"blocks of zeros behind a whole record", true,
     [](const std::string& bytes) { return bytes + std::string(5 * kBlock, '\0'); }},
    {"zeros inside a fragmented record", false,
     [](const std::string& bytes) { return LastRecordFromItsSecondBlockOn(bytes, '\0'); }},
    {"garbage inside a fragmented record", true,
     [](const std::string& bytes) { return LastRecordFromItsSecondBlockOn(bytes, '\x5a'); }},
    {"garbage in the middle", false,
     [](const std::string& bytes) { return Overwritten(bytes, 7000, std::string(300, '\x5a')); }},
    {"zeros in the middle", true,
     [](const std::string& bytes) { return Overwritten(bytes, 7000, std::string(3000, '\0')); }},
    {"one changed byte", true,
     [](const std::string& bytes) {
       return Overwritten(bytes, 7000, std::string(1, static_cast<char>(bytes[7000] ^ 1)));
     }},
    {"emptied", false, [](const std::string&) { return std::string(); }},
};

struct Layout {
  const char* name;
  bool every_damage;
  bool several_logs;
  bool damage_first;
  rocksdb::CompressionType compression;
  bool keep_logs;  // avoid_flush_during_recovery
};

constexpr Layout kLayouts[] = {
    {"OneLog", true, false, false, rocksdb::kNoCompression, false},
    {"OneLogKept", false, false, false, rocksdb::kNoCompression, true},
    {"CompressedLogKept", false, false, false, rocksdb::kZSTD, true},
    {"FirstOfSeveral", false, true, true, rocksdb::kNoCompression, false},
    {"FirstOfSeveralKept", false, true, true, rocksdb::kNoCompression, true},
    {"LastOfSeveralKept", false, true, false, rocksdb::kNoCompression, true},
};

constexpr const char* kModeNames[] = {"TolerateTornTail", "Absolute", "PointInTime", "SkipAny"};

rocksdb::Options LayoutOptions(const TwinSide& side, const Layout& layout) {
  rocksdb::Options options = TwinOptions(side);
  options.wal_compression = layout.compression;
  if (layout.several_logs) SwitchLogsOften(&options);
  return options;
}

// A copy of a living database, in "<dir>/source". Every log ends with a record of several blocks.
void PrepareSource(TwinSide& side, const Layout& layout) {
  TwinDatabase db(side, LayoutOptions(side, layout), side / "living");
  for (int log = 0; log < (layout.several_logs ? 3 : 1); ++log) {
    db.Write(100 * log, 100 * log + 30, 900);
    db.Write(100 * log + 30, 100 * log + 31, kLastRecord);
  }
  CopyThroughEnv(side, side / "living", side / "source");
}

// What its logs are, and which of them is to be damaged.
std::string LogToDamage(TwinSide& side, const Layout& layout) {
  const std::vector<std::string> logs = LogFiles(side / "source");
  side.Say("logs", logs.size());
  if (logs.size() < (layout.several_logs ? 3u : 1u)) throw std::runtime_error("too few logs");
  return layout.damage_first ? logs.front() : logs.back();
}

// Opens a damaged database and writes to it; if the damage has survived that, opens it once more.
void SayWhatBecomesOf(TwinSide& side, const rocksdb::Options& options, const std::string& path) {
  for (int round = 0; round < (options.avoid_flush_during_recovery ? 2 : 1); ++round) {
    TwinDatabase db(side, options, path);
    SayNames(side, "files after opening", path);
    if (!db) return;
    db.SayContents("contents");
    db.Write(1000 + round, 1001 + round);
  }
}

class RecoveryModesTwinTest : public testing::TestWithParam<std::tuple<WALRecoveryMode, Layout>> {};

INSTANTIATE_TEST_SUITE_P(All, RecoveryModesTwinTest,
                         Combine(Values(WALRecoveryMode::kTolerateCorruptedTailRecords,
                                        WALRecoveryMode::kAbsoluteConsistency,
                                        WALRecoveryMode::kPointInTimeRecovery,
                                        WALRecoveryMode::kSkipAnyCorruptedRecords),
                                 testing::ValuesIn(kLayouts)),
                         [](const auto& param_info) {
                           return std::string(
                                      kModeNames[static_cast<int>(std::get<0>(param_info.param))]) +
                                  "_" + std::get<1>(param_info.param).name;
                         });

TEST_P(RecoveryModesTwinTest, EveryDamageIsJudgedAlike) {
  const auto& [mode, layout] = GetParam();
  ExpectTwins([mode = mode, layout = layout](TwinSide& side) {
    PrepareSource(side, layout);
    const std::string log = LogToDamage(side, layout);
    const std::string bytes = ReadFile(side / "source/" + log);
    rocksdb::Options options = TwinOptions(side);
    options.wal_recovery_mode = mode;
    options.wal_compression = layout.compression;
    options.avoid_flush_during_recovery = layout.keep_logs;
    for (const Damage& damage : kDamages) {
      if (damage.only_one_log && !layout.every_damage) continue;
      side.Say("damage", damage.name);
      const std::string path = side / (std::string("damage ") + damage.name);
      CopyTree(side / "source", path);
      WriteFile(path + "/" + log, damage.of(bytes));
      SayWhatBecomesOf(side, options, path);
    }
  });
}

// --- killed, and then damaged where it lies ---

// Writes as PrepareSource does and waits to be killed. Arguments: directory, side, and "synced" if
// some of it is to be, so that a log of the plugin has zeros behind its end.
int VictimMain(const std::vector<std::string>& args) {
  TwinSide side(args.at(1) == "plugin" ? With::kPlugin : With::kStock, args.at(0));
  TwinDatabase db(side, LayoutOptions(side, kLayouts[0]), side / "db");
  db.Write(0, 30, 900);
  if (args.at(2) == "synced") {
    for (uint64_t row = 40; row < 46; ++row) db.Write(row, row + 1, 900, 0, /*sync=*/true);
  }
  db.Write(30, 31, kLastRecord);
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kVictim("victim", VictimMain);

class KilledTwinTest : public testing::TestWithParam<WALRecoveryMode> {};

INSTANTIATE_TEST_SUITE_P(All, KilledTwinTest,
                         Values(WALRecoveryMode::kTolerateCorruptedTailRecords,
                                WALRecoveryMode::kAbsoluteConsistency,
                                WALRecoveryMode::kPointInTimeRecovery,
                                WALRecoveryMode::kSkipAnyCorruptedRecords),
                         [](const auto& param_info) {
                           return std::string(kModeNames[static_cast<int>(param_info.param)]);
                         });

// Whoever reopens a log to change it brings it to its exact bytes first; damage comes after that.
TEST_P(KilledTwinTest, ALogDamagedAfterItsWriterWasKilledIsJudgedAlike) {
  for (const auto& [synced, damaged] :
       {std::pair("unsynced", false), {"unsynced", true}, {"synced", false}, {"synced", true}}) {
    ExpectTwins([&, synced = synced, damaged = damaged](TwinSide& side) {
      ChildProcess victim("victim", {side / ".", side.name(), synced});
      ASSERT_EQ(victim.Hear(), "written");
      victim.Kill();
      const std::string log = NewestLog(side / "db");
      if (damaged) {
        std::unique_ptr<rocksdb::WritableFile> file;
        Require(side.env()->ReopenWritableFile(log, &file, rocksdb::EnvOptions()));
        Require(file->Close());
        std::filesystem::resize_file(log, std::filesystem::file_size(log) - 5);
      }
      rocksdb::Options options = TwinOptions(side);
      options.wal_recovery_mode = GetParam();
      SayWhatBecomesOf(side, options, side / "db");
    });
  }
}

}  // namespace
}  // namespace bloom_lfs::test
