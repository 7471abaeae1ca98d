#include "plugin/plugin_options.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::ConfigOptions;
using rocksdb::OptionType;
using rocksdb::OptionTypeFlags;
using rocksdb::OptionTypeInfo;
using rocksdb::OptionVerificationType;
using rocksdb::Status;

struct Range {
  uint64_t min;
  uint64_t max;
  uint64_t multiple;
  const char* unit;
};

constexpr Range kBufferBytes = {lss::kPageBytes, lss::kMaxBufferBytes, lss::kPageBytes, "bytes"};
constexpr Range kBufferCount = {lss::kMinBufferCount, lss::kMaxBufferCount, 1, "buffers"};
constexpr Range kFrontierBytes = {0, lss::kMaxFrontierBytes, lss::kPageBytes, "bytes"};
constexpr Range kIdleFlushMs = {1, 60000, 1, "milliseconds"};
constexpr Range kRingBudgetBytes = {0, 1ULL << 40, 1, "bytes"};

// Blob files are written a memtable at a time; what is too much is given back at the end.
constexpr uint64_t kBlobAllocationStepBytes = 16 << 20;

Status Invalid(const std::string& name, const std::string& value, const Range& range) {
  std::string allowed =
      std::to_string(range.min) + " to " + std::to_string(range.max) + " " + range.unit;
  if (range.multiple > 1) {
    allowed += ", a multiple of " + std::to_string(range.multiple);
  }
  return Status::InvalidArgument("bloom_lfs option " + name + " = " + value +
                                 " is not allowed; allowed: " + allowed);
}

bool InRange(uint64_t value, const Range& range) {
  return value >= range.min && value <= range.max && value % range.multiple == 0;
}

// Digits with an optional K, M or G behind, as in RocksDB's own options.
bool ParseSize(const std::string& text, uint64_t* value) {
  uint64_t result = 0;
  size_t i = 0;
  for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i) {
    if (result > (UINT64_MAX - 9) / 10) {
      return false;
    }
    result = result * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i == 0) {
    return false;
  }
  unsigned shift = 0;
  if (i + 1 == text.size()) {
    const int unit = std::tolower(static_cast<unsigned char>(text[i]));
    shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
    if (shift == 0) {
      return false;
    }
  } else if (i != text.size()) {
    return false;
  }
  *value = result << shift;
  return *value >> shift == result;
}

Status ParseRanged(const Range& range, const std::string& name, const std::string& text,
                   uint64_t* value) {
  uint64_t parsed = 0;
  if (!ParseSize(text, &parsed) || !InRange(parsed, range)) {
    return Invalid(name, text, range);
  }
  *value = parsed;
  return Status::OK();
}

Status ParseBoolean(const std::string& name, const std::string& text, bool* value) {
  if (text != "true" && text != "false" && text != "1" && text != "0") {
    return Status::InvalidArgument("bloom_lfs option " + name + " = " + text +
                                   " is not allowed; allowed: true, false");
  }
  *value = text == "true" || text == "1";
  return Status::OK();
}

OptionTypeInfo RangedOption(size_t offset, const Range& range) {
  OptionTypeInfo info(static_cast<int>(offset), OptionType::kUInt64T,
                      OptionVerificationType::kNormal, OptionTypeFlags::kNone);
  info.SetParseFunc([range](const ConfigOptions&, const std::string& name, const std::string& text,
                            void* address) {
    return ParseRanged(range, name, text, static_cast<uint64_t*>(address));
  });
  return info;
}

OptionTypeInfo BooleanOption(size_t offset) {
  OptionTypeInfo info(static_cast<int>(offset), OptionType::kBoolean,
                      OptionVerificationType::kNormal, OptionTypeFlags::kNone);
  info.SetParseFunc(
      [](const ConfigOptions&, const std::string& name, const std::string& text, void* address) {
        return ParseBoolean(name, text, static_cast<bool*>(address));
      });
  return info;
}

