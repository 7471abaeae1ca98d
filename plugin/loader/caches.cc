#include "plugin/loader/caches.h"

#include <elf.h>
#include <sys/auxv.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "plugin/loader/objects.h"
#include "plugin/loader/say.h"
#include "plugin/loader/shared_handle.h"
#include "plugin/loader/verdict.h"
#include "plugin/rocksdb_features.h"

#if BLOOM_LFS_KNOWS_SECONDARY_CACHE

namespace bloom_lfs::loader {
namespace {

// --- the functions that we stand in for ---

using MakeFunction = SharedHandle (*)(const void* options);
// bloom_lfs::OnFlash
using OnFlashFunction = SharedHandle (*)(const void* options, MakeFunction real);

struct Kind {
  const char* real;    // RocksDB's symbol
  const char* plugin;  // the plugin's
};

#if BLOOM_LFS_HAS_CREATE_CONTEXT
#define BLOOM_LFS_LRU_SYMBOL "_ZNK7rocksdb15LRUCacheOptions15MakeSharedCacheEv"
#define BLOOM_LFS_SECOND_SYMBOL "_ZNK7rocksdb22HyperClockCacheOptions15MakeSharedCacheEv"
#define BLOOM_LFS_TIERED_SYMBOL "_ZN7rocksdb14NewTieredCacheERKNS_18TieredCacheOptionsE"
constexpr char kSecondOnFlash[] =
    "_ZN9bloom_lfs7OnFlashERKN7rocksdb22HyperClockCacheOptionsEPFSt10shared_ptrINS0_5CacheEES3_E";
#else
#define BLOOM_LFS_LRU_SYMBOL "_ZN7rocksdb11NewLRUCacheERKNS_15LRUCacheOptionsE"
#define BLOOM_LFS_SECOND_SYMBOL                                            \
  "_ZN7rocksdb11NewLRUCacheEmibdSt10shared_ptrINS_15MemoryAllocatorEEbNS_" \
  "25CacheMetadataChargePolicyEd"
constexpr char kSecondOnFlash[] =
    "_ZN9bloom_lfs7OnFlashEmibdSt10shared_ptrIN7rocksdb15MemoryAllocatorEEbNS1_"
    "25CacheMetadataChargePolicyEdPFS0_INS1_5CacheEERKNS1_15LRUCacheOptionsEE";
#endif

enum : size_t { kLru, kSecond, kTiered, kKinds };
constexpr Kind kAllKinds[kKinds] = {
    {BLOOM_LFS_LRU_SYMBOL,
     "_ZN9bloom_lfs7OnFlashERKN7rocksdb15LRUCacheOptionsEPFSt10shared_ptrINS0_5CacheEES3_E"},
    {BLOOM_LFS_SECOND_SYMBOL, kSecondOnFlash},
#if BLOOM_LFS_HAS_CREATE_CONTEXT
    {BLOOM_LFS_TIERED_SYMBOL, nullptr},
#endif
};

// --- what each object in this process means by them ---

struct Meaning {
  uintptr_t begin = 0;  // of the object whose meaning it is
  uintptr_t end = 0;
  void* real[kKinds] = {};      // null: none in this RocksDB
  void* on_flash[kKinds] = {};  // null: it gets no tier
};

struct MeaningSlot {
  std::atomic<bool> taken{false};  // set first, by one thread
  std::atomic<bool> ready{false};  // the meaning may be read
  Meaning meaning;
};

// The program's, and that of the RocksDB that it started with: what comes later may go, and another
// may lie in its place then, so it is asked about anew at every call.
constexpr size_t kMaxMeanings = 2;
MeaningSlot g_meanings[kMaxMeanings];

const Meaning* FindKeptMeaning(uintptr_t address) {
  for (const MeaningSlot& slot : g_meanings) {
    if (slot.ready.load(std::memory_order_acquire) && address >= slot.meaning.begin &&
        address < slot.meaning.end) {  // pairs with KeepMeaning
      return &slot.meaning;
    }
  }
  return nullptr;
}

void KeepMeaning(const Meaning& meaning) {
  for (MeaningSlot& slot : g_meanings) {
    if (!slot.taken.exchange(true, std::memory_order_relaxed)) {
      slot.meaning = meaning;
      slot.ready.store(true, std::memory_order_release);  // pairs with FindKeptMeaning
      return;
    }
  }
}

bool Wanted() {
  const char* const value = std::getenv("BLOOM_LFS_FLASH");
  return value != nullptr && *value != '\0';
}

// Whether the RocksDB at `address` has the plugin, which is loaded then.
bool HasThePlugin(void* address) {
  const Verdict* verdict = FindVerdictAt(address);
  if (verdict == nullptr) {
    void* const real = Object::Of(address).Find(kDefaultSymbol);
    if (real == nullptr || IsOurs(real)) {
      return false;
    }
    return Judge(reinterpret_cast<DefaultFunction>(real)).fits;
  }
  return verdict->fits;
}

Meaning MeaningFor(const Object& object) {
  Meaning meaning;
  meaning.begin = object.begin();
  meaning.end = object.end();
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (kAllKinds[kind].real == nullptr) {
      continue;
    }
    void* real = object.Find(kAllKinds[kind].real);
    // The program, and what is linked to us instead of the plugin, finds us first.
    if (real == nullptr || IsOurs(real)) {
      real = FindRocksDBsOwn(kAllKinds[kind].real);
    }
    meaning.real[kind] = real;
    if (real != nullptr && kAllKinds[kind].plugin != nullptr && Wanted() && HasThePlugin(real)) {
      meaning.on_flash[kind] = FindInPlugin(real, kAllKinds[kind].plugin);
    }
  }
  return meaning;
}

Meaning MeaningAt(const void* caller) {
  if (const Meaning* const kept = FindKeptMeaning(reinterpret_cast<uintptr_t>(caller))) {
    return *kept;
  }
  RememberDirectory();  // some library's initialiser may be ahead of ours
  return MeaningFor(Object::Of(caller));
}

[[noreturn]] void SayThatThereIsNone(const void* caller) {
  Say("%s makes a block cache of RocksDB's, but no RocksDB is loaded; link it to librocksdb, and "
      "to "
      "libbloom_lfs_plugin.so instead of libbloom_lfs.so",
      Object::Of(caller).Name());
  std::abort();  // nothing could be returned
}

// While RocksDB makes a cache of several tiers, the first of which is none for us. Of the initial
// executable's model: this library is there when the program starts.
[[gnu::tls_model("initial-exec")]] thread_local int g_tiers_under_way = 0;

SharedHandle Make(size_t kind, const void* options, const void* caller) {
  const Meaning meaning = MeaningAt(caller);
  if (meaning.real[kind] == nullptr) {
    SayThatThereIsNone(caller);
  }
  const auto real = reinterpret_cast<MakeFunction>(meaning.real[kind]);
  if (meaning.on_flash[kind] != nullptr && g_tiers_under_way == 0) {
    return reinterpret_cast<OnFlashFunction>(meaning.on_flash[kind])(options, real);
  }
  return real(options);
}

}  // namespace

