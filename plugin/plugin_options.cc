#include "plugin/plugin_options.h"

#include <vector>

#include "lss/base/types.h"
#include "lss/options.h"
#include "plugin/option_text.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::ConfigOptions;
using rocksdb::OptionType;
using rocksdb::OptionTypeFlags;
using rocksdb::OptionTypeInfo;
using rocksdb::OptionVerificationType;
using rocksdb::Status;

constexpr Range kBufferBytes = {lss::kPageBytes, lss::kMaxBufferBytes, lss::kPageBytes, "bytes"};
constexpr Range kBufferCount = {lss::kMinBufferCount, lss::kMaxBufferCount, 1, "buffers"};
constexpr Range kFrontierBytes = {0, lss::kMaxFrontierBytes, lss::kPageBytes, "bytes"};
constexpr Range kIdleFlushMs = {1, 60000, 1, "milliseconds"};
// RocksDB's values are at most 4 GiB.
constexpr Range kBlobDirectBytes = {0, 1ULL << 32, 1, "bytes"};
constexpr Range kRingBudgetBytes = {0, 1ULL << 40, 1, "bytes"};

// Blob files are written a memtable at a time; what is too much is given back at the end.
constexpr uint64_t kBlobAllocationStepBytes = 16 << 20;

// The one list of what there is. A size has a range, a switch has none.
struct Option {
  const char* name;
  uint64_t PluginOptions::*size = nullptr;
  Range range = {};
  bool PluginOptions::*on = nullptr;

  Option(const char* name_in, uint64_t PluginOptions::*member, const Range& range_in)
      : name(name_in), size(member), range(range_in) {}
  Option(const char* name_in, bool PluginOptions::*member) : name(name_in), on(member) {}

  Status Parse(const std::string& text, PluginOptions* options) const {
    return on != nullptr ? ParseBoolean(name, text, &(options->*on))
                         : ParseRanged(range, name, text, &(options->*size));
  }
  // For RocksDB, which wants an address within the struct.
  OptionTypeInfo TypeInfo() const;
};

const std::vector<Option>& AllOptions() {
  // Never destroyed: RocksDB keeps FileSystem objects alive past our static destructors.
  static const auto* const options = new std::vector<Option>{
      {"buffer_bytes", &PluginOptions::buffer_bytes, kBufferBytes},
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
  };
  return *options;
}

OptionTypeInfo Option::TypeInfo() const {
  const PluginOptions some;
  const auto* const member = on != nullptr ? reinterpret_cast<const char*>(&(some.*on))
                                           : reinterpret_cast<const char*>(&(some.*size));
  OptionTypeInfo info(static_cast<int>(member - reinterpret_cast<const char*>(&some)),
                      on != nullptr ? OptionType::kBoolean : OptionType::kUInt64T,
                      OptionVerificationType::kNormal, OptionTypeFlags::kNone);
  if (on != nullptr) {
    info.SetParseFunc(
        [](const ConfigOptions&, const std::string& option, const std::string& text,
           void* address) { return ParseBoolean(option, text, static_cast<bool*>(address)); });
  } else {
    info.SetParseFunc([allowed = range](const ConfigOptions&, const std::string& option,
                                        const std::string& text, void* address) {
      return ParseRanged(allowed, option, text, static_cast<uint64_t*>(address));
    });
  }
  return info;
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

Status PluginOptions::Validate() const {
  for (const Option& option : AllOptions()) {
    if (option.on == nullptr && !InRange(this->*option.size, option.range)) {
      return OutOfRange(option.name, std::to_string(this->*option.size), option.range);
    }
  }
  return Status::OK();
}

Status PluginOptions::Set(const std::string& name, const std::string& value) {
  std::string names;
  for (const Option& option : AllOptions()) {
    if (name == option.name) {
      return option.Parse(value, this);
    }
    names += (names.empty() ? "" : ", ") + std::string(option.name);
  }
  return Status::InvalidArgument("bloom_lfs has no option \"" + name + "\"", "there are " + names);
}

Status PluginOptions::Parse(const std::string& text) {
  return ForEachOption(text, [this](const std::string& name, const std::string& value) {
    const bool as_behind_fs_uri = name == "id" && value == "bloom_lfs";
    return as_behind_fs_uri ? Status::OK() : Set(name, value);
  });
}

const std::unordered_map<std::string, OptionTypeInfo>& PluginOptionTypes() {
  static const auto* const types = [] {
    auto* const result = new std::unordered_map<std::string, OptionTypeInfo>;
    for (const Option& option : AllOptions()) {
      result->emplace(option.name, option.TypeInfo());
    }
    return result;
  }();
  return *types;
}

}  // namespace bloom_lfs
