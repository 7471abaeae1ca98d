#include "plugin/plugin_options.h"

#include "lss/base/types.h"
#include "lss/options.h"
#include "plugin/flash/flash_options.h"
#include "plugin/option_table.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::OptionTypeInfo;

constexpr Range kBufferBytes = {lss::kPageBytes, lss::kMaxBufferBytes, lss::kPageBytes, "bytes"};
constexpr Range kBufferCount = {lss::kMinBufferCount, lss::kMaxBufferCount, 1, "buffers"};
constexpr Range kFrontierBytes = {0, lss::kMaxFrontierBytes, lss::kPageBytes, "bytes"};
constexpr Range kIdleFlushMs = {1, 60000, 1, "milliseconds"};
// RocksDB's values are at most 4 GiB.
constexpr Range kBlobDirectBytes = {0, 1ULL << 32, 1, "bytes"};
constexpr Range kRingBudgetBytes = {0, 1ULL << 40, 1, "bytes"};

constexpr Range kSecondBytes = {16ULL << 20, 1ULL << 40, lss::kPageBytes, "bytes"};
constexpr Range kCatchUpMs = {1, 86400000, 1, "milliseconds"};
constexpr Range kFailoverAfterMs = {1, 60000, 1, "milliseconds"};
constexpr Range kStatsInterval = {1, 86400, 1, "seconds"};
constexpr Range kFailbackAfterS = {0, 86400, 1, "seconds"};

// Blob files are written a memtable at a time; what is too much is given back at the end.
constexpr uint64_t kBlobAllocationStepBytes = 16 << 20;

using Table = OptionTable<PluginOptions>;

const Table& AllOptions() {
  // Never destroyed: RocksDB keeps FileSystem objects alive past our static destructors.
  static const auto* const options = new Table(
      "bloom_lfs", {{"buffer_bytes", &PluginOptions::buffer_bytes, kBufferBytes},
                    {"buffer_count", &PluginOptions::buffer_count, kBufferCount},
                    {"frontier_bytes", &PluginOptions::frontier_bytes, kFrontierBytes},
                    {"idle_flush_ms", &PluginOptions::idle_flush_ms, kIdleFlushMs},
                    {"io_uring", &PluginOptions::io_uring},
                    {"direct_io", &PluginOptions::direct_io},
                    {"blob_files", &PluginOptions::blob_files},
                    {"blob_buffer_bytes", &PluginOptions::blob_buffer_bytes, kBufferBytes},
                    {"blob_buffer_count", &PluginOptions::blob_buffer_count, kBufferCount},
                    {"blob_direct_bytes", &PluginOptions::blob_direct_bytes, kBlobDirectBytes},
                    {"ring_budget_bytes", &PluginOptions::ring_budget_bytes, kRingBudgetBytes},
                    {"blob_flash", &PluginOptions::blob_flash},
                    {"second_place", &PluginOptions::second_place},
                    {"second_mode",
                     &PluginOptions::second_mode,
                     {"off", "failover", "hedge", "group", "mirror"}},
                    {"second_bytes", &PluginOptions::second_bytes, kSecondBytes},
                    {"second_catch_up_ms", &PluginOptions::second_catch_up_ms, kCatchUpMs},
                    {"mirror_degraded", &PluginOptions::mirror_degraded, {"wait", "continue"}},
                    {"failover_after_ms", &PluginOptions::failover_after_ms, kFailoverAfterMs},
                    {"failback_below_ms", &PluginOptions::failback_below_ms, kFailoverAfterMs},
                    {"failback_after_s", &PluginOptions::failback_after_s, kFailbackAfterS},
                    {"ring_directory", &PluginOptions::ring_directory},
                    {"stats_file", &PluginOptions::stats_file},
                    {"stats_interval_s", &PluginOptions::stats_interval_s, kStatsInterval}});
  return *options;
}

}  // namespace

lss::StoreOptions PluginOptions::Common() const {
  lss::StoreOptions options;
  options.idle_flush_ms = static_cast<uint32_t>(idle_flush_ms);
  options.use_io_uring = io_uring;
  options.use_direct_io = direct_io;
  options.ring_budget_bytes = ring_budget_bytes;
  options.warn = WarnOnce;
  return options;
}

lss::StoreOptions PluginOptions::ForWal() const {
  lss::StoreOptions options = Common();
  options.write_mode = lss::WriteMode::kSerializedWrites;
  options.buffer_bytes = static_cast<uint32_t>(buffer_bytes);
  options.buffer_count = static_cast<uint32_t>(buffer_count);
  options.frontier_bytes = frontier_bytes;
  return options;
}

lss::StoreOptions PluginOptions::ForBlob() const {
  lss::StoreOptions options = Common();
  options.write_mode = lss::WriteMode::kTailLocalizedWrites;
  options.buffer_bytes = static_cast<uint32_t>(blob_buffer_bytes);
  options.buffer_count = static_cast<uint32_t>(blob_buffer_count);
  options.allocation_step_bytes = kBlobAllocationStepBytes;
  options.frontier_bytes = 0;  // synced once, at its end
  // The manifest that names a synced blob file may be on the device before its close is, and stock
  // RocksDB looks for the footer at the end of the file.
  options.exact_size_when_synced = true;
  return options;
}

rocksdb::Status PluginOptions::Validate() const {
  const rocksdb::Status status = AllOptions().Check(*this);
  if (status.ok() && second_mode != "off" && second_place.empty()) {
    return rocksdb::Status::InvalidArgument("second_mode=" + second_mode + " needs a second_place",
                                            "name a directory");
  }
  FlashOptions flash;
  return status.ok() && !blob_flash.empty() ? flash.ParseAndValidate(blob_flash) : status;
}

rocksdb::Status PluginOptions::Parse(const std::string& text) {
  const rocksdb::Status status = AllOptions().Parse(text, this);
  return status.ok() ? Validate() : status;
}

const std::unordered_map<std::string, OptionTypeInfo>& PluginOptionTypes() {
  static const auto* const types =
      new std::unordered_map<std::string, OptionTypeInfo>(AllOptions().TypeInfos());
  return *types;
}

}  // namespace bloom_lfs
