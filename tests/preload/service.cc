#include "tests/preload/service.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"

// Not in RocksDB's public headers, but its records are summed with it.
namespace rocksdb::crc32c {
uint32_t Extend(uint32_t init_crc, const char* data, size_t n);
std::string IsFastCrc32Supported();
}  // namespace rocksdb::crc32c

namespace {

using rocksdb::Env;
using rocksdb::FileSystem;
using rocksdb::Status;

void Require(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "service: %s\n", status.ToString().c_str());
    std::exit(9);
  }
}

std::unique_ptr<rocksdb::DB> Open(const std::string& path, Env* env) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.env = env;
  std::unique_ptr<rocksdb::DB> db;
  Require(rocksdb::DB::Open(options, path, bloom_lfs::OpenInto(&db)));
  return db;
}

std::string Key(int row) { return "row" + std::to_string(row); }
std::string Value(int row) {
  return std::string(100 + row % 50, static_cast<char>('a' + row % 26));
}

int Rings(const std::string& db) {
  int rings = 0;
  const std::filesystem::path directory = db + "/.bloom_lfs";
  if (std::filesystem::exists(directory)) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      rings += entry.path().extension() == ".ring" ? 1 : 0;
    }
  }
  return rings;
}

int Hold(const std::string& path, int rows, Env* env) {
  const auto db = Open(path, env);
  rocksdb::WriteOptions write;
  for (int row = 0; row < rows; ++row) {
    write.sync = row % 100 == 0;
    Require(db->Put(write, Key(row), Value(row)));
  }
  std::printf("rings=%d\n", Rings(path));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

int Check(const std::string& path, int rows) {
  const auto db = Open(path, Env::Default());
  std::string value;
  for (int row = 0; row < rows; ++row) {
    const Status status = db->Get(rocksdb::ReadOptions(), Key(row), &value);
    if (!status.ok() || value != Value(row)) {
      std::fprintf(stderr, "service: row %d: %s\n", row, status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}

int ForkAndHold(const std::string& path, int rows) {
  Env* const env = Env::Default();
  const pid_t child = fork();
  if (child == 0) {
    _exit(Hold(path, rows, env));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

int RunBeside(const std::string& path, const char* command) {
  const auto db = Open(path, Env::Default());
  const int status = std::system(command);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

const char* NameOfTarget(const FileSystem* file_system) {
  const rocksdb::Customizable* const inner = file_system->Inner();
  return inner != nullptr ? inner->Name() : "none";
}

int PrintNames() {
  const std::shared_ptr<FileSystem> by_default = FileSystem::Default();
  std::shared_ptr<FileSystem> by_name;
  Require(FileSystem::CreateFromString(rocksdb::ConfigOptions(), "bloom_lfs", &by_name));
  std::printf("default %s over %s, by name %s over %s\n", by_default->Name(),
              NameOfTarget(by_default.get()), by_name == nullptr ? "none" : by_name->Name(),
              by_name == nullptr ? "none" : NameOfTarget(by_name.get()));
  return 0;
}

int PrintChecksums() {
  (void)FileSystem::Default();  // as every database does before it writes
  std::printf("%s\n", rocksdb::crc32c::IsFastCrc32Supported().c_str());
  const std::string text = [] {
    std::string all;
    for (int row = 0; row < 1000; ++row) all += Value(row);
    return all;
  }();
  for (const size_t size : {0, 1, 7, 100, 1000, 4096, 65537}) {
    std::printf("%zu %08x\n", size, rocksdb::crc32c::Extend(0x1234, text.data() + 3, size));
  }
  return 0;
}

}  // namespace

const char* DefaultFileSystemName() { return FileSystem::Default()->Name(); }

int ServiceMain(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "name") return PrintNames();
  if (command == "checksums") return PrintChecksums();
  if (argc == 4) {
    const std::string path = argv[2];
    const int rows = std::atoi(argv[3]);
    if (command == "hold") return Hold(path, rows, Env::Default());
    if (command == "check") return Check(path, rows);
    if (command == "fork") return ForkAndHold(path, rows);
    if (command == "run") return RunBeside(path, argv[3]);
  }
  std::fprintf(stderr, "service: see tests/preload/service.h for its arguments\n");
  return 2;
}
