#include "tests/twin/twin_database.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "plugin/rocksdb_versions.h"
#include "tests/support/files.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {

rocksdb::Options TwinOptions(const TwinSide& side) { return DatabaseOptions(side.env(), nullptr); }

void SwitchLogsOften(rocksdb::Options* options) {
  options->write_buffer_size = 64 << 10;  // RocksDB's minimum
  options->arena_block_size = 4 << 10;
  options->max_write_buffer_number = 100;
  options->min_write_buffer_number_to_merge = 99;
}

TwinDatabase::TwinDatabase(TwinSide& side, const rocksdb::Options& options, const std::string& path,
                           const Families& families, Mode mode)
    : side_(side), families_(families) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : families) descriptors.emplace_back(name, options);
  rocksdb::Status status;
  switch (mode) {
    case Mode::kReadWrite:
      status = rocksdb::DB::Open(options, path, descriptors, &handles_, OpenInto(&db_));
      break;
    case Mode::kReadOnly:
      status = rocksdb::DB::OpenForReadOnly(options, path, descriptors, &handles_, OpenInto(&db_));
      break;
    case Mode::kSecondary:
      status = rocksdb::DB::OpenAsSecondary(options, path, path + ".secondary", descriptors,
                                            &handles_, OpenInto(&db_));
      break;
  }
  side_.Say("open " + std::filesystem::path(path).filename().string(), status);
}

TwinDatabase::~TwinDatabase() {
  if (db_ != nullptr) Close().PermitUncheckedError();
}

rocksdb::Status TwinDatabase::Close() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  handles_.clear();
  rocksdb::Status status = db_->Close();
  db_.reset();
  return status;
}

void TwinDatabase::Write(uint64_t from, uint64_t to, size_t size, size_t family, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  for (uint64_t row = from; row < to; ++row) {
    Require(db_->Put(options, handles_.at(family), "row" + std::to_string(1000000 + row),
                     MakeValue(MixSeed(row, size), size)));
  }
}

void TwinDatabase::SwitchLog(size_t family) {
  Require(db_->Put(rocksdb::WriteOptions(), handles_.at(family), "switch", "log"));
  Require(db_->Flush(rocksdb::FlushOptions(), handles_.at(family)));
}

void TwinDatabase::SayContents(const std::string& question) {
  for (size_t i = 0; i < handles_.size(); ++i) {
    side_.SayContents(question + ", " + families_[i], db_.get(), handles_[i]);
  }
}

void SayNames(TwinSide& side, const std::string& question, const std::string& directory) {
  std::vector<std::string> names;
  const rocksdb::Status status = side.env()->GetChildren(directory, &names);
  std::sort(names.begin(), names.end());
  std::string list = status.ToString();
  for (const std::string& name : names) {
    if (name.rfind("LOG", 0) != 0) list += " " + name;
  }
  side.Say(question, list);
}

void CopyThroughEnv(const TwinSide& side, const std::string& from, const std::string& to) {
  std::filesystem::create_directories(to);
  std::vector<std::string> names;
  Require(side.env()->GetChildren(from, &names));
  for (const std::string& name : names) {
    if (std::filesystem::is_directory(from + "/" + name) || name == "LOCK") continue;
    std::string bytes;
    Require(rocksdb::ReadFileToString(side.env(), from + "/" + name, &bytes));
    WriteFile(to + "/" + name, bytes);
  }
}

void WaitUntil(const std::string& what, const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("never: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace bloom_lfs::test
