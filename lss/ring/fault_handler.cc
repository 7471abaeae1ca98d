#include "lss/ring/fault_handler.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>

#include "lss/ring/shared_mapping.h"
#include "lss/ring/signal_chain.h"

namespace lss::fault_handler {
namespace {

// --- which addresses are ours
// ---------------------------------------------------------------------

// A range of pages as one word, so that the handler never sees half of a change: the number of the
// first page above, the count of pages below.
constexpr unsigned kPageShift = 12;
constexpr unsigned kCountBits = 21;

uint64_t Encode(const SharedMapping& mapping) {
  const uint64_t first = reinterpret_cast<uintptr_t>(mapping.data()) >> kPageShift;
  const uint64_t count = ((mapping.bytes() - 1) >> kPageShift) + 1;
  return first << kCountBits | count;
}

bool Holds(uint64_t range, uintptr_t address) {
  const uint64_t page = address >> kPageShift;
  const uint64_t first = range >> kCountBits;
  return page >= first && page - first < (range & ((uint64_t{1} << kCountBits) - 1));
}

struct Slot {
  std::atomic<SharedMapping*> mapping{nullptr};  // null: free
  std::atomic<uint64_t> range{0};                // 0: holds no address
};

// Grows and never shrinks: a handler may be looking at any time.
struct Chunk {
  std::array<Slot, 64> slots;
  std::atomic<Chunk*> next{nullptr};
};

Chunk g_chunks;

bool Take(Slot* slot, SharedMapping* mapping) {
  SharedMapping* free = nullptr;
  // Relaxed: decides who gets the slot.
  if (!slot->mapping.compare_exchange_strong(free, mapping, std::memory_order_relaxed)) {
    return false;
  }
  slot->range.store(Encode(*mapping), std::memory_order_release);  // P30
  return true;
}

bool Insert(SharedMapping* mapping) {
  for (Chunk* chunk = &g_chunks;;) {
    for (Slot& slot : chunk->slots) {
      if (Take(&slot, mapping)) {
        return true;
      }
    }
    Chunk* next = chunk->next.load(std::memory_order_acquire);  // P30
    if (next == nullptr) {
      auto* grown = new (std::nothrow) Chunk;
      if (grown == nullptr) {
        return false;
      }
      if (chunk->next.compare_exchange_strong(next, grown, std::memory_order_acq_rel)) {  // P30
        next = grown;
      } else {
        delete grown;
      }
    }
    chunk = next;
  }
}

SharedMapping* Find(uintptr_t address) {
  for (Chunk* chunk = &g_chunks; chunk != nullptr;
       chunk = chunk->next.load(std::memory_order_acquire)) {  // P30
    for (Slot& slot : chunk->slots) {
      if (Holds(slot.range.load(std::memory_order_acquire), address)) {  // P30
        return slot.mapping.load(std::memory_order_relaxed);             // the range came behind it
      }
    }
  }
  return nullptr;
}

// --- the handler
// ----------------------------------------------------------------------------------

bool IsOurs(const siginfo_t& info) {
  // Sent by a process, or a misaligned access: the address says nothing, or is no page's fault.
  if (info.si_code <= 0 || info.si_code == BUS_ADRALN) {
    return false;
  }
  const auto address = reinterpret_cast<uintptr_t>(info.si_addr);
  SharedMapping* mapping = Find(address);
  const bool bad_memory = info.si_code == BUS_MCEERR_AR || info.si_code == BUS_MCEERR_AO;
  return mapping != nullptr && mapping->Replace(address, bad_memory);
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const int error_number = errno;
  if (!IsOurs(*info)) {
    signal_chain::PassOn(signal, info, context);
  }
  errno = error_number;
}

}  // namespace

bool Watch(SharedMapping* mapping) {
  if (mapping->bytes() == 0 || mapping->bytes() > kMappingBytesMax || !Insert(mapping)) {
    return false;
  }
  signal_chain::PutOnTop(&OnBusError);
  return true;
}

void Forget(SharedMapping* mapping) {
  for (Chunk* chunk = &g_chunks; chunk != nullptr;
       chunk = chunk->next.load(std::memory_order_acquire)) {  // P30
    for (Slot& slot : chunk->slots) {
      // Relaxed: our own.
      if (slot.mapping.load(std::memory_order_relaxed) == mapping) {
        slot.range.store(0, std::memory_order_release);          // P30
        slot.mapping.store(nullptr, std::memory_order_release);  // P30: free when it holds nothing
        return;
      }
    }
  }
}

bool Installed() { return signal_chain::IsOnTop(&OnBusError); }

}  // namespace lss::fault_handler
