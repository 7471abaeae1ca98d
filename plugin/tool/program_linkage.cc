#include "plugin/tool/program_linkage.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

#include "lss/base/posix_file.h"
#include "plugin/tool/elf_file.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

constexpr char kRocksDbFile[] = "librocksdb.so";
// What the loader looks for, too: rocksdb::FileSystem::Default().
constexpr char kRocksDbSymbol[] = "_ZN7rocksdb10FileSystem7DefaultEv";
// Every RocksDB names its figures.
constexpr char kRocksDbText[] = "rocksdb.block.cache.miss";
constexpr size_t kLibrariesMax = 1024;

std::string WithOrigin(std::string path, const std::string& object) {
  for (const std::string& word : {std::string("$ORIGIN"), std::string("${ORIGIN}")}) {
    const size_t at = path.find(word);
    if (at != std::string::npos) {
      path.replace(at, word.size(), lss::DirectoryOf(object));
    }
  }
  return path;
}

// Where the dynamic linker looks for libraries of this program, as it says itself.
std::vector<std::string> OwnDirectories() {
  std::vector<std::string> directories;
  Dl_serinfo size = {};
  void* const self = dlopen(nullptr, RTLD_LAZY);
  if (self != nullptr && dlinfo(self, RTLD_DI_SERINFOSIZE, &size) == 0) {
    const std::unique_ptr<void, decltype(&std::free)> memory(std::calloc(1, size.dls_size),
                                                             &std::free);
    auto* const info = static_cast<Dl_serinfo*>(memory.get());
    if (info != nullptr && dlinfo(self, RTLD_DI_SERINFOSIZE, info) == 0 &&
        dlinfo(self, RTLD_DI_SERINFO, info) == 0) {
      for (unsigned i = 0; i < info->dls_cnt; ++i) {
        directories.emplace_back(info->dls_serpath[i].dls_name);
      }
    }
  }
  return directories;
}

// LD_LIBRARY_PATH and the system's: what of that is not said by this program's own file. And where
// Debian's cache looks, too.
std::vector<std::string> SystemDirectories() {
  std::vector<std::string> directories = OwnDirectories();
  std::error_code error;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::unique_ptr<ElfFile> self;
  if (!error && ElfFile::Open(path, &self).ok()) {
    for (const std::string& own : self->search_paths().runpath) {
      const auto found = std::find(directories.begin(), directories.end(), WithOrigin(own, path));
      if (found != directories.end()) {
        directories.erase(found);
      }
    }
  }
  directories.emplace_back("/usr/local/lib");
  return directories;
}

// "7.8.3" of "librocksdb.so.7.8.3"; empty without a patch level.
std::string VersionIn(const std::string& name) {
  const std::string version = name.compare(0, sizeof(kRocksDbFile) - 1, kRocksDbFile) == 0
                                  ? name.substr(std::min(name.size(), sizeof(kRocksDbFile)))
                                  : "";
  return std::count(version.begin(), version.end(), '.') == 2 ? version : "";
}

class LibraryWalk {
 public:
  explicit LibraryWalk(ProgramLinkage* linkage) : linkage_(linkage) {}

  // From the program down, each library once.
  void Run(std::unique_ptr<ElfFile> program);

 private:
  void LookAt(const ElfFile& object, bool is_program);
  // What the library of RocksDB says that `object` asks for by that name.
  void NoteLibrary(const std::string& name, const ElfFile& object);
  std::unique_ptr<ElfFile> Find(const std::string& name, const ElfFile& object) const;
  std::unique_ptr<ElfFile> FindIn(const std::vector<std::string>& directories,
                                  const std::string& name, const std::string& origin) const;

  ProgramLinkage* const linkage_;
  const std::vector<std::string> system_ = SystemDirectories();
  std::string program_path_;
  std::vector<std::string> program_rpath_;
  std::set<std::string> seen_;
  std::deque<std::unique_ptr<ElfFile>> waiting_;
};

std::unique_ptr<ElfFile> LibraryWalk::FindIn(const std::vector<std::string>& directories,
                                             const std::string& name,
                                             const std::string& origin) const {
  for (const std::string& directory : directories) {
    std::unique_ptr<ElfFile> found;
    if (ElfFile::Open(WithOrigin(directory, origin) + "/" + name, &found).ok() &&
        found->fits_this_process()) {
      return found;
    }
  }
  return nullptr;
}

