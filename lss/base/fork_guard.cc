#include "lss/base/fork_guard.h"

#include <pthread.h>

#include <atomic>

namespace lss {
namespace {

// Relaxed everywhere: a forked child has one thread, and reads what it has counted itself.
std::atomic<uint32_t> g_generation{0};

// Fails only for want of memory; then a child's misuse goes undetected, and nothing else changes.
[[maybe_unused]] const int kRegistered =
    pthread_atfork(nullptr, nullptr, [] { g_generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

uint32_t ForkGuard::Generation() noexcept { return g_generation.load(std::memory_order_relaxed); }

}  // namespace lss
