#include "plugin/loader/objects.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/param.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bloom_lfs::loader {
namespace {

char g_own_path[PATH_MAX];

struct RangeSearch {
  uintptr_t address;
  uintptr_t begin;
  uintptr_t end;
};

int FindRange(dl_phdr_info* info, size_t /*bytes*/, void* argument) {
  auto* const search = static_cast<RangeSearch*>(argument);
  uintptr_t begin = UINTPTR_MAX;
  uintptr_t end = 0;
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type == PT_LOAD) {
      const uintptr_t from = info->dlpi_addr + header.p_vaddr;
      begin = from < begin ? from : begin;
      end = from + header.p_memsz > end ? from + header.p_memsz : end;
    }
  }
  if (search->address < begin || search->address >= end) {
    return 0;
  }
  search->begin = begin;
  search->end = end;
  return 1;
}

const char* FileNameOf(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

int HasFileName(dl_phdr_info* info, size_t /*bytes*/, void* file) {
  return std::strcmp(FileNameOf(info->dlpi_name), static_cast<const char*>(file)) == 0 ? 1 : 0;
}

// A symbol that is not there leaves an error behind, which is nobody's business.
void* Quietly(void* found) {
  if (found == nullptr) {
    dlerror();
  }
  return found;
}

// This library or another copy of it.
bool IsALoader(const void* address) {
  return IsOurs(address) ||
         std::strcmp(FileNameOf(Object::Of(address).Name()), "libbloom_lfs.so") == 0;
}

}  // namespace

Object Object::Of(const void* address) {
  Object object;
  Dl_info info = {};
  void* map = nullptr;
  if (dladdr1(address, &info, &map, RTLD_DL_LINKMAP) != 0 && map != nullptr) {
    object.path_ = static_cast<const link_map*>(map)->l_name;
  }
  RangeSearch search = {reinterpret_cast<uintptr_t>(address), 0, 0};
  dl_iterate_phdr(FindRange, &search);
  object.begin_ = search.begin;
  object.end_ = search.end;
  return object;
}

const char* Object::Name() const { return IsProgram() ? "the program" : path_; }

void* Object::Find(const char* symbol) const {
  return IsProgram() ? Quietly(dlsym(RTLD_DEFAULT, symbol)) : FindInLoaded(path_, symbol);
}

void* FindInLoaded(const char* soname, const char* symbol) {
  void* const handle = Quietly(dlopen(soname, RTLD_LAZY | RTLD_NOLOAD));
  if (handle == nullptr) {
    return nullptr;
  }
  void* const found = Quietly(dlsym(handle, symbol));
  dlclose(handle);
  return found;
}

bool IsLoaded(const char* file) {
  return dl_iterate_phdr(HasFileName, const_cast<char*>(file)) != 0;
}

void* FindElsewhere(const char* symbol) {
  void* found = Quietly(dlsym(RTLD_DEFAULT, symbol));
  if (found != nullptr && IsALoader(found)) {
    found = Quietly(dlsym(RTLD_NEXT, symbol));
  }
  // Two copies preloaded would otherwise each take the other for RocksDB.
  return found != nullptr && IsALoader(found) ? FindInLoaded(BLOOM_LFS_ROCKSDB_SONAME, symbol)
                                              : found;
}

void* FindRocksDBsOwn(const char* symbol) {
  void* const found = FindElsewhere(symbol);
  return found != nullptr ? found : FindInLoaded(BLOOM_LFS_ROCKSDB_SONAME, symbol);
}

bool KeepLoaded(const void* address) {
  Dl_info info = {};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
    return false;
  }
  if (Object::Of(address).IsProgram()) {
    return true;
  }
  // The handle is kept for good; it would not unload anything anyway.
  return Quietly(dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) != nullptr;
}

bool IsOurs(const void* address) {
  return Object::Of(g_own_path).Contains(reinterpret_cast<uintptr_t>(address));
}

void RememberDirectory() {
  Dl_info info = {};
  if (g_own_path[0] != '\0' || dladdr(g_own_path, &info) == 0 || info.dli_fname == nullptr) {
    return;
  }
  // The file's real path costs system calls in every program that is started, and is asked for by
  // few of them. A relative one cannot wait.
  if (info.dli_fname[0] != '/') {
    char resolved[PATH_MAX];
    if (realpath(info.dli_fname, resolved) != nullptr) {
      std::memcpy(g_own_path, resolved, std::strlen(resolved) + 1);
    }
  } else if (std::strlen(info.dli_fname) < sizeof(g_own_path)) {
    std::memcpy(g_own_path, info.dli_fname, std::strlen(info.dli_fname) + 1);
  }
}

bool PathBesideUs(const char* file, char* path, size_t path_bytes) {
  char resolved[PATH_MAX];
  if (realpath(g_own_path, resolved) == nullptr) {
    return false;
  }
  char* const slash = std::strrchr(resolved, '/');
  const int length = std::snprintf(path, path_bytes, "%.*s/%s", static_cast<int>(slash - resolved),
                                   resolved, file);
  return length > 0 && static_cast<size_t>(length) < path_bytes;
}

}  // namespace bloom_lfs::loader
