#include "lss/pages/page_log.h"

#include <sys/stat.h>

#include "lss/base/check.h"
#include "lss/pages/circular_device.h"

namespace lss {

Status PageLog::Open(Runtime* runtime, const PageFile* file, uint64_t origin,
                     const Options& options, std::unique_ptr<PageLog>* result) {
  LSS_CHECK(origin % kLayoutUnit == 0, "a log goes on at a multiple of 1 MiB");
  StoreOptions store;
  store.write_mode = WriteMode::kTailLocalizedWrites;
  store.buffer_bytes = kLayoutUnit;
  store.buffer_count = kRingBytes / kLayoutUnit;
  store.use_io_uring = options.use_io_uring;
  store.allocate_ahead = false;
  store.ring_directory = file->ring_directory();
  store.warn = options.warn;
  std::unique_ptr<PageLog> log(new PageLog(file, origin));
  Status status = RecordLog::Open(
      runtime, std::make_unique<CircularDevice>(file->device(), file->layout().log, origin), store,
      &log->log_);
  if (status.ok()) {
    file->NoteRingMade();
    *result = std::move(log);
  }
  return status;
}

uint64_t PageLog::LeftInBuffer() const {
  const uint64_t buffer = log_->buffer_bytes();
  return buffer - (head() - origin_) % buffer;
}

uint64_t PageLog::EndAfter(uint32_t page_bytes) const {
  const uint64_t record = RecordBytes(page_bytes);
  const uint64_t left = LeftInBuffer();
  return head() + (record <= left ? 0 : left) + record;
}

void PageLog::Advance(uint64_t bytes) {
  head_.store(head() + bytes, std::memory_order_relaxed);  // Relaxed: a figure for others
}

Status PageLog::Append(RecordHead head, const char* page, uint64_t* lsn) {
  const uint32_t bytes = RecordBytes(head.length);
  if (bytes > LeftInBuffer()) {
    if (Status status = Skip(LeftInBuffer()); !status.ok()) {
      return status;
    }
  }
  Reservation reservation;
  Status status = log_->Reserve(bytes, &reservation);
  if (!status.ok()) {
    return status;
  }
  LSS_CHECK(origin_ + reservation.address() == this->head(), "nobody else writes the log");
  head.lsn = this->head();
  head.store_id = file_->store_id();
  status = reservation.WriteBy([&](char* destination) { EncodeRecord(head, page, destination); });
  if (status.ok()) {
    *lsn = head.lsn;
    Advance(bytes);
  }
  return status;
}

// A reservation that is given up stays zeros.
Status PageLog::Skip(uint64_t bytes) {
  Reservation nothing;
  Status status = log_->Reserve(static_cast<uint32_t>(bytes), &nothing);
  if (status.ok()) {
    Advance(bytes);
  }
  return status;
}

Status PageLog::Flush() {
  if (log_->buffer_bytes() != LeftInBuffer()) {
    if (Status status = Skip(LeftInBuffer()); !status.ok()) {
      return status;
    }
  }
  return log_->Flush();
}

Status PageLog::WriteOut() {
  Status status = Flush();
  return status.ok() ? log_->WriteOut() : status;
}

}  // namespace lss
