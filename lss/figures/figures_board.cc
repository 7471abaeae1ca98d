#include "lss/figures/figures_board.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "lss/base/per_process.h"

namespace lss {
namespace {

PerProcess<FiguresBoard> g_board;

// A file that may not be so large would end the process.
bool MayBeSoLarge(size_t bytes) {
  rlimit limit = {};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
         (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes);
}

UniqueFd MakeMemoryFile(size_t bytes) {
  if (!MayBeSoLarge(bytes)) {
    return UniqueFd();
  }
  UniqueFd fd(memfd_create(FiguresBoard::kName, MFD_CLOEXEC));
  if (fd.valid() && ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    fd.Reset();
  }
  return fd;
}

// Null: not to be had. Pages that are never touched take no memory.
char* Map(size_t bytes, int flags, int fd) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

// Something is about to change, or has just done so.
class Change {
 public:
  explicit Change(BoardHeader* header) : header_(header) { Step(); }
  ~Change() { Step(); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  void Step() {
    // P52: what is read between two looks at the same even number has not changed.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    header_->changes.fetch_add(1, std::memory_order_acq_rel);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  BoardHeader* const header_;
};

}  // namespace

FiguresBoard* FiguresBoard::OfProcess() { return g_board.Get(); }

FiguresBoard::FiguresBoard() : fd_(MakeMemoryFile(BoardCopy::Bytes(kSlots))) {
  if (fd_.valid()) {
    memory_ = Map(BoardCopy::Bytes(kSlots), MAP_SHARED, fd_.get());
  }
  if (memory_ == nullptr) {
    fd_.Reset();
    memory_ = Map(BoardCopy::Bytes(kSlots), MAP_PRIVATE | MAP_ANONYMOUS, /*fd=*/-1);
  }
  if (memory_ == nullptr) {
    without_slots_ = std::make_unique<BoardHeader>();
  }
  auto* const header = memory_ == nullptr ? without_slots_.get() : new (memory_) BoardHeader();
  header->version = BoardHeader::kVersion;
  header->header_bytes = sizeof(BoardHeader);
  header->slot_bytes = sizeof(BoardSlot);
  header->slots = memory_ == nullptr ? 0 : kSlots;
  header->pid = static_cast<uint64_t>(getpid());
  header->magic = BoardHeader::kMagic;
}

FiguresBoard::~FiguresBoard() {
  if (memory_ != nullptr) {
    munmap(memory_, BoardCopy::Bytes(kSlots));
  }
}

BoardHeader* FiguresBoard::header() const {
  return memory_ == nullptr ? without_slots_.get()
                            : std::launder(reinterpret_cast<BoardHeader*>(memory_));
}

BoardSlot* FiguresBoard::slot(size_t index) const {
  return reinterpret_cast<BoardSlot*>(memory_ + sizeof(BoardHeader)) + index;
}

std::shared_ptr<StreamFigures> FiguresBoard::Add(StreamKind kind, const std::string& path) {
  const MutexLock lock(&mutex_);
  size_t index = 0;
  while (index < header()->slots && slot(index)->taken.load(std::memory_order_relaxed) != 0) {
    ++index;  // relaxed: changed under mutex_ only
  }
  if (index == header()->slots) {
    return {new StreamFigures, [this, kind](StreamFigures* figures) {
              Retire(kind, nullptr, figures);
              delete figures;
            }};
  }
  const Change change(header());
  auto* const fresh = new (slot(index)) BoardSlot();
  fresh->kind = static_cast<uint32_t>(kind);
  const size_t kept = std::min(path.size(), BoardSlot::kPathBytes - 1);
  std::memcpy(fresh->path, path.data() + (path.size() - kept), kept);
  fresh->taken.store(1, std::memory_order_relaxed);  // relaxed: what `change` is for
  const uint64_t used = header()->slots_used.load(std::memory_order_relaxed);  // as above
  header()->slots_used.store(std::max<uint64_t>(used, index + 1), std::memory_order_relaxed);
  return {&fresh->figures,
          [this, kind, fresh](StreamFigures* figures) { Retire(kind, fresh, figures); }};
}

void FiguresBoard::Retire(StreamKind kind, BoardSlot* slot, const StreamFigures* figures) {
  if (fork_guard_.InForkedChild()) {
    return;  // the parent goes on with it
  }
  const MutexLock lock(&mutex_);
  const Change change(header());
  AddTo(*figures, &header()->gone[static_cast<size_t>(kind)]);
  if (slot != nullptr) {
    slot->taken.store(0, std::memory_order_relaxed);  // relaxed: what `change` is for
    ForgetFreeSlotsAtTheEnd();
  }
}

// Who looks reads no more than what is used now, whatever there once was.
void FiguresBoard::ForgetFreeSlotsAtTheEnd() {
  uint64_t used = header()->slots_used.load(std::memory_order_relaxed);  // under mutex_
  while (used > 0 && slot(used - 1)->taken.load(std::memory_order_relaxed) == 0) {
    --used;  // relaxed: changed under mutex_ only
  }
  header()->slots_used.store(used, std::memory_order_relaxed);  // relaxed: what `change` is for
}

BoardCopy FiguresBoard::Copy() const {
  const MutexLock lock(&mutex_);
  const size_t used = header()->slots_used.load(std::memory_order_relaxed);  // under mutex_
  BoardCopy copy(used);
  const auto* const words = reinterpret_cast<const std::atomic<uint64_t>*>(header());
  for (size_t i = 0; i < BoardCopy::Bytes(used) / sizeof(uint64_t); ++i) {
    copy.words()[i] = words[i].load(std::memory_order_relaxed);  // relaxed: figures
  }
  return copy;
}

}  // namespace lss
