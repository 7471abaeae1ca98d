#include "tests/crash/open_db.h"

#include "plugin/rocksdb_versions.h"

namespace bloom_lfs::test {

OpenDb::OpenDb(const std::string& path, const CrashConfig& config, With with, Mode mode)
    : env_(with) {
  const rocksdb::Options options = MakeOptions(config, env_.get());
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : ColumnFamilyNames(config)) {
    descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions(options));
  }
  status_ =
      mode == Mode::kReadWrite
          ? rocksdb::DB::Open(options, path, descriptors, &families_, OpenInto(&db_))
          : rocksdb::DB::OpenForReadOnly(options, path, descriptors, &families_, OpenInto(&db_));
}

OpenDb::~OpenDb() {
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
}

}  // namespace bloom_lfs::test
