#include "lss/reservation.h"

#include <cstring>

#include "lss/record_log.h"

namespace lss {

Reservation::~Reservation() { Abandon(); }

Reservation::Reservation(Reservation&& other) noexcept { *this = std::move(other); }

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Abandon();
    log_ = other.log_;
    cursor_ = other.cursor_;
    offset_ = other.offset_;
    size_ = other.size_;
    address_ = other.address_;
    other.log_ = nullptr;
  }
  return *this;
}

Status Reservation::Write(ByteView bytes) {
  if (log_ == nullptr || bytes.size != size_) {
    return Status::InvalidArgument("write of " + std::to_string(bytes.size) +
                                   " bytes into a reservation of " +
                                   std::to_string(log_ == nullptr ? 0 : size_));
  }
  return WriteBy([&](char* destination) { std::memcpy(destination, bytes.data, bytes.size); });
}

char* Reservation::Begin() {
  if (log_ != nullptr && log_->fork_guard().InForkedChild()) {
    log_ = nullptr;  // the parent writes it
  }
  return log_ == nullptr ? nullptr : log_->ring()->buffer(cursor_.index).data() + offset_;
}

void Reservation::Leave() {
  RecordLog* log = log_;
  log_ = nullptr;
  log->HandOver(log->ring()->buffer(cursor_.index).Leave(), cursor_);
}

Status Reservation::NothingReserved() {
  return Status::Closed("write into a reservation that has ended, or is the parent process's");
}

void Reservation::Abandon() {
  if (log_ != nullptr && log_->fork_guard().InForkedChild()) {
    log_ = nullptr;  // it is the parent's, and so is the ring
  }
  if (log_ != nullptr) {
    FlushBuffer& buffer = log_->ring()->buffer(cursor_.index);
    RecordLog* log = log_;
    log_ = nullptr;
    log->HandOver(buffer.Abandon(offset_, size_), cursor_);
  }
}

}  // namespace lss
