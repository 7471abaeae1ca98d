#include "tests/support/memory_device.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace lss::test {
namespace {

// Generous: only a test that fails waits this long.
constexpr std::chrono::seconds kPatience(60);

std::string Joined(const std::vector<iovec>& pieces) {
  std::string bytes;
  for (const iovec& piece : pieces) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return bytes;
}

std::string Range(Address offset, uint64_t length) {
  return std::to_string(offset) + "+" + std::to_string(length);
}

}  // namespace

class MemoryDevice::Aside final : public Device {
 public:
  explicit Aside(MemoryDevice* device) : device_(device) {}
  const std::string& name() const override { return device_->name(); }
  Status Identify(StreamId* id, uint64_t* size) override { return device_->Identify(id, size); }
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override {
    return device_->Write(pieces, offset, kind);
  }
  Status Sync() override { return device_->SyncAside(); }
  Status Allocate(Address offset, uint64_t length) override {
    return device_->Allocate(offset, length);
  }
  Status SetSize(uint64_t size) override { return device_->SetSize(size); }
  Status OpenAside(std::unique_ptr<Device>* aside) override { return device_->OpenAside(aside); }
  Status Read(Address offset, size_t length, char* destination, size_t* read) override {
    return device_->Read(offset, length, destination, read);
  }

 private:
  MemoryDevice* const device_;
};

size_t MemoryDevice::Begin(std::unique_lock<std::mutex>* lock, const Event& event, Hit* hit) {
  const size_t number = forgotten_ + events_.size();
  events_.push_back(event);
  if (event.call == DeviceCall::kWrite) {
    writes_in_flight_[number] = {event.offset, event.offset + event.length};
  }
  for (auto failure = failures_.begin(); failure != failures_.end(); ++failure) {
    if (failure->call != event.call) {
      continue;
    }
    if (failure->skip > 0) {
      --failure->skip;
    } else if (!hit->fails) {
      *hit = {true, failure->error_number, failure->bytes_landed};
      --failure->times;
    }
  }
  const bool grows = event.call == DeviceCall::kWrite || event.call == DeviceCall::kSetSize;
  if (!hit->fails && grows && event.offset + event.length > size_limit_bytes_) {
    violations_ += "grown beyond the size limit: " + Range(event.offset, event.length) + "\n";
    *hit = {true, EFBIG, 0};
  }
  const bool takes_space = event.call == DeviceCall::kWrite || event.call == DeviceCall::kAllocate;
  if (!hit->fails && takes_space && event.offset + event.length > space_limit_bytes_) {
    *hit = {true, ENOSPC, 0};
  }
  failures_.remove_if([](const Failure& failure) { return failure.times == 0; });
  if (hold_ == HoldState::kArmed && held_call_ == event.call) {
    if (hold_skip_ > 0) {
      --hold_skip_;
    } else {
      hold_ = HoldState::kHeld;
      changed_.notify_all();
      changed_.wait(*lock, [this] { return hold_ == HoldState::kNone; });
    }
  }
  return number;
}

Status MemoryDevice::End(size_t number, const Hit& hit) {
  writes_in_flight_.erase(number);
  if (number >= forgotten_) {
    events_[number - forgotten_].ended = true;
    events_[number - forgotten_].ok = !hit.fails;
  }
  return hit.fails ? Status::FromErrno("scripted failure of", name_, -1, hit.error_number)
                   : Status::Ok();
}

void MemoryDevice::CheckWriteLocked(const std::vector<iovec>& pieces, Address offset,
                                    uint64_t length) {
  bool aligned = IsPageAligned(offset);
  for (const iovec& piece : pieces) {
    aligned = aligned && IsPageAligned(piece.iov_len) &&
              IsPageAligned(reinterpret_cast<uintptr_t>(piece.iov_base));
  }
  if (direct_ && !aligned) {
    violations_ += "unaligned direct write " + Range(offset, length) + "\n";
  }
  for (const auto& [event, range] : writes_in_flight_) {
    if (PageFloor(range.first) < PageCeil(offset + length) &&
        PageFloor(offset) < PageCeil(range.second)) {
      violations_ += "two writes of one page in flight: " + Range(offset, length) + " and " +
                     Range(range.first, range.second - range.first) + "\n";
    }
  }
}