std::unique_ptr<ElfFile> LibraryWalk::Find(const std::string& name, const ElfFile& object) const {
  if (name.find('/') != std::string::npos) {
    std::unique_ptr<ElfFile> found;
    return ElfFile::Open(name, &found).ok() ? std::move(found) : nullptr;
  }
  std::unique_ptr<ElfFile> found = FindIn(object.search_paths().rpath, name, object.path());
  if (found == nullptr) {
    found = FindIn(program_rpath_, name, program_path_);
  }
  // What LD_LIBRARY_PATH says to this program is among the system's.
  if (found == nullptr) {
    found = FindIn(object.search_paths().runpath, name, object.path());
  }
  return found != nullptr ? std::move(found) : FindIn(system_, name, object.path());
}

void LibraryWalk::LookAt(const ElfFile& object, bool is_program) {
  const auto take = [&](RocksDbLinkage rocksdb, const std::string& soname) {
    // What is found first counts more, and a shared one more than a hidden one.
    const bool better =
        linkage_->rocksdb == RocksDbLinkage::kNone ||
        (linkage_->rocksdb == RocksDbLinkage::kHidden && rocksdb != RocksDbLinkage::kHidden);
    if (better) {
      linkage_->rocksdb = rocksdb;
      linkage_->soname = soname;
      linkage_->through = is_program ? "" : object.path();
    }
  };
  if (object.Exports(kRocksDbSymbol)) {
    take(RocksDbLinkage::kExported, "");
  }
  for (const std::string& name : object.needed()) {
    if (name.compare(0, sizeof(kRocksDbFile) - 1, kRocksDbFile) == 0 &&
        linkage_->rocksdb != RocksDbLinkage::kShared) {
      take(RocksDbLinkage::kShared, name);
      NoteLibrary(name, object);
    }
  }
  if (linkage_->rocksdb == RocksDbLinkage::kNone &&
      (object.Contains(kRocksDbSymbol) || object.HasBytes(kRocksDbText))) {
    take(RocksDbLinkage::kHidden, "");
  }
}

void LibraryWalk::NoteLibrary(const std::string& name, const ElfFile& object) {
  const std::unique_ptr<ElfFile> library = Find(name, object);
  if (linkage_->rocksdb != RocksDbLinkage::kShared || library == nullptr) {
    return;
  }
  std::error_code error;
  const std::string real = std::filesystem::canonical(library->path(), error).string();
  linkage_->file = error ? library->path() : real;
  linkage_->version = VersionIn(lss::BaseNameOf(linkage_->file));
  linkage_->has_typeinfo = library->Exports(kRocksDbTypeInfo);
}

void LibraryWalk::Run(std::unique_ptr<ElfFile> program) {
  program_path_ = program->path();
  program_rpath_ = program->search_paths().rpath;
  waiting_.push_back(std::move(program));
  bool is_program = true;
  while (!waiting_.empty() && seen_.size() < kLibrariesMax) {
    const std::unique_ptr<ElfFile> object = std::move(waiting_.front());
    waiting_.pop_front();
    LookAt(*object, is_program);
    is_program = false;
    for (const std::string& name : object->needed()) {
      if (name.compare(0, sizeof(kRocksDbFile) - 1, kRocksDbFile) == 0 ||
          !seen_.insert(name).second) {
        continue;
      }
      if (std::unique_ptr<ElfFile> library = Find(name, *object)) {
        waiting_.push_back(std::move(library));
      } else {
        linkage_->unfound.push_back(name);
      }
    }
  }
}

bool GetsPrivileges(const std::string& path) {
  struct stat st = {};
  const bool sets_id =
      stat(path.c_str(), &st) == 0 &&
      ((st.st_mode & S_ISUID) != 0 || (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP));
  return sets_id || getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

}  // namespace

Status ReadProgramLinkage(const std::string& path, ProgramLinkage* linkage) {
  // $ORIGIN is where the file is, and not a link to it.
  std::error_code error;
  const std::string real = std::filesystem::canonical(path, error).string();
  std::unique_ptr<ElfFile> program;
  if (Status status = ElfFile::Open(error ? path : real, &program); !status.ok()) {
    return status;
  }
  *linkage = {};
  linkage->path = path;
  linkage->gets_privileges = GetsPrivileges(path);
  linkage->other_machine = !program->fits_this_process();
  linkage->is_static = program->interpreter().empty() && program->needed().empty();
  linkage->other_c_library = program->interpreter().find("ld-musl") != std::string::npos;
  LibraryWalk(linkage).Run(std::move(program));
  return Status::Ok();
}

}  // namespace bloom_lfs::tool
