// START HERE. A store for immutable pages on a fast disk, warm again after a restart or a crash: a
// cache, which may lose any page at any time and never gives a wrong one.
//
//   Insert ─► frame in memory ─► log on flash ─► overwritten, a whole lap later
//               └── Lookup reads from wherever the mapping table says the page is ──┘
//
// - Insert never waits for the device. A page that there is no room for is dropped.
// - Lookup gives exactly the bytes that were inserted under the key, or nothing.
// - Open returns before anything is read: until the store has recovered, look-ups miss.
// - A store that cannot go on (a failed write, too many failed reads, another process has it) turns
//   itself off, says so once, and misses from then on.
// - In a forked child's copy everything misses.
//
// Thread safety: Close and the destructor by one thread, after all other calls, though figures()
// may be called beside Close; everything else from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/page_buffer.h"
#include "lss/pages/page_key.h"
#include "lss/pages/page_log.h"
#include "lss/pages/page_space.h"
#include "lss/pages/page_store_options.h"
#include "lss/pages/read_queue.h"
#include "lss/runtime/runtime.h"
#include "lss/runtime/thread.h"

namespace lss {

// A page that was looked up. May be used again for the next: its memory is kept.
struct PageCopy {
  const char* bytes = nullptr;  // in `buffer`
  uint32_t length = 0;
  uint8_t compression = 0;
  uint8_t tier = 0;
  bool goes_soon = false;  // the log runs over it before long: worth inserting again
  PageBuffer buffer;
};

// One of several pages to be looked up together.
struct PageLookup {
  PageKey key;
  bool found = false;
  PageCopy copy;
};

class Checkpointer;
class PageWriter;

class PageStore {
 public:
  // Begins to open the store; `runtime` must outlive it. An error: the options are not valid.
  static Status Open(Runtime* runtime, const PageStoreOptions& options,
                     std::unique_ptr<PageStore>* result);
  // Closes.
  ~PageStore();
  PageStore(const PageStore&) = delete;
  PageStore& operator=(const PageStore&) = delete;

  // `page` is copied. False: it was dropped. REQUIRES: the key names these bytes for good.
  bool Insert(const PageKey& key, ByteView page, uint8_t compression, uint8_t tier);
  // The same for `length` bytes that `fill` puts in place, on this thread, if there is room for
  // them; it returns false if it cannot.
  using Fill = std::function<bool(char* destination)>;
  bool Insert(const PageKey& key, size_t length, uint8_t compression, uint8_t tier,
              const Fill& fill);
  // False: a miss.
  bool Lookup(const PageKey& key, PageCopy* copy);
  // Whether a look-up might find it, without reading anything.
  enum class Presence {
    kNone,
    kGoesSoon,  // the log runs over it before long
    kLikely,
  };
  Presence LookFor(const PageKey& key);
  // The same as Lookup for several, whose reads go on together.
  void Lookup(std::vector<PageLookup*>* lookups);
  // Nobody will ask for it any more. A hint.
  void Erase(const PageKey& key);

  // Writes what is in memory and a checkpoint, and ends. Idempotent.
  void Close();
  // Waits until recovery has finished, or the store is off. True if it is open. For tests and
  // benchmarks.
  bool AwaitOpen();
  // Until nothing waits in memory that would be written; not what the policy keeps there.
  void AwaitIdle();

  bool off() const { return state() == State::kOff; }
  PageFigures figures() const;

 private:
  enum class State : int {
    kStarting,  // look-ups miss, insertions are dropped
    kServing,   // recovery goes on: look-ups find what it has found
    kOpen,
    kOff,
  };
  // A candidate on flash and where its bytes are to be read to.
  struct FlashRead {
    PageTable::Found found;
    PageLookup* lookup = nullptr;
  };

  PageStore(Runtime* runtime, const PageStoreOptions& options)
      : options_(options), runtime_(runtime), queues_(options.use_io_uring) {}
  State state() const { return state_.load(std::memory_order_acquire); }  // P47
  // Unless it is off, which is for good.
  void SetState(State state);
  bool usable() const { return !fork_guard_.InForkedChild(); }

  // --- those who look up ---
  bool TryMemory(const PageKey& key, const PageTable::Found& found, PageCopy* copy);
  bool TryFlash(const PageKey& key, const PageTable::Found& found, PageCopy* copy);
  bool TakeRead(const PageKey& key, const PageTable::Found& found, PageCopy* copy);
  void NoteReadError(const PageTable::Found& found);
  void GatherReads(std::vector<PageLookup*>* lookups, std::vector<FlashRead>* flash);

  // --- those who insert ---
  enum class Known { kNo, kYes, kReplaced };
  Known LookForKnown(const PageKey& key, uint64_t hash, PageTable::Found* replace);
  void WakeWorker();

  // --- the worker ---
  void Run();
  Status OpenFile(const PageFileLayout& layout, std::unique_ptr<PageFile>* file);
  Status Recover(std::unique_ptr<PageWriter>* writer, std::unique_ptr<Checkpointer>* checkpointer);
  Status Work(PageWriter* writer, Checkpointer* checkpointer);
  Status Finish(PageWriter* writer, Checkpointer* checkpointer);
  Status StepCheckpoint(PageWriter* writer, Checkpointer* checkpointer, int64_t now_ns);
  void Rest(bool idle);
  void TurnOff(const Status& why);

  const PageStoreOptions options_;
  Runtime* const runtime_;
  const ForkGuard fork_guard_;
  PageCounters counters_;
  // Made by the worker before it sets the state that lets others see it (P47).
  std::unique_ptr<PageSpace> space_;
  std::unique_ptr<PageLog> log_;
  uint32_t max_page_bytes_ = 0;
  ReadQueuePool queues_;
  std::atomic<State> state_{State::kStarting};
  std::atomic<bool> stop_{false};  // P48
  std::atomic<bool> told_{false};  // that it is off

  int64_t last_checkpoint_ns_ = 0;  // the worker's
  Mutex mutex_;
  CondVar changed_;
  bool ended_ LSS_GUARDED_BY(mutex_) = false;
  uint64_t idle_rounds_ LSS_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> sleeping_{false};  // P49
  Thread thread_;
};

}  // namespace lss
