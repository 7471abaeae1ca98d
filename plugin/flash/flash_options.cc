#include "plugin/flash/flash_options.h"

#include <vector>

#include "lss/pages/page_file_layout.h"
#include "lss/pages/page_store_options.h"
#include "plugin/option_text.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::ConfigOptions;
using rocksdb::OptionType;
using rocksdb::OptionTypeFlags;
using rocksdb::OptionTypeInfo;
using rocksdb::OptionVerificationType;

constexpr Range kSize = {lss::kMinStoreBytes, lss::kMaxStoreBytes, 1, "bytes"};
constexpr Range kMemory = {8ULL << 20, 1ULL << 40, 1, "bytes"};
constexpr Range kRate = {0, 1ULL << 40, 1, "bytes a second"};
constexpr Range kCheckpoint = {1ULL << 20, 1ULL << 50, 1, "bytes"};
constexpr Range kPage = {512, 1 << 20, 1, "bytes"};

// The one list of what there is: each option has one of the three members.
struct Option {
  const char* name;
  uint64_t FlashOptions::*size = nullptr;
  Range range = {};
  bool FlashOptions::*on = nullptr;
  std::string FlashOptions::*text = nullptr;
  std::vector<std::string> words = {};  // allowed for `text`; none: anything

  rocksdb::Status Parse(const std::string& value, FlashOptions* options) const {
    if (size != nullptr) {
      return ParseRanged(range, name, value, &(options->*size));
    }
    if (on != nullptr) {
      return ParseBoolean(name, value, &(options->*on));
    }
    options->*text = value;
    return CheckText(value);
  }
  rocksdb::Status Check(const FlashOptions& options) const {
    if (size != nullptr && !InRange(options.*size, range)) {
      return OutOfRange(name, std::to_string(options.*size), range);
    }
    return text == nullptr ? rocksdb::Status::OK() : CheckText(options.*text);
  }
  rocksdb::Status CheckText(const std::string& value) const {
    std::string allowed;
    for (const std::string& word : words) {
      if (word == value) {
        return rocksdb::Status::OK();
      }
      allowed += (allowed.empty() ? "" : ", ") + word;
    }
    return words.empty() ? rocksdb::Status::OK() : NotAllowed(name, value, allowed);
  }
};

const std::vector<Option>& AllOptions() {
  // Never destroyed: RocksDB keeps caches alive past our static destructors.
  static const auto* const options = new std::vector<Option>{
      {"path", nullptr, {}, nullptr, &FlashOptions::path, {}},
      {"size", &FlashOptions::size, kSize},
      {"memory", &FlashOptions::memory, kMemory},
      {"policy", nullptr, {}, nullptr, &FlashOptions::policy, {"s3_fifo", "lru"}},
      {"admit", nullptr, {}, nullptr, &FlashOptions::admit, {"auto", "all", "reused"}},
      {"write_rate", &FlashOptions::write_rate, kRate},
      {"checkpoint_bytes", &FlashOptions::checkpoint_bytes, kCheckpoint},
      {"page_bytes", &FlashOptions::page_bytes, kPage},
      {"io_uring", nullptr, {}, &FlashOptions::io_uring},
      {"background_threads_miss", nullptr, {}, &FlashOptions::background_threads_miss},
  };
  return *options;
}

// For RocksDB, which wants an address within the struct.
OptionTypeInfo TypeInfoOf(const Option& option) {
  const FlashOptions some;
  const char* const member =
      option.size != nullptr ? reinterpret_cast<const char*>(&(some.*option.size))
      : option.on != nullptr ? reinterpret_cast<const char*>(&(some.*option.on))
                             : reinterpret_cast<const char*>(&(some.*option.text));
  const int offset = static_cast<int>(member - reinterpret_cast<const char*>(&some));
  const OptionType type = option.size != nullptr ? OptionType::kUInt64T
                          : option.on != nullptr ? OptionType::kBoolean
                                                 : OptionType::kString;
  OptionTypeInfo info(offset, type, OptionVerificationType::kNormal, OptionTypeFlags::kNone);
  if (option.text == nullptr) {
    const size_t at = static_cast<size_t>(offset);
    info.SetParseFunc([option, at](const ConfigOptions&, const std::string& /*name*/,
                                   const std::string& text, void* address) {
      // RocksDB gives the member's address; the parser wants the struct's.
      return option.Parse(text, reinterpret_cast<FlashOptions*>(static_cast<char*>(address) - at));
    });
  }
  return info;
}

}  // namespace

lss::PageStoreOptions FlashOptions::ForStore() const {
  lss::PageStoreOptions options;
  options.path = path;
  options.size = size;
  options.memory = memory;
  options.policy = policy == "lru" ? lss::PagePolicy::kLru : lss::PagePolicy::kS3Fifo;
  options.admit = admit == "all"      ? lss::Admit::kAll
                  : admit == "reused" ? lss::Admit::kReused
                                      : lss::Admit::kAuto;
  options.write_rate = write_rate;
  options.checkpoint_bytes = checkpoint_bytes;
  options.mean_page_bytes = static_cast<uint32_t>(page_bytes);
  options.use_io_uring = io_uring;
  options.warn = WarnOnce;
  return options;
}

rocksdb::Status FlashOptions::Validate() const {
  if (path.empty()) {
    return rocksdb::Status::InvalidArgument(
        "bloom_lfs_flash needs path=DIRECTORY, on a fast local disk, and size=BYTES");
  }
  for (const Option& option : AllOptions()) {
    if (rocksdb::Status status = option.Check(*this); !status.ok()) {
      return status;
    }
  }
  return rocksdb::Status::OK();
}

rocksdb::Status FlashOptions::Parse(const std::string& text) {
  return ForEachOption(text, [this](const std::string& name, const std::string& value) {
    std::string names;
    for (const Option& option : AllOptions()) {
      if (name == option.name) {
        return option.Parse(value, this);
      }
      names += (names.empty() ? "" : ", ") + std::string(option.name);
    }
    return name == "id" && value == "bloom_lfs_flash"
               ? rocksdb::Status::OK()
               : rocksdb::Status::InvalidArgument("bloom_lfs_flash has no option \"" + name + "\"",
                                                  "there are " + names);
  });
}

const std::unordered_map<std::string, OptionTypeInfo>& FlashOptionTypes() {
  static const auto* const types = [] {
    auto* const result = new std::unordered_map<std::string, OptionTypeInfo>;
    for (const Option& option : AllOptions()) {
      result->emplace(option.name, TypeInfoOf(option));
    }
    return result;
  }();
  return *types;
}

}  // namespace bloom_lfs
