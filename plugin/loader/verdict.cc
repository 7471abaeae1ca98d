#include "plugin/loader/verdict.h"

#include <dlfcn.h>
#include <sys/param.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "plugin/loader/load_error.h"
#include "plugin/loader/objects.h"
#include "plugin/loader/record_checksum.h"
#include "plugin/loader/say.h"
#include "plugin/loader/short_string.h"
#include "rocksdb/version.h"

#define BLOOM_LFS_QUOTE_(number) #number
#define BLOOM_LFS_QUOTE(number) BLOOM_LFS_QUOTE_(number)

namespace bloom_lfs::loader {
namespace {

constexpr char kOurRocksDB[] = BLOOM_LFS_QUOTE(ROCKSDB_MAJOR) "." BLOOM_LFS_QUOTE(ROCKSDB_MINOR);
constexpr char kVersionSymbol[] = "_ZN7rocksdb23GetRocksVersionAsStringB5cxx11Eb";
// The same function where std::string is another class.
constexpr char kForeignVersionSymbol[] = "_ZN7rocksdb23GetRocksVersionAsStringEb";
constexpr char kPluginFile[] = "libbloom_lfs_plugin.so";
constexpr char kPluginSymbol[] =
    "_ZN9bloom_lfs17DefaultFileSystemEPFSt10shared_ptrIN7rocksdb10FileSystemEEvE";

// --- what the user asked for ---

enum class Wish { kRegisterOnly, kDefault, kUnclear };

Wish ReadWish() {
  const char* const value = std::getenv("BLOOM_LFS_DEFAULT");
  if (value == nullptr) {
    return Wish::kRegisterOnly;
  }
  for (const char* no : {"", "0", "false"}) {
    if (std::strcmp(value, no) == 0) {
      return Wish::kRegisterOnly;
    }
  }
  for (const char* yes : {"1", "true"}) {
    if (std::strcmp(value, yes) == 0) {
      return Wish::kDefault;
    }
  }
  return Wish::kUnclear;
}

// --- what was found out, kept for good ---

struct Slot {
  std::atomic<DefaultFunction> owner{nullptr};  // whose verdict it is; set first, by one thread
  std::atomic<bool> ready{false};               // the verdict may be read
  Verdict verdict;
};

// Further RocksDBs in one process are judged anew at every call, and not complained about.
constexpr size_t kMaxVerdicts = 8;
Slot g_slots[kMaxVerdicts];

template <typename Match>
const Verdict* FindKept(const Match& match) {
  for (const Slot& slot : g_slots) {
    if (slot.ready.load(std::memory_order_acquire) && match(slot.verdict)) {  // pairs with Keep
      return &slot.verdict;
    }
  }
  return nullptr;
}

// True for the one thread that is the first to come with this RocksDB: it does the talking.
bool Keep(const Verdict& verdict) {
  for (Slot& slot : g_slots) {
    DefaultFunction owner = nullptr;
    if (slot.owner.compare_exchange_strong(owner, verdict.real, std::memory_order_relaxed)) {
      slot.verdict = verdict;
      slot.ready.store(true, std::memory_order_release);  // pairs with FindKept
      return true;
    }
    if (owner == verdict.real) {
      return false;
    }
  }
  return false;
}

// --- may this RocksDB have the plugin? ---

// Why not, for the one line about it.
struct Reason {
  char text[1600] = "";

