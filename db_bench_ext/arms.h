// The arms of a comparison beyond stock and plugin, for --arms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/result.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

struct FurtherArm {
  enum class Kind {
    kRecycledLogs,       // stock, with recycle_log_file_num
    kWithoutWal,         // stock, with --disable_wal
    kPluginWithOptions,  // the plugin, with other options
    kSecondStock,        // another RocksDB
    kSecondPlugin,       // the plugin that was built for that one
  };

  Kind kind = Kind::kRecycledLogs;
  std::string name;     // as it was asked for, and as it is shown
  std::string options;  // of the plugin: "option=value;…"; may be empty
};

// The items of a list as "stock,plugin,no-wal,plugin{io_uring=false}" that are neither "stock" nor
// "plugin": those two are in every comparison, named or not. An error if an item is unknown, or
// there twice.
Result<std::vector<FurtherArm>> ParseArms(const std::string& list);

// Why that arm cannot run the workload, or what it did would say nothing; nothing if it can.
std::optional<std::string> ReasonNotIn(const FurtherArm& arm, const Workload& workload);

}  // namespace bloom_lfs::bench
