// What a caller may choose about a page store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/pages/admission.h"

namespace lss {

struct PageStoreOptions {
  // Directory for the store's files, on a fast local disk. Made when missing, with one level. Or
  // the address of an export of a server (lss/device/remote_device.h).
  std::string path;
  // All the store's files together, in bytes: kMinStoreBytes..kMaxStoreBytes. Another size than
  // before begins an empty store. What else an export has is left alone.
  uint64_t size = 0;
  // Pages on their way to the flash, in bytes; 8 MiB at least.
  uint64_t memory = 64ULL << 20;
  PagePolicy policy = PagePolicy::kS3Fifo;
  Admit admit = Admit::kAuto;
  // Most bytes of pages that go to the flash each second once the log is full; 0: no limit.
  uint64_t write_rate = 0;
  // The mapping table is written out after so many bytes of log, or a quarter of the log.
  uint64_t checkpoint_bytes = 4ULL << 30;
  // How large pages are on average, in bytes: from it follows the size of the mapping table.
  // Another value than before begins an empty store.
  uint32_t mean_page_bytes = 4096;
  bool use_io_uring = true;
  WarningSink warn;
  // Called first, on the store's own thread, which may wait in it; the store misses meanwhile.
  // Empty: nothing.
  std::function<void()> before_opening;

  // Names the first option that is out of range and its range.
  Status Validate() const;
};

}  // namespace lss