  [[gnu::format(printf, 2, 3)]] void Set(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
  }
};

bool HasOurVersion(const Object& rocksdb, Reason* reason) {
  void* const function = rocksdb.Find(kVersionSymbol);
  if (function == nullptr && rocksdb.Find(kForeignVersionSymbol) != nullptr) {
    reason->Set(
        "%s was built with another C++ standard library than the plugin (libc++, or the old ABI of "
        "libstdc++); build bloom_lfs with that one",
        rocksdb.Name());
    return false;
  }
  char version[32] = "of unknown version";
  if (function != nullptr) {
    const ShortString text = reinterpret_cast<ShortString (*)(bool)>(function)(false);
    std::snprintf(version, sizeof(version), "%.*s", static_cast<int>(text.size), text.data);
  }
  if (std::strcmp(version, kOurRocksDB) == 0) {
    return true;
  }
  reason->Set("%s is RocksDB %s, the plugin is built for %s; build bloom_lfs for that version",
              rocksdb.Name(), version, kOurRocksDB);
  return false;
}

// The plugin would bring in a second RocksDB beside any other one.
bool IsTheSharedLibrary(const Object& rocksdb, DefaultFunction real, Reason* reason) {
  if (FindInLoaded(BLOOM_LFS_ROCKSDB_SONAME, kDefaultSymbol) == reinterpret_cast<void*>(real)) {
    return true;
  }
  reason->Set(
      "%s is not the " BLOOM_LFS_ROCKSDB_SONAME
      " that the plugin is linked to; link the program to that one, or build this RocksDB with "
      "ROCKSDB_PLUGINS=bloom_lfs",
      rocksdb.Name());
  return false;
}

PluginFunction LoadPlugin(DefaultFunction real, Reason* reason) {
  // A program may be linked to the plugin itself, and to another copy of the file than ours.
  if (IsLoaded(kPluginFile)) {
    if (void* const found = FindInLoaded(kPluginFile, kPluginSymbol)) {
      return reinterpret_cast<PluginFunction>(found);
    }
  }
  char path[PATH_MAX];
  if (!PathBesideUs(kPluginFile, path, sizeof(path))) {
    reason->Set("it is not known where libbloom_lfs.so is; preload it by an absolute path");
    return nullptr;
  }
  // Never unloaded: the FileSystem is handed out for good. RTLD_NOW: what does not fit together
  // fails here, and not in the middle of the service.
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* const error = dlerror();
    reason->Set("%s; %s", error, RemedyOfLoadError(error, access(path, F_OK) == 0));
    return nullptr;
  }
  void* const found = dlsym(handle, kPluginSymbol);
  if (found == nullptr || dlsym(handle, kDefaultSymbol) != reinterpret_cast<void*>(real)) {
    reason->Set("%s is of another build than libbloom_lfs.so; install both from one build", path);
    return nullptr;
  }
  return reinterpret_cast<PluginFunction>(found);
}

}  // namespace

Verdict Judge(DefaultFunction real) {
  if (const Verdict* kept = FindKept([=](const Verdict& each) { return each.real == real; })) {
    return *kept;
  }
  const Object rocksdb = Object::Of(reinterpret_cast<const void*>(real));
  Verdict verdict = {real, nullptr, false, rocksdb.begin(), rocksdb.end()};
  Reason reason;
  // A RocksDB that was built with ROCKSDB_PLUGINS=bloom_lfs brings the plugin along.
  verdict.plugin = reinterpret_cast<PluginFunction>(rocksdb.Find(kPluginSymbol));
  if (verdict.plugin == nullptr && HasOurVersion(rocksdb, &reason) &&
      IsTheSharedLibrary(rocksdb, real, &reason)) {
    verdict.plugin = LoadPlugin(real, &reason);
  }
  verdict.fits = verdict.plugin != nullptr;
  if (verdict.fits) {
    ComputeChecksumsOurselves(rocksdb.Find(kNameOfChecksumSymbol));
  }
  const Wish wish = ReadWish();
  if (wish != Wish::kDefault) {
    verdict.plugin = nullptr;
  }
  // What was found out about a library that has gone would be taken for another in its place.
  if (KeepLoaded(reinterpret_cast<const void*>(real)) && Keep(verdict)) {
    if (!verdict.fits) {
      Say("not in use, RocksDB keeps its stock FileSystem: %s", reason.text);
    } else if (wish == Wish::kUnclear) {
      Say("BLOOM_LFS_DEFAULT=%s is not understood, the default FileSystem stays the stock one; set "
          "it to 1 or 0",
          std::getenv("BLOOM_LFS_DEFAULT"));
    }
  }
  return verdict;
}

void* FindInPlugin(const void* rocksdb, const char* symbol) {
  void* const found = Object::Of(rocksdb).Find(symbol);
  return found != nullptr ? found : FindInLoaded(kPluginFile, symbol);
}

const Verdict* FindVerdictAt(const void* caller) {
  const auto address = reinterpret_cast<uintptr_t>(caller);
  return FindKept([=](const Verdict& each) { return address >= each.begin && address < each.end; });
}

}  // namespace bloom_lfs::loader
