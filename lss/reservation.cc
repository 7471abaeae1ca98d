#include "lss/reservation.h"

#include <cstring>

#include "lss/log_structured_store.h"

namespace lss {

Reservation::~Reservation() { Abandon(); }

Reservation::Reservation(Reservation&& other) noexcept { *this = std::move(other); }

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Abandon();
    store_ = other.store_;
    cursor_ = other.cursor_;
    offset_ = other.offset_;
    size_ = other.size_;
    address_ = other.address_;
    other.store_ = nullptr;
  }
  return *this;
}

Status Reservation::Write(ByteView bytes) {
  if (store_ == nullptr || bytes.size != size_) {
    return Status::InvalidArgument("write of " + std::to_string(bytes.size) +
                                   " bytes into a reservation of " + std::to_string(size_));
  }
  if (store_->fork_guard_.InForkedChild()) {
    store_ = nullptr;  // the parent writes it
    return Status::Closed("write into a reservation of the parent process");
  }
  FlushBuffer& buffer = store_->ring_.buffer(cursor_.index);
  std::memcpy(buffer.data() + offset_, bytes.data, size_);
  LogStructuredStore* store = store_;
  store_ = nullptr;
  store->HandOver(buffer.Leave(), cursor_);
  return Status::Ok();
}

void Reservation::Abandon() {
  if (store_ != nullptr && store_->fork_guard_.InForkedChild()) {
    store_ = nullptr;  // it is the parent's, and so is the ring
  }
  if (store_ != nullptr) {
    FlushBuffer& buffer = store_->ring_.buffer(cursor_.index);
    LogStructuredStore* store = store_;
    store_ = nullptr;
    store->HandOver(buffer.Abandon(offset_, size_), cursor_);
  }
}

}  // namespace lss
