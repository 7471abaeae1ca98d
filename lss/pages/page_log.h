// The log of a page store, as its one writer sees it: records that get an LSN, a watermark below
// which they are in the file, and a bound up to which there is room.
//
// A record log (TailLocalizedWrites) over a circular device. Buffers are filled to their end, with
// zeros where the next record does not fit: so each begins at a multiple of its size in the file
// too.
//
// Thread safety: by one thread at a time, but for stable(), head() and bytes_written().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/pages/page_file.h"
#include "lss/pages/page_record.h"
#include "lss/record_log.h"
#include "lss/runtime/runtime.h"

namespace lss {

class PageLog {
 public:
  // How far the log's writes may be ahead of stable(), in bytes.
  static constexpr uint64_t kRingBytes = 4 * kLayoutUnit;

  struct Options {
    bool use_io_uring = true;
    WarningSink warn;
  };
  // Goes on at `origin`, a multiple of 1 MiB. `runtime` and `file` must outlive the log.
  static Status Open(Runtime* runtime, const PageFile* file, uint64_t origin,
                     const Options& options, std::unique_ptr<PageLog>* result);

  // Largest page that a record takes.
  uint32_t max_page_bytes() const { return log_->buffer_bytes() - kRecordHeaderBytes; }
  // Where the log stands when a record of `page_bytes` has been appended.
  uint64_t EndAfter(uint32_t page_bytes) const;
  // Appends `page` under `head`, whose lsn and store_id it sets. Waits while the ring is full. An
  // error is final. REQUIRES: 0 < head.length <= max_page_bytes().
  Status Append(RecordHead head, const char* page, uint64_t* lsn);
  // Everything below has been appended, or will stay zeros.
  uint64_t head() const { return head_.load(std::memory_order_relaxed); }
  // Everything below is in the file.
  uint64_t stable() const { return origin_ + log_->hi_stable(); }
  // Brings stable() to head(), soon: fills the current buffer with zeros.
  Status Flush();
  // Flush, and waits for it. An error may pass, but nobody waits for that.
  Status WriteOut();
  // What has gone wrong for good, if anything.
  Status error() const { return log_->failed() ? log_->Flush() : Status::Ok(); }
  // Waits for it. Nothing is durable by that.
  Status Close() { return log_->Close(); }

 private:
  PageLog(const PageFile* file, uint64_t origin) : file_(file), origin_(origin), head_(origin) {}
  // Bytes up to the end of the buffer that head() is in.
  uint64_t LeftInBuffer() const;
  Status Skip(uint64_t bytes);
  void Advance(uint64_t bytes);

  const PageFile* const file_;
  const uint64_t origin_;
  // Relaxed: a figure for others; nothing is read by it.
  std::atomic<uint64_t> head_;
  std::shared_ptr<RecordLog> log_;
};

}  // namespace lss
