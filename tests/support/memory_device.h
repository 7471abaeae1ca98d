// An lss::Device in memory: scripted failures and delays, a record of every call, power cuts.
//
//   MemoryDevice device;
//   device.Fail({DeviceCall::kSync, EIO});            // the next sync fails
//   device.Fail({DeviceCall::kWrite, ENOSPC, 2});     // the third write from now fails
//   device.Hold(DeviceCall::kWrite);                  // the next write begins and does not end ...
//   ASSERT_TRUE(device.AwaitHeld());                  // ... somebody is inside it now ...
//   device.Release();                                 // ... and goes on
//   EXPECT_EQ(device.Trace({DeviceCall::kWrite, DeviceCall::kSync}),
//             Lines({"write 0+4096 plain", "sync"}));
//   EXPECT_EQ(device.Violations(), "");               // broken REQUIRES, overlapping writes
//   const std::string file = device.PowerCut(Survivors::kRandomSubset, seed);
//
// Sealed buffers reach it as they reach any device that is no file: it blocks the flusher's thread.
//
// Thread safety: every method from any thread.
#pragma once

#include <cerrno>
#include <condition_variable>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lss/device/device.h"
#include "tests/support/power_cut_model.h"

namespace lss::test {

enum class DeviceCall {
  kWrite,
  kSync,
  kSyncAside,
  kOpenAside,
  kStartWriteback,
  kAllocate,
  kSetSize,
  kRead,
  kBypassCache
};

class MemoryDevice final : public Device {
 public:
  // --- Device ---

  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override;
  Status Sync() override;
  void StartWriteback(Address offset, uint64_t length) override;
  Status Allocate(Address offset, uint64_t length) override;
  Status SetSize(uint64_t size) override;
  uint64_t SizeLimit() const override;
  uint64_t FreeBytes() const override;
  // Its calls are recorded and scripted like those of this device, but for Sync, which is
  // kSyncAside there and no sync of this device's.
  Status OpenAside(std::unique_ptr<Device>* aside) override;
  Status Read(Address offset, size_t length, char* destination, size_t* read) override;
  void BypassCache(bool bypass) override;
  bool bypasses_cache() const;
  bool Unreachable() const override;
  bool overwrites_in_place() const override;
  Status Identify(StreamId* id, uint64_t* size) override;
  const std::string& name() const override { return name_; }

  // --- script; what is armed first strikes first ---

  // Of the calls of this kind from now on, lets `skip` pass, then fails `times` of them. Of a write
  // that fails, the first `bytes_landed` bytes reach the file all the same.
  struct Failure {
    DeviceCall call;
    int error_number = EIO;
    uint64_t skip = 0;
    uint64_t times = 1;
    uint64_t bytes_landed = 0;
  };
  void Fail(const Failure& failure);
  // Of the calls of this kind from now on, lets `skip` pass and holds the next one: it has begun
  // and does not end until Release. One hold at a time.
  void Hold(DeviceCall call, uint64_t skip = 0);
  // Waits for somebody to be held. False if nobody came for a long time (a failed test, not a
  // race).
  [[nodiscard]] bool AwaitHeld();
  // Lets the held call go on, or gives up the hold if nobody has come.
  void Release();
  // Blocks beyond `bytes` do not exist: allocating or writing them is ENOSPC.
  void LimitSpace(uint64_t bytes);
  // What SizeLimit answers; writing or setting a size beyond it is EFBIG, and a violation: it would
  // have ended the process.
  void LimitSize(uint64_t bytes);
  // What FreeBytes answers.
  void LeaveFree(uint64_t bytes);
  // BypassCache(true) has no effect from now on, as on a file system without direct I/O.
  void RefuseDirect();
  // It is a copy-on-write file system from now on.
  void CopyOnWrite();
  void Unlink();

  // --- record ---

  struct Event {
    DeviceCall call;
    Address offset = 0;  // the size of SetSize, 1 or 0 of BypassCache
    uint64_t length = 0;
    WriteKind kind = WriteKind::kPlain;
    bool ended = false;
    bool ok = false;
  };
  // In the order in which the calls began.
  std::vector<Event> Events() const;
  // The same as text, only the calls of these kinds: "write 4096+8192 durable", "sync",
  // "writeback 0+4096", "allocate 0+65536", "size 5000", "read 0+10", "direct on", "sync aside",
  // "open aside"; " failed" behind it if it did.
  std::vector<std::string> Trace(std::initializer_list<DeviceCall> calls) const;
  size_t Count(DeviceCall call) const;
  void ForgetEvents();

  // What a real device would punish, one line each; empty if nothing has happened:
  // - two writes of one page in flight together,
  // - bytes that changed while they were being written,
  // - a direct write that is not aligned in address, length or memory,
  // - BypassCache with a write under way,
  // - a call of Sync after one has failed for another reason than a lack of space,
  // - growing beyond the limit of LimitSize.
  std::string Violations() const;

  // --- content ---

  std::string Content() const;
  // See PowerCutModel. Counts from the moment of the call; what is in flight is unsynced.
  std::string PowerCut(Survivors survivors, uint64_t seed = 0) const;

 private:
  class Aside;
  Status SyncAside();

  struct Hit {
    bool fails = false;
    int error_number = 0;
    uint64_t bytes_landed = 0;
  };
  // All of these require the lock; Begin drops it while the call is held. It returns the number of
  // the event, which End wants back.
  size_t Begin(std::unique_lock<std::mutex>* lock, const Event& event, Hit* hit);
  Status End(size_t number, const Hit& hit);
  void CheckWriteLocked(const std::vector<iovec>& pieces, Address offset, uint64_t length);
  std::string Describe(const Event& event) const;

  const std::string name_ = "memory";
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  PowerCutModel model_;
  std::vector<Event> events_;
  size_t forgotten_ = 0;  // number of the first event in events_
  std::string violations_;
  std::list<Failure> failures_;

  enum class HoldState { kNone, kArmed, kHeld };
  HoldState hold_ = HoldState::kNone;
  DeviceCall held_call_ = DeviceCall::kWrite;
  uint64_t hold_skip_ = 0;

  std::map<size_t, std::pair<Address, Address>> writes_in_flight_;  // by event number
  uint64_t space_limit_bytes_ = UINT64_MAX;
  uint64_t free_bytes_ = UINT64_MAX;
  uint64_t size_limit_bytes_ = UINT64_MAX;
  bool direct_ = false;
  bool refuses_direct_ = false;
  bool copies_on_write_ = false;
  bool unlinked_ = false;
  bool sync_has_failed_ = false;
};

// For comparing with Trace.
inline std::vector<std::string> Lines(std::initializer_list<const char*> lines) {
  return {lines.begin(), lines.end()};
}

}  // namespace lss::test
