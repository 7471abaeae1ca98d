#include "lss/ring/merged_read.h"

#include <algorithm>
#include <atomic>

namespace lss {

Status ReadMerged(const MergedSource& source, Address from, size_t length, Address limit,
                  char* destination, size_t* read) {
  *read = 0;
  while (*read < length && from < limit) {
    const Address stable = source.hi_stable();
    const size_t wanted = std::min<uint64_t>(length - *read, limit - from);
    size_t got = 0;
    if (from < stable) {
      const size_t on_device = std::min<uint64_t>(wanted, stable - from);
      if (Status status = source.ReadDevice(from, on_device, destination + *read, &got);
          !status.ok()) {
        return status;
      }
      if (got == 0) {
        return Status::Corruption(source.name() + " ends before offset " + std::to_string(from) +
                                  ", which was written to it; somebody has cut it short");
      }
    } else {
      got = source.CopyOut(from, wanted, limit, destination + *read);
      // The owner reopens a buffer only after it has raised the watermark, so if that still is not
      // above our bytes, nobody wrote over them while we copied (P5).
      std::atomic_thread_fence(std::memory_order_acquire);
      if ((got == 0 || !source.CopiesAreWhole()) && source.hi_stable() > from) {
        continue;
      }
      if (got == 0) {
        return Status::Corruption("the ring of " + source.name() + " does not hold offset " +
                                  std::to_string(from) + ", which it says was committed");
      }
    }
    *read += got;
    from += got;
  }
  return Status::Ok();
}

}  // namespace lss
