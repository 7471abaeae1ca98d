#include "lss/pages/page_store_options.h"

#include "lss/pages/page_file_layout.h"
#include "lss/ring/ring_options.h"

namespace lss {
namespace {

constexpr uint64_t kMinMemory = 8ULL << 20;
constexpr uint64_t kMaxMemory = 1ULL << 40;
constexpr uint32_t kMinMeanPage = 512;
constexpr uint32_t kMaxMeanPage = 1U << 20;

std::string Range(uint64_t low, uint64_t high) {
  return std::to_string(low) + " to " + std::to_string(high) + " bytes";
}

}  // namespace

Status PageStoreOptions::Validate() const {
  if (path.empty()) {
    return Status::InvalidArgument(
        "path is empty; name a directory on a fast local disk, or an address (nbd://host/export)");
  }
  if (size < kMinStoreBytes || size > kMaxStoreBytes) {
    return OutOfRange("size", size, Range(kMinStoreBytes, kMaxStoreBytes));
  }
  if (memory < kMinMemory || memory > kMaxMemory) {
    return OutOfRange("memory", memory, Range(kMinMemory, kMaxMemory));
  }
  if (mean_page_bytes < kMinMeanPage || mean_page_bytes > kMaxMeanPage) {
    return OutOfRange("mean_page_bytes", mean_page_bytes, Range(kMinMeanPage, kMaxMeanPage));
  }
  if (checkpoint_bytes < kLayoutUnit) {
    return OutOfRange("checkpoint_bytes", checkpoint_bytes, Range(kLayoutUnit, UINT64_MAX));
  }
  return Status::Ok();
}

}  // namespace lss
