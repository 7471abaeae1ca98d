#include "plugin/flash/flash_options.h"

#include "lss/pages/page_file_layout.h"
#include "lss/pages/page_store_options.h"
#include "plugin/option_table.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::OptionTypeInfo;

constexpr Range kSize = {lss::kMinStoreBytes, lss::kMaxStoreBytes, 1, "bytes"};
constexpr Range kMemory = {8ULL << 20, 1ULL << 40, 1, "bytes"};
constexpr Range kRate = {0, 1ULL << 40, 1, "bytes a second"};
constexpr Range kCheckpoint = {1ULL << 20, 1ULL << 50, 1, "bytes"};
constexpr Range kPage = {512, 1 << 20, 1, "bytes"};

using Table = OptionTable<FlashOptions>;

const Table& AllOptions() {
  // Never destroyed: RocksDB keeps caches alive past our static destructors.
  static const auto* const options = new Table(
      "bloom_lfs_flash", {{"path", &FlashOptions::path},
                          {"size", &FlashOptions::size, kSize},
                          {"memory", &FlashOptions::memory, kMemory},
                          {"policy", &FlashOptions::policy, {"s3_fifo", "lru"}},
                          {"admit", &FlashOptions::admit, {"auto", "all", "reused"}},
                          {"write_rate", &FlashOptions::write_rate, kRate},
                          {"checkpoint_bytes", &FlashOptions::checkpoint_bytes, kCheckpoint},
                          {"page_bytes", &FlashOptions::page_bytes, kPage},
                          {"io_uring", &FlashOptions::io_uring},
                          {"background_threads_miss", &FlashOptions::background_threads_miss}});
  return *options;
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
        "bloom_lfs_flash needs path=DIRECTORY, on a fast local disk (or path=nbd://HOST/EXPORT), "
        "and "
        "size=BYTES");
  }
  return AllOptions().Check(*this);
}

rocksdb::Status FlashOptions::ParseAndValidate(const std::string& text) {
  const rocksdb::Status status = AllOptions().Parse(text, this);
  return status.ok() ? Validate() : status;
}

const std::unordered_map<std::string, OptionTypeInfo>& FlashOptionTypes() {
  static const auto* const types =
      new std::unordered_map<std::string, OptionTypeInfo>(AllOptions().TypeInfos());
  return *types;
}

}  // namespace bloom_lfs
