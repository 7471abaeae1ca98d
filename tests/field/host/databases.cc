#include "tests/field/host/databases.h"

#include <cstdarg>
#include <stdexcept>
#include <thread>

#include "plugin/rocksdb_versions.h"
#include "tests/field/host/surroundings.h"

namespace field {
namespace {

// An info log on a full or frozen disk is a trouble of its own, and not what is tried here.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::WALRecoveryMode Mode(const std::string& name) {
  if (name == "tolerate") return rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  if (name == "absolute") return rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  if (name == "skip") return rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  return rocksdb::WALRecoveryMode::kPointInTimeRecovery;
}

rocksdb::Options OptionsOf(const Command& command) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.info_log = std::make_shared<SilentLogger>();
  options.compression = rocksdb::kNoCompression;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.write_buffer_size = static_cast<size_t>(command.Number("buffer", 256)) << 20;
  options.max_write_buffer_number = static_cast<int>(command.Number("buffers", 2));
  options.wal_recovery_mode = Mode(command.Text("mode"));
  options.avoid_flush_during_recovery = command.Has("noflush");
  options.allow_fallocate = !command.Has("no_fallocate");
  options.enable_blob_files = command.Has("blobs");
  options.wal_dir = command.Text("wal_dir");
  if (command.Has("compress")) options.wal_compression = rocksdb::kZSTD;
  if (!command.Text("secondary").empty()) options.max_open_files = -1;
  return options;
}

}  // namespace

std::string Words(const rocksdb::Status& status) {
  return status.IsNoSpace() ? "NoSpace" : status.ToString();
}

void Require(const rocksdb::Status& status, const std::string& before) {
  if (!status.ok()) throw std::runtime_error(before + Words(status));
}

Databases::~Databases() {
  for (auto& [name, database] : open_) {
    for (auto& [family, handle] : database.families) {
      (void)database.db->DestroyColumnFamilyHandle(handle);
    }
  }
}

Databases::OpenDatabase Databases::DoOpen(const Command& command) {
  const rocksdb::Options options = OptionsOf(command);
  const std::string& path = command.Word(1);
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {{"default", options}};
  if (!command.Text("cf").empty()) families.emplace_back(command.Text("cf"), options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  OpenDatabase result;
  rocksdb::Status status;
  if (command.Has("read_only")) {
    status = rocksdb::DB::OpenForReadOnly(options, path, families, &handles,
                                          bloom_lfs::OpenInto(&result.db));
  } else if (!command.Text("secondary").empty()) {
    status = rocksdb::DB::OpenAsSecondary(options, path, command.Text("secondary"), families,
                                          &handles, bloom_lfs::OpenInto(&result.db));
  } else {
    status = rocksdb::DB::Open(options, path, families, &handles, bloom_lfs::OpenInto(&result.db));
  }
  Require(status, "open: ");
  for (rocksdb::ColumnFamilyHandle* handle : handles) result.families[handle->GetName()] = handle;
  return result;
}

std::string Databases::Open(const Command& command) {
  OpenDatabase opened;
  std::string failure;
  const auto open = [&] {
    try {
      opened = DoOpen(command);
    } catch (const std::exception& e) {
      failure = e.what();
    }
  };
  const std::string policy = command.Text("by");
  if (policy.empty()) {
    open();
  } else {
    std::thread([&] {
      TakePolicy(policy);
      open();
    }).join();
  }
  if (!failure.empty()) throw std::runtime_error(failure);
  open_[command.Word(0)] = std::move(opened);
  return "open";
}

std::string Databases::Close(const Command& command) {
  const auto found = open_.find(command.Word(0));
  if (found == open_.end()) throw std::runtime_error("not open");
  OpenDatabase database = std::move(found->second);
  open_.erase(found);
  for (auto& [name, handle] : database.families) {
    (void)database.db->DestroyColumnFamilyHandle(handle);
  }
  Require(database.db->Close(), "close: ");
  return "closed";
}

rocksdb::DB* Databases::Get(const Command& command) const {
  const auto found = open_.find(command.Word(0));
  if (found == open_.end()) throw std::runtime_error(command.Word(0) + " is not open");
  return found->second.db.get();
}

rocksdb::ColumnFamilyHandle* Databases::Family(const Command& command) const {
  (void)Get(command);
  return open_.at(command.Word(0)).families.at(command.Text("cf", "default"));
}

}  // namespace field
