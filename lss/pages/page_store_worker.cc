// The one thread of a page store: recovers it, then writes, cleans and checkpoints.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>

#include "lss/base/clock.h"
#include "lss/pages/checkpointer.h"
#include "lss/pages/page_recovery.h"
#include "lss/pages/page_store.h"
#include "lss/pages/page_writer.h"

namespace lss {
namespace {

constexpr int64_t kCheckpointEveryNs = 300LL * 1'000'000'000;
// Rounds follow each other at this distance while pages come, so that not each of them wakes us.
constexpr auto kRound = std::chrono::milliseconds(2);
constexpr uint64_t kRoundsBeforeSleep = 25;
// Frames: as many as pages of half the mean size would need.
constexpr uint64_t kSmallPages = 2;

}  // namespace

void PageStore::Run() {
  std::unique_ptr<PageWriter> writer;
  std::unique_ptr<Checkpointer> checkpointer;
  Status status;
  try {
    status = Recover(&writer, &checkpointer);
    if (status.ok() && writer != nullptr) {
      status = Work(writer.get(), checkpointer.get());
    }
  } catch (const std::bad_alloc&) {  // of the standard containers
    status = Status::FromErrno("work on", options_.path, -1, ENOMEM);
  }
  if (status.ok() && log_ != nullptr) {
    status = log_->Close();
  }
  if (!status.ok()) {
    TurnOff(status);
  }
  if (off() && writer != nullptr) {
    writer->DropAll();
  }
  const MutexLock lock(&mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

Status PageStore::Recover(std::unique_ptr<PageWriter>* writer,
                          std::unique_ptr<Checkpointer>* checkpointer) {
  if (options_.before_opening) {
    options_.before_opening();
  }
  const PageFileLayout layout = PageFileLayout::For(options_.size, options_.mean_page_bytes);
  std::unique_ptr<PageFile> file;
  if (Status status = OpenFile(layout, &file); !status.ok()) {
    return status;
  }
  std::unique_ptr<PageTable> table;
  if (Status status = PageTable::Create(layout.buckets, &table); !status.ok()) {
    return status;
  }
  const uint64_t frames = std::clamp<uint64_t>(
      options_.memory / options_.mean_page_bytes * kSmallPages, 1024, 1U << 30);
  space_ = std::make_unique<PageSpace>(std::move(file), std::move(table),
                                       static_cast<uint32_t>(frames), options_.memory);
  PageRecovery recovery(space_->file.get(), space_->table.get(), &counters_, &stop_);
  if (Status status = recovery.LoadCheckpoint(); !status.ok()) {
    return status;
  }
  SetState(State::kServing);
  uint64_t origin = 0;
  if (Status status = recovery.ScanLog(&origin); !status.ok()) {
    return status;
  }
  if (stop_.load(std::memory_order_acquire)) {  // P48
    return Status::Ok();                        // what is in the file stays as it is
  }
  *checkpointer =
      std::make_unique<Checkpointer>(space_->file.get(), space_->table.get(), &counters_,
                                     recovery.checkpoint(), recovery.free_slot());
  Status status = space_->file->fresh() ? (*checkpointer)->WriteEmpty() : Status::Ok();
  if (status.ok()) {
    status = PageLog::Open(runtime_, space_->file.get(), origin,
                           {options_.use_io_uring, options_.warn}, &log_);
  }
  if (status.ok()) {
    max_page_bytes_ = log_->max_page_bytes();
    *writer = std::make_unique<PageWriter>(
        space_.get(), log_.get(), &counters_,
        PageWriter::Options{options_.policy, options_.admit, options_.write_rate});
    SetState(State::kOpen);
  }
  return status;
}

// Somebody who has just closed the store may still be writing it out.
Status PageStore::OpenFile(const PageFileLayout& layout, std::unique_ptr<PageFile>* file) {
  constexpr auto kPatience = std::chrono::seconds(2);
  constexpr auto kPause = std::chrono::milliseconds(20);
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    Status status = PageFile::Open(options_.path, layout, options_.warn, file);
    const auto now = std::chrono::steady_clock::now();
    if (!RingLock::IsBusy(status) || now >= until ||
        stop_.load(std::memory_order_acquire)) {  // P48
      return status;
    }
    const MutexLock lock(&mutex_);
    changed_.WaitUntil(&mutex_, now + kPause);
  }
}

Status PageStore::Work(PageWriter* writer, Checkpointer* checkpointer) {
  last_checkpoint_ns_ = SteadyNowNs();
  uint64_t quiet = 0;
  while (!stop_.load(std::memory_order_acquire) && !off()) {  // P48
    const uint64_t inserted = counters_.inserted.value();
    const int64_t now_ns = SteadyNowNs();
    Status status = writer->Step(now_ns, false);
    const bool arrived = writer->NoteArrivals();
    if (status.ok()) {
      status = StepCheckpoint(writer, checkpointer, now_ns);
    }
    if (status.ok()) {
      status = log_->error();
    }
    if (!status.ok()) {
      return status;
    }
    quiet = inserted != counters_.inserted.value() || arrived || checkpointer->running()
                ? 0
                : quiet + 1;
    Rest(quiet > kRoundsBeforeSleep);
  }
  return off() ? Status::Ok() : Finish(writer, checkpointer);
}

// Everything goes to the flash, and the table behind it.
Status PageStore::Finish(PageWriter* writer, Checkpointer* checkpointer) {
  Status status = writer->Step(SteadyNowNs(), true);
  if (status.ok()) {
    status = log_->WriteOut();
  }
  writer->NoteArrivals();
  while (status.ok() && checkpointer->running()) {
    status = checkpointer->Step();
  }
  if (status.ok() && log_->head() != checkpointer->last_log_end()) {
    checkpointer->Begin(writer->known_below(), log_->head());
    while (status.ok() && checkpointer->running()) {
      status = checkpointer->Step();
    }
  }
  return status;
}

Status PageStore::StepCheckpoint(PageWriter* writer, Checkpointer* checkpointer, int64_t now_ns) {
  if (checkpointer->running()) {
    return checkpointer->Step();
  }
  constexpr uint64_t kShare = 4;  // so that no lap goes by without one
  const uint64_t due_bytes =
      std::min(options_.checkpoint_bytes, space_->file->layout().log.bytes / kShare);
  const uint64_t written = log_->head() - std::min(log_->head(), checkpointer->last_log_end());
  const bool due =
      written >= due_bytes || (written > 0 && now_ns - last_checkpoint_ns_ >= kCheckpointEveryNs);
  if (due) {
    last_checkpoint_ns_ = now_ns;
    // The bound comes before the first word is copied.
    checkpointer->Begin(writer->known_below(), log_->head());
  }
  return Status::Ok();
}

void PageStore::Rest(bool idle) {
  const MutexLock lock(&mutex_);
  ++idle_rounds_;
  changed_.NotifyAll();
  if (stop_.load(std::memory_order_acquire)) {  // P48
    return;
  }
  if (!idle) {
    changed_.WaitUntil(&mutex_, std::chrono::steady_clock::now() + kRound);
    return;
  }
  sleeping_.store(true, std::memory_order_relaxed);     // Relaxed: the fence orders it
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P49
  // Whoever inserts from here on wakes us; who did before left a page in the queue.
  if (!space_->queue.HasNext()) {
    changed_.WaitUntil(&mutex_, std::chrono::steady_clock::now() + std::chrono::seconds(60));
  }
  sleeping_.store(false, std::memory_order_relaxed);  // Relaxed: nobody needs to wake us now
}

}  // namespace lss
