// A range of a record log that its holder fills.
#pragma once

#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/ring/flush_buffer_ring.h"

namespace lss {

class RecordLog;

// Must not outlive its log's Close. Destroyed without Write, its bytes stay zero: a holder that
// fails does not block the ring. Used by one thread at a time.
class Reservation {
 public:
  Reservation() = default;
  ~Reservation();
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  Address address() const { return address_; }
  uint32_t size() const { return size_; }
  // Copies exactly size() bytes and ends the reservation. InvalidArgument for any other length; the
  // reservation then stands.
  Status Write(ByteView bytes);
  // The same for bytes that `fill` puts there itself, all size() of them.
  template <typename Fill>
  Status WriteBy(const Fill& fill) {
    char* const destination = Begin();
    if (destination == nullptr) {
      return NothingReserved();
    }
    fill(destination);
    Leave();
    return Status::Ok();
  }

 private:
  friend class RecordLog;
  void Abandon();
  // Where the bytes go; null if there is no reservation any more.
  char* Begin();
  void Leave();
  static Status NothingReserved();

  RecordLog* log_ = nullptr;
  FlushBufferRing::Cursor cursor_ = {};
  uint32_t offset_ = 0;
  uint32_t size_ = 0;
  Address address_ = 0;
};

}  // namespace lss
