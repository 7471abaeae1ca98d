#include "lss/pages/page_store.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "lss/pages/page_writer.h"

namespace lss {

Status PageStore::Open(Runtime* runtime, const PageStoreOptions& options,
                       std::unique_ptr<PageStore>* result) {
  if (Status status = options.Validate(); !status.ok()) {
    return status;
  }
  std::unique_ptr<PageStore> store(new PageStore(runtime, options));
  const Status started = Thread::Start(
      "bloom_lfs:pages", [self = store.get()] { self->Run(); }, &store->thread_);
  if (!started.ok()) {
    store->TurnOff(started);
    const MutexLock lock(&store->mutex_);
    store->ended_ = true;
  }
  *result = std::move(store);
  return Status::Ok();
}

PageStore::~PageStore() {
  Close();
  if (!usable()) {
    // The parent's threads may have been in the middle of anything: what they share is left alone.
    thread_.Forget();
    (void)log_.release();
    (void)space_.release();
  }
}

void PageStore::SetState(State state) {
  State before = state_.load(std::memory_order_acquire);  // P47
  while (before != State::kOff &&
         !state_.compare_exchange_weak(before, state, std::memory_order_acq_rel,  // P47
                                       std::memory_order_acquire)) {              // P47
  }
  const MutexLock lock(&mutex_);
  changed_.NotifyAll();
}

bool PageStore::AwaitOpen() {
  const MutexLock lock(&mutex_);
  while (!ended_ && state() < State::kOpen) {
    changed_.Wait(&mutex_);
  }
  return state() == State::kOpen;
}

void PageStore::AwaitIdle() {
  const MutexLock lock(&mutex_);
  const uint64_t before = idle_rounds_;
  while (!ended_ && !off() && idle_rounds_ < before + 2) {
    changed_.NotifyAll();  // the worker may be asleep
    changed_.WaitUntil(&mutex_, std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
  }
}

void PageStore::Close() {
  if (!usable()) {
    return;
  }
  stop_.store(true, std::memory_order_release);  // P48
  {
    const MutexLock lock(&mutex_);
    changed_.NotifyAll();
  }
  if (thread_.joinable()) {
    thread_.Join();
  }
}

void PageStore::TurnOff(const Status& why) {
  if (options_.warn && !told_.exchange(true, std::memory_order_relaxed)) {  // Relaxed: once
    options_.warn("flash tier " + options_.path +
                  " is off, and reads go on without it: " + why.ToString());
  }
  SetState(State::kOff);
}

PageFigures PageStore::figures() const {
  PageFigures figures = CopyOf(counters_);
  const State now = usable() ? state() : State::kOff;
  figures.state = now == State::kOff ? "off" : now == State::kOpen ? "open" : "recovering";
  if (now == State::kOpen || now == State::kServing) {
    figures.table_bytes = space_->table->memory_bytes() + space_->ghost.memory_bytes();
    figures.frame_bytes = space_->frames.used_bytes();
    figures.pages_max = space_->table->word_count();
  }
  return figures;
}

// What the table knows of the key. A page that will go soon may be replaced by the new copy.
PageStore::Known PageStore::LookForKnown(const PageKey& key, uint64_t hash,
                                         PageTable::Found* replace) {
  for (const PageTable::Found& found : space_->table->Find(hash)) {
    if (found.word.on_flash()) {
      if (!space_->GoesSoon(found.word.place())) {
        return Known::kYes;  // or one of two in ten thousand that cannot be told from it
      }
      *replace = found;
      return Known::kReplaced;
    }
    const uint32_t frame = found.word.frame();
    space_->frames.Pin(frame);
    const PageWord now = space_->table->Load(found.index);
    const bool same =
        now.in_memory() && now.frame() == frame && space_->frames.frame(frame).key == key;
    space_->frames.Unpin(frame);
    if (same) {
      return Known::kYes;
    }
  }
  return Known::kNo;
}

bool PageStore::Insert(const PageKey& key, ByteView page, uint8_t compression, uint8_t tier) {
  return Insert(key, page.size, compression, tier, [&page](char* destination) {
    memcpy(destination, page.data, page.size);
    return true;
  });
}

bool PageStore::Insert(const PageKey& key, size_t length, uint8_t compression, uint8_t tier,
                       const Fill& fill) {
  if (!usable() || state() != State::kOpen) {
    counters_.dropped_not_ready.Add(1);
    return false;
  }
  if (length == 0 || length > max_page_bytes_) {
    counters_.dropped_too_large.Add(1);
    return false;
  }
  const uint64_t hash = HashOf(key);
  PageTable::Found replace;
  const Known known = LookForKnown(key, hash, &replace);
  if (known == Known::kYes) {
    counters_.already_there.Add(1);
    return true;
  }
  const uint32_t number = space_->frames.Take(static_cast<uint32_t>(length));
  if (number == FramePool::kNone) {
    counters_.dropped_no_memory.Add(1);
    return false;
  }
  Frame& frame = space_->frames.frame(number);
  frame.key = key;
  frame.compression = compression;
  frame.tier = tier;
  frame.was_ghost = space_->ghost.Take(hash) || known == Known::kReplaced;
  if (!fill(frame.bytes.get())) {
    space_->frames.GiveBack(number);
    return false;
  }
  const PageWord word = PageWord::Memory(TagOf(hash), number);
  if (known == Known::kReplaced && space_->table->Replace(replace.index, replace.word, word)) {
    frame.index = replace.index;
  } else if (const PageTable::Inserted in = space_->table->Insert(hash, word); in.done) {
    frame.index = in.index;
  } else {
    space_->frames.GiveBack(number);
    counters_.dropped_no_memory.Add(1);
    return false;
  }
  space_->queue.Push(number);
  counters_.inserted.Add(1);
  WakeWorker();
  return true;
}

void PageStore::WakeWorker() {
  std::atomic_thread_fence(std::memory_order_seq_cst);         // P49
  if (sleeping_.load(std::memory_order_relaxed) &&             // Relaxed: the fence orders it
      sleeping_.exchange(false, std::memory_order_relaxed)) {  // Relaxed: decides who wakes
    const MutexLock lock(&mutex_);
    changed_.NotifyAll();
  }
}

void PageStore::Erase(const PageKey& key) {
  if (!usable() || (state() != State::kOpen && state() != State::kServing)) {
    return;
  }
  // A tag is not a key, but what is lost with it is one page of a cache.
  for (const PageTable::Found& found : space_->table->Find(HashOf(key))) {
    space_->table->Replace(found.index, found.word, PageWord());
  }
}

}  // namespace lss