Status MemoryDevice::Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) {
  std::string bytes = Joined(pieces);
  std::unique_lock<std::mutex> lock(mutex_);
  CheckWriteLocked(pieces, offset, bytes.size());
  const PowerCutModel::WriteId id = model_.BeginWrite(offset, bytes);
  Hit hit;
  const size_t event =
      Begin(&lock, {DeviceCall::kWrite, offset, bytes.size(), kind, false, false}, &hit);
  lock.unlock();
  // The device reads the memory for as long as the write is under way.
  const bool changed = Joined(pieces) != bytes;
  lock.lock();
  if (changed) {
    violations_ += "bytes changed while they were written: " + Range(offset, bytes.size()) + "\n";
  }
  model_.EndWrite(id, hit.fails ? hit.bytes_landed : bytes.size(),
                  kind == WriteKind::kDurable && !hit.fails);
  return End(event, hit);
}

Status MemoryDevice::Sync() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (sync_has_failed_) {
    violations_ += "a sync after a failed one\n";
  }
  const PowerCutModel::Covered covered = model_.BeginSync();
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kSync}, &hit);
  model_.EndSync(covered, !hit.fails);
  // What had no room has not been dropped by this device; whoever syncs again has written again.
  sync_has_failed_ = sync_has_failed_ || (hit.fails && hit.error_number != ENOSPC);
  return End(event, hit);
}

Status MemoryDevice::SyncAside() {
  std::unique_lock<std::mutex> lock(mutex_);
  const PowerCutModel::Covered covered = model_.BeginSync();
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kSyncAside}, &hit);
  model_.EndSync(covered, !hit.fails);
  return End(event, hit);
}

Status MemoryDevice::OpenAside(std::unique_ptr<Device>* aside) {
  std::unique_lock<std::mutex> lock(mutex_);
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kOpenAside}, &hit);
  if (!hit.fails) {
    *aside = std::make_unique<Aside>(this);
  }
  return End(event, hit);
}

void MemoryDevice::StartWriteback(Address offset, uint64_t length) {
  std::unique_lock<std::mutex> lock(mutex_);
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kStartWriteback, offset, length}, &hit);
  (void)End(event, hit);
}

Status MemoryDevice::Allocate(Address offset, uint64_t length) {
  std::unique_lock<std::mutex> lock(mutex_);
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kAllocate, offset, length}, &hit);
  return End(event, hit);
}

Status MemoryDevice::SetSize(uint64_t size) {
  std::unique_lock<std::mutex> lock(mutex_);
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kSetSize, size}, &hit);
  if (!hit.fails) {
    model_.SetSize(size);
  }
  return End(event, hit);
}

Status MemoryDevice::Read(Address offset, size_t length, char* destination, size_t* read) {
  std::unique_lock<std::mutex> lock(mutex_);
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kRead, offset, length}, &hit);
  const std::string& live = model_.live();
  *read = hit.fails || offset >= live.size() ? 0 : std::min<size_t>(length, live.size() - offset);
  std::memcpy(destination, live.data() + (*read > 0 ? offset : 0), *read);
  return End(event, hit);
}

void MemoryDevice::BypassCache(bool bypass) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!writes_in_flight_.empty()) {
    violations_ += "direct I/O switched with a write under way\n";
  }
  Hit hit;
  const size_t event = Begin(&lock, {DeviceCall::kBypassCache, bypass ? 1ULL : 0ULL}, &hit);
  direct_ = bypass && !refuses_direct_ && !hit.fails;
  (void)End(event, hit);
}

bool MemoryDevice::bypasses_cache() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return direct_;
}

