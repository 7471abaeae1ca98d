#include "db_bench_ext/prepared_databases.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "db_bench_ext/child_process.h"

namespace bloom_lfs::bench {

PreparedDatabases::PreparedDatabases(const Setup* setup, const WorkDirectory* directory,
                                     std::string owner)
    : setup_(*setup), directory_(*directory), owner_(std::move(owner)) {}

Result<std::string> PreparedDatabases::ForRun(const Preparation& preparation, Arm arm,
                                              const std::string& copy_name) {
  if (preparation.use == Preparation::Use::kOwnFiles) return Filled(preparation, arm);
  const Result<std::string> original = Filled(preparation, Arm::kStock);
  if (!original.ok()) return original.error();
  Result<std::string> copy = directory_.FreshSubdirectory(copy_name);
  if (!copy.ok()) return copy.error();
  std::error_code error;
  std::filesystem::copy(original.value(), copy.value(), std::filesystem::copy_options::recursive,
                        error);
  if (error) {
    return Error{"cannot copy " + original.value() + " to " + copy.value() + ": " +
                 error.message()};
  }
  return copy;
}

Result<std::string> PreparedDatabases::Filled(const Preparation& preparation, Arm arm) {
  const std::string name =
      "filled-" + owner_ + preparation.name + (arm == Arm::kPlugin ? "-plugin" : "-stock");
  if (filled_.count(name) > 0) {
    return (std::filesystem::path(directory_.path()) / name).string();
  }
  Result<std::string> db = directory_.FreshSubdirectory(name);
  if (!db.ok()) return db.error();
  if (Failure failure = directory_.SettleFileSystem()) return *failure;
  const Result<ChildOutput> output =
      RunToEnd(FillCommand(setup_, preparation, arm, db.value()), setup_.timeout);
  if (!output.ok()) return output.error();
  filled_.insert(name);
  return db;
}

}  // namespace bloom_lfs::bench