void RememberCaches(const void* rocksdb) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gives the address as a number
  const auto* const program = reinterpret_cast<const void*>(getauxval(AT_ENTRY));
  for (const void* const place : {rocksdb, program}) {
    if (KeepLoaded(place)) {
      KeepMeaning(MeaningFor(Object::Of(place)));
    }
  }
}

}  // namespace bloom_lfs::loader

// --- the stand-ins, under RocksDB's names ---

namespace bloom_lfs::loader {

[[gnu::visibility("default")]] SharedHandle MakeLruCache(const void* options) asm(
    BLOOM_LFS_LRU_SYMBOL);
SharedHandle MakeLruCache(const void* options) {
  return Make(kLru, options, __builtin_return_address(0));
}

#if BLOOM_LFS_HAS_CREATE_CONTEXT

[[gnu::visibility("default")]] SharedHandle MakeHyperClockCache(const void* options) asm(
    BLOOM_LFS_SECOND_SYMBOL);
SharedHandle MakeHyperClockCache(const void* options) {
  return Make(kSecond, options, __builtin_return_address(0));
}

[[gnu::visibility("default")]] SharedHandle MakeTieredCache(const void* options) asm(
    BLOOM_LFS_TIERED_SYMBOL);
SharedHandle MakeTieredCache(const void* options) {
  struct UnderWay {
    UnderWay() { ++g_tiers_under_way; }
    ~UnderWay() { --g_tiers_under_way; }
  };
  const UnderWay under_way;
  return Make(kTiered, options, __builtin_return_address(0));
}

#else

// The allocator is a std::shared_ptr, which is passed by its address.
using MakeOfArguments = SharedHandle (*)(size_t, int, bool, double, void*, bool, int, double);
using OnFlashOfArguments = SharedHandle (*)(size_t, int, bool, double, void*, bool, int, double,
                                            MakeFunction);

[[gnu::visibility("default")]] SharedHandle MakeLruCacheOfArguments(
    size_t capacity, int shard_bits, bool strict, double high_pri, void* allocator, bool adaptive,
    int charge, double low_pri) asm(BLOOM_LFS_SECOND_SYMBOL);
SharedHandle MakeLruCacheOfArguments(size_t capacity, int shard_bits, bool strict, double high_pri,
                                     void* allocator, bool adaptive, int charge, double low_pri) {
  const void* const caller = __builtin_return_address(0);
  const Meaning meaning = MeaningAt(caller);
  if (meaning.real[kSecond] == nullptr) {
    SayThatThereIsNone(caller);
  }
  if (meaning.on_flash[kSecond] != nullptr && meaning.real[kLru] != nullptr) {
    return reinterpret_cast<OnFlashOfArguments>(meaning.on_flash[kSecond])(
        capacity, shard_bits, strict, high_pri, allocator, adaptive, charge, low_pri,
        reinterpret_cast<MakeFunction>(meaning.real[kLru]));
  }
  return reinterpret_cast<MakeOfArguments>(meaning.real[kSecond])(
      capacity, shard_bits, strict, high_pri, allocator, adaptive, charge, low_pri);
}

#endif

}  // namespace bloom_lfs::loader

#else

namespace bloom_lfs::loader {

void RememberCaches(const void* rocksdb) {
  const char* const wanted = std::getenv("BLOOM_LFS_FLASH");
  const Verdict* const verdict = FindVerdictAt(rocksdb);
  if (wanted != nullptr && *wanted != '\0' && verdict != nullptr && verdict->fits) {
    Say("BLOOM_LFS_FLASH: block caches of this version of RocksDB get no flash tier; those from "
        "9.10 "
        "on do");
  }
}

}  // namespace bloom_lfs::loader

#endif