Status MemoryDevice::Identify(StreamId* id, uint64_t* size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  *id = StreamId::Named({0x6d656d6f7279, reinterpret_cast<uintptr_t>(this)});
  *size = model_.live().size();
  return Status::Ok();
}

bool MemoryDevice::Unreachable() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return unlinked_;
}

void MemoryDevice::Fail(const Failure& failure) {
  const std::lock_guard<std::mutex> lock(mutex_);
  failures_.push_back(failure);
}

void MemoryDevice::Hold(DeviceCall call, uint64_t skip) {
  const std::lock_guard<std::mutex> lock(mutex_);
  hold_ = HoldState::kArmed;
  held_call_ = call;
  hold_skip_ = skip;
}

bool MemoryDevice::AwaitHeld() {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] { return hold_ == HoldState::kHeld; });
}

void MemoryDevice::Release() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    hold_ = HoldState::kNone;
  }
  changed_.notify_all();
}

void MemoryDevice::LimitSpace(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  space_limit_bytes_ = bytes;
}

void MemoryDevice::LimitSize(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_limit_bytes_ = bytes;
}

uint64_t MemoryDevice::SizeLimit() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return size_limit_bytes_;
}

uint64_t MemoryDevice::FreeBytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return free_bytes_;
}

void MemoryDevice::LeaveFree(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_bytes_ = bytes;
}

void MemoryDevice::RefuseDirect() {
  const std::lock_guard<std::mutex> lock(mutex_);
  refuses_direct_ = true;
}

bool MemoryDevice::overwrites_in_place() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !copies_on_write_;
}

void MemoryDevice::CopyOnWrite() {
  const std::lock_guard<std::mutex> lock(mutex_);
  copies_on_write_ = true;
}

void MemoryDevice::Unlink() {
  const std::lock_guard<std::mutex> lock(mutex_);
  unlinked_ = true;
}

std::vector<MemoryDevice::Event> MemoryDevice::Events() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_;
}

std::string MemoryDevice::Describe(const Event& event) const {
  std::string text;
  switch (event.call) {
    case DeviceCall::kWrite:
      text = "write " + Range(event.offset, event.length) +
             (event.kind == WriteKind::kDurable ? " durable" : " plain");
      break;
    case DeviceCall::kSync:
      text = "sync";
      break;
    case DeviceCall::kSyncAside:
      text = "sync aside";
      break;
    case DeviceCall::kOpenAside:
      text = "open aside";
      break;
    case DeviceCall::kAllocate:
      text = "allocate " + Range(event.offset, event.length);
      break;
    case DeviceCall::kSetSize:
      text = "size " + std::to_string(event.offset);
      break;
    case DeviceCall::kRead:
      text = "read " + Range(event.offset, event.length);
      break;
    case DeviceCall::kStartWriteback:
      text = "writeback " + Range(event.offset, event.length);
      break;
    case DeviceCall::kBypassCache:
      text = event.offset != 0 ? "direct on" : "direct off";
      break;
  }
  return event.ended && !event.ok ? text + " failed" : text;
}

std::vector<std::string> MemoryDevice::Trace(std::initializer_list<DeviceCall> calls) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> lines;
  for (const Event& event : events_) {
    if (std::find(calls.begin(), calls.end(), event.call) != calls.end()) {
      lines.push_back(Describe(event));
    }
  }
  return lines;
}

size_t MemoryDevice::Count(DeviceCall call) const { return Trace({call}).size(); }

void MemoryDevice::ForgetEvents() {
  const std::lock_guard<std::mutex> lock(mutex_);
  forgotten_ += events_.size();
  events_.clear();
}

std::string MemoryDevice::Violations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return violations_;
}

std::string MemoryDevice::Content() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return model_.live();
}

std::string MemoryDevice::PowerCut(Survivors survivors, uint64_t seed) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return model_.PowerCut(survivors, seed);
}

}  // namespace lss::test
