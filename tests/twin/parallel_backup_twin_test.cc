// Copies of several logs in one directory, made side by side, by a process that may be killed
// meanwhile. Their numbers say nothing about which of them comes first.

#include <gtest/gtest.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/utilities/backup_engine.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using rocksdb::BackupEngine;
using rocksdb::BackupEngineOptions;

const std::vector<std::string> kFamilies = {rocksdb::kDefaultColumnFamilyName, "idle"};
constexpr uint64_t kLogs = 6;

rocksdb::Options OptionsWith(rocksdb::Env* env) { return DatabaseOptions(env, nullptr); }

// The idle family keeps every log alive.
void WriteManyLogs(TwinDatabase& db) {
  db.Write(0, 10, 100, 1);
  for (uint64_t log = 0; log < kLogs; ++log) {
    db.Write(100 * log, 100 * log + 50, 3000);
    db.SwitchLog();
  }
  db.Write(1000, 1010);
}

std::unique_ptr<BackupEngine> OpenEngine(rocksdb::Env* env, const std::string& directory,
                                         const std::shared_ptr<rocksdb::RateLimiter>& limiter) {
  BackupEngineOptions options(directory);
  options.max_background_operations = 4;
  options.backup_rate_limiter = limiter;
  options.restore_rate_limiter = limiter;
  BackupEngine* engine = nullptr;
  Require(BackupEngine::Open(options, env, &engine));
  return std::unique_ptr<BackupEngine>(engine);
}

// What the plugin has left in a tree, and where.
void SayLeftovers(TwinSide& side, const std::string& directory) {
  AwaitRings();
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.path().string().find(".bloom_lfs") != std::string::npos) {
      side.Say("left", fs::relative(entry.path(), directory).string());
    }
  }
}

// Kills the process in the middle of the copying.
class DeadlyLimiter final : public rocksdb::RateLimiter {
 public:
  explicit DeadlyLimiter(int64_t bytes_to_live) : RateLimiter(Mode::kAllIo), left_(bytes_to_live) {}
  void SetBytesPerSecond(int64_t /*bytes_per_second*/) override {}
  void Request(const int64_t bytes, const rocksdb::Env::IOPriority /*pri*/,
               rocksdb::Statistics* /*stats*/) override {
    if (left_.fetch_sub(bytes) < bytes) kill(getpid(), SIGKILL);
  }
  int64_t GetSingleBurstBytes() const override { return 64 << 10; }
  int64_t GetTotalBytesThrough(const rocksdb::Env::IOPriority /*pri*/) const override { return 0; }
  int64_t GetTotalRequests(const rocksdb::Env::IOPriority /*pri*/) const override { return 0; }
  int64_t GetBytesPerSecond() const override { return 1 << 30; }

 private:
  std::atomic<int64_t> left_;
};

With SideOf(const std::string& name) {
  return name == Name(With::kPlugin) ? With::kPlugin : With::kStock;
}

// args: side, database, backups, bytes to live; copies that many bytes of it
const RegisterChild backup("backup", [](const std::vector<std::string>& args) {
  const TestEnv env(SideOf(args.at(0)));
  const rocksdb::Options options = OptionsWith(env.get());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : kFamilies) families.emplace_back(name, options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::unique_ptr<rocksdb::DB> db;
  Require(rocksdb::DB::OpenForReadOnly(options, args.at(1), families, &handles, OpenInto(&db)));
  Require(OpenEngine(env.get(), args.at(2), std::make_shared<DeadlyLimiter>(std::stoll(args.at(3))))
              ->CreateNewBackup(rocksdb::CreateBackupOptions(), db.get()));
  return 0;
});

// args: side, backups, database, bytes to live
const RegisterChild restore("restore", [](const std::vector<std::string>& args) {
  const TestEnv env(SideOf(args.at(0)));
  Require(OpenEngine(env.get(), args.at(1), std::make_shared<DeadlyLimiter>(std::stoll(args.at(3))))
              ->RestoreDBFromLatestBackup(args.at(2), args.at(2)));
  return 0;
});

TEST(ParallelBackupTwinTest, SideBySide) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsWith(side.env()), side / "db", kFamilies);
    WriteManyLogs(db);
    const auto engine = OpenEngine(side.env(), side / "backups", nullptr);
    for (int i = 0; i < 3; ++i) {
      side.Say("backup", engine->CreateNewBackup(rocksdb::CreateBackupOptions(), db.get()));
      db.Write(2000 + 10 * i, 2010 + 10 * i);
    }
    side.Say("verify", engine->VerifyBackup(2, /*verify_with_checksum=*/true));
    SayLeftovers(side, side / "backups");
    side.Say("restore", engine->RestoreDBFromBackup(2, side / "restored", side / "restored"));
    SayLeftovers(side, side / "restored");
    TwinDatabase(side, OptionsWith(side.env()), side / "restored", kFamilies)
        .SayContents("restored");
  });
}

TEST(ParallelBackupTwinTest, KilledAndTriedAgain) {
  ExpectTwins(
      [](TwinSide& side) {
        {
          TwinDatabase db(side, OptionsWith(side.env()), side / "db", kFamilies);
          WriteManyLogs(db);
        }
        AwaitRings();
        testing::internal::CaptureStderr();
        for (const int64_t bytes_to_live : {100'000, 400'000, 700'000}) {
          ChildProcess child("backup", {side.name(), side / "db", side / "backups",
                                        std::to_string(bytes_to_live)});
          side.Say("killed", child.Wait() == 128 + SIGKILL ? "yes" : "no");
          SayLeftovers(side, side / "backups");
        }
        {
          TwinDatabase db(side, OptionsWith(side.env()), side / "db", kFamilies,
                          TwinDatabase::Mode::kReadOnly);
          const auto engine = OpenEngine(side.env(), side / "backups", nullptr);
          side.Say("garbage", engine->GarbageCollect());
          side.Say("backup", engine->CreateNewBackup(rocksdb::CreateBackupOptions(), db.get()));
          side.Say("verify", engine->VerifyBackup(1, /*verify_with_checksum=*/true));
        }
        for (const int64_t bytes_to_live : {100'000, 400'000, 700'000}) {
          ChildProcess child("restore", {side.name(), side / "backups", side / "restored",
                                         std::to_string(bytes_to_live)});
          side.Say("killed", child.Wait() == 128 + SIGKILL ? "yes" : "no");
          SayLeftovers(side, side / "restored");
        }
        ChildProcess child("restore",
                           {side.name(), side / "backups", side / "restored", "1000000000"});
        side.Say("restored", child.Wait());
        TwinDatabase(side, OptionsWith(side.env()), side / "restored", kFamilies)
            .SayContents("restored");
        side.Say("alarms", testing::internal::GetCapturedStderr());
      },
      Files::kNamesOnly);
}

}  // namespace
}  // namespace bloom_lfs::test
