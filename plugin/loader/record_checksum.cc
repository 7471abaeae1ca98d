#include "plugin/loader/record_checksum.h"

#if defined(__x86_64__)

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "lss/base/crc32c.h"
#include "plugin/loader/objects.h"
#include "plugin/loader/short_string.h"

namespace bloom_lfs::loader {
namespace {

using ExtendFunction = uint32_t (*)(uint32_t init_crc, const char* data, size_t n);
using NameFunction = ShortString (*)();

constexpr char kExtendSymbol[] = "_ZN7rocksdb6crc32c6ExtendEjPKcm";

uint32_t ByInstruction(uint32_t init_crc, const char* data, size_t n) {
  return lss::crc32c_internal::Hardware(init_crc, data, n);
}

uint32_t ByTables(uint32_t init_crc, const char* data, size_t n) {
  return lss::crc32c_internal::Portable(init_crc, data, n);
}

uint32_t FindOwnAndExtend(uint32_t init_crc, const char* data, size_t n);

// Which function computes. Relaxed everywhere: there is nothing behind the pointer but code, and
// whichever a thread sees gives the same result.
std::atomic<ExtendFunction> g_extend{FindOwnAndExtend};

// The first call, unless a verdict was earlier. Never asks twice: the dynamic linker is slow, and a
// later caller might be waited for by somebody who holds its lock.
uint32_t FindOwnAndExtend(uint32_t init_crc, const char* data, size_t n) {
  auto own = reinterpret_cast<ExtendFunction>(FindRocksDBsOwn(kExtendSymbol));
  // Another RocksDB than ours, loaded privately; or one that cannot be kept from being unloaded.
  if (own == nullptr || !KeepLoaded(reinterpret_cast<const void*>(own))) {
    own = ByTables;
  }
  ExtendFunction expected = FindOwnAndExtend;
  g_extend.compare_exchange_strong(expected, own, std::memory_order_relaxed);
  return own(init_crc, data, n);
}

bool Declined() {
  const char* const value = std::getenv("BLOOM_LFS_CRC32C");
  return value != nullptr && (std::strcmp(value, "0") == 0 || std::strcmp(value, "false") == 0);
}

// Whether RocksDB was compiled to use the instruction itself. Asked once in a process: whoever
// comes meanwhile takes it for a no, which costs nothing but the difference between two fast ways.
bool OwnIsFast(const void* name_function) {
  enum : int { kUnknown, kSlow, kFast };
  static std::atomic<int> answer{kUnknown};  // relaxed: nothing is behind it
  int expected = kUnknown;
  if (name_function != nullptr &&
      answer.compare_exchange_strong(expected, kSlow, std::memory_order_relaxed)) {
    // Long text is memory that is RocksDB's to free; it stays within reach.
    alignas(ShortString) static char place[sizeof(ShortString)];
    const auto own = reinterpret_cast<NameFunction>(const_cast<void*>(name_function));
    const auto* const said = new (place) ShortString(own());
    if (said->size >= 9 && std::memcmp(said->data, "Supported", 9) == 0) {
      answer.store(kFast, std::memory_order_relaxed);
    }
  }
  return answer.load(std::memory_order_relaxed) == kFast;
}

}  // namespace

void ComputeChecksumsOurselves(const void* name_function) {
  __builtin_cpu_init();  // some library's initialiser may have brought us here before our own ran
  if (lss::crc32c_internal::HardwareAvailable() && !Declined() && !OwnIsFast(name_function)) {
    g_extend.store(ByInstruction, std::memory_order_relaxed);
  }
}

}  // namespace bloom_lfs::loader

namespace rocksdb::crc32c {

[[gnu::visibility("default")]] uint32_t Extend(uint32_t init_crc, const char* data, size_t n) {
  using bloom_lfs::loader::g_extend;
  return g_extend.load(std::memory_order_relaxed)(init_crc, data, n);
}

// What RocksDB says in its LOG behind "Fast CRC32 supported:".
[[gnu::visibility("default"), gnu::abi_tag("cxx11")]] bloom_lfs::loader::ShortString
IsFastCrc32Supported() {
  using namespace bloom_lfs::loader;  // NOLINT(google-build-using-namespace): we stand in for them
  if (g_extend.load(std::memory_order_relaxed) == ByInstruction) {
    return ShortString("by bloom_lfs");
  }
  const auto own = reinterpret_cast<NameFunction>(FindRocksDBsOwn(kNameOfChecksumSymbol));
  return own != nullptr ? own() : ShortString("unknown");
}

}  // namespace rocksdb::crc32c

#else

namespace bloom_lfs::loader {

void ComputeChecksumsOurselves(const void* /*name_function*/) {}

}  // namespace bloom_lfs::loader

#endif
