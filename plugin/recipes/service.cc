// A service that knows nothing of the plugin: service DIRECTORY
#include <rocksdb/db.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "database";
  rocksdb::Options options;
  options.create_if_missing = true;
  std::unique_ptr<rocksdb::DB> db;
#if ROCKSDB_MAJOR >= 11
  rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
#else
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options, path, &opened);
  db.reset(opened);
#endif
  if (status.ok()) {
    status = db->Put(rocksdb::WriteOptions(), "key", "value");
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), status.ToString().c_str());
    return 1;
  }
  const bool at_work = std::filesystem::exists(path + "/.bloom_lfs");
  std::printf("%s: bloom_lfs is %s\n", path.c_str(), at_work ? "at work" : "not in use");
  return 0;
}