std::string Trimmed(const std::string& text) {
  constexpr char kBlanks[] = " \t\n";
  const size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos
             ? std::string()
             : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
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

lss::StoreOptions PluginOptions::ForBlob(bool direct) const {
  lss::StoreOptions options = Common();
  // Otherwise the blobs just written would be gone from the page cache, where their first readers
  // look for them.
  options.use_direct_io = direct_io && (direct || blob_direct_io);
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
  const struct {
    const char* name;
    uint64_t value;
    Range range;
  } checks[] = {
      {"buffer_bytes", buffer_bytes, kBufferBytes},
      {"buffer_count", buffer_count, kBufferCount},
      {"frontier_bytes", frontier_bytes, kFrontierBytes},
      {"idle_flush_ms", idle_flush_ms, kIdleFlushMs},
      {"blob_buffer_bytes", blob_buffer_bytes, kBufferBytes},
      {"blob_buffer_count", blob_buffer_count, kBufferCount},
      {"ring_budget_bytes", ring_budget_bytes, kRingBudgetBytes},
  };
  for (const auto& check : checks) {
    if (!InRange(check.value, check.range)) {
      return Invalid(check.name, std::to_string(check.value), check.range);
    }
  }
  return Status::OK();
}

Status PluginOptions::Set(const std::string& name, const std::string& value) {
  const struct {
    const char* name;
    uint64_t* value;
    Range range;
  } ranged[] = {
      {"buffer_bytes", &buffer_bytes, kBufferBytes},
      {"buffer_count", &buffer_count, kBufferCount},
      {"frontier_bytes", &frontier_bytes, kFrontierBytes},
      {"idle_flush_ms", &idle_flush_ms, kIdleFlushMs},
  };
  for (const auto& option : ranged) {
    if (name == option.name) {
      return ParseRanged(option.range, name, value, option.value);
    }
  }
  if (name == "io_uring") {
    return ParseBoolean(name, value, &io_uring);
  }
  if (name == "direct_io") {
    return ParseBoolean(name, value, &direct_io);
  }
  return Status::InvalidArgument(
      "bloom_lfs has no option \"" + name + "\"",
      "there are buffer_bytes, buffer_count, frontier_bytes, idle_flush_ms, io_uring, direct_io");
}

Status PluginOptions::Parse(const std::string& text) {
  Status status;
  for (size_t begin = 0; begin < text.size() && status.ok();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::string assignment = Trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = assignment.find('=');
    if (assignment.empty() || assignment == "id=bloom_lfs") {
      continue;  // as written behind --fs_uri=
    }
    status =
        equals == std::string::npos
            ? Status::InvalidArgument("\"" + assignment + "\" is not name=value")
            : Set(Trimmed(assignment.substr(0, equals)), Trimmed(assignment.substr(equals + 1)));
  }
  return status;
}

const std::unordered_map<std::string, OptionTypeInfo>& PluginOptionTypes() {
  // Never destroyed: RocksDB keeps FileSystem objects alive past our static destructors.
  static const auto* const types = new std::unordered_map<std::string, OptionTypeInfo>{
      {"buffer_bytes", RangedOption(offsetof(PluginOptions, buffer_bytes), kBufferBytes)},
      {"buffer_count", RangedOption(offsetof(PluginOptions, buffer_count), kBufferCount)},
      {"frontier_bytes", RangedOption(offsetof(PluginOptions, frontier_bytes), kFrontierBytes)},
      {"idle_flush_ms", RangedOption(offsetof(PluginOptions, idle_flush_ms), kIdleFlushMs)},
      {"io_uring", BooleanOption(offsetof(PluginOptions, io_uring))},
      {"direct_io", BooleanOption(offsetof(PluginOptions, direct_io))},
      {"blob_files", BooleanOption(offsetof(PluginOptions, blob_files))},
      {"blob_direct_io", BooleanOption(offsetof(PluginOptions, blob_direct_io))},
      {"blob_buffer_bytes", RangedOption(offsetof(PluginOptions, blob_buffer_bytes), kBufferBytes)},
      {"blob_buffer_count", RangedOption(offsetof(PluginOptions, blob_buffer_count), kBufferCount)},
      {"ring_budget_bytes",
       RangedOption(offsetof(PluginOptions, ring_budget_bytes), kRingBudgetBytes)},
  };
  return *types;
}

}  // namespace bloom_lfs
