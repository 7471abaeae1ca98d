// How a program comes by its RocksDB, read from its ELF file: will preloading reach it?
#pragma once

#include <string>
#include <vector>

#include "lss/base/status.h"

namespace bloom_lfs::tool {

enum class RocksDbLinkage {
  kShared,    // librocksdb.so, by itself or by a library that it is linked to
  kExported,  // part of the program, with symbols that others see
  kHidden,    // part of the program, and nobody else's business
  kNone,      // none that its file tells of
};

struct ProgramLinkage {
  std::string path;
  RocksDbLinkage rocksdb = RocksDbLinkage::kNone;
  std::string soname;            // kShared: "librocksdb.so.7.8"
  std::string file;              // kShared: the library's own name; empty: it was not found
  std::string version;           // kShared: "7.8.3", as that name says; empty: it does not
  bool has_typeinfo = false;     // kShared: it was built with RTTI
  std::string through;           // kShared: the library that is linked to it; empty: the program is
  bool is_static = false;        // no dynamic linker starts it: nothing can be preloaded
  bool other_machine = false;    // another processor or word size than this program's
  bool other_c_library = false;  // musl
  bool gets_privileges = false;  // set-uid, set-gid or file capabilities: LD_PRELOAD is ignored
  std::vector<std::string> unfound;  // libraries that it names and that were not found
};

// That a RocksDB without RTTI lacks, and the plugin asks for if it was built for one with it.
inline constexpr char kRocksDbTypeInfo[] = "_ZTIN7rocksdb17FileSystemWrapperE";

// Reads `path` and the libraries that it names; runs nothing. InvalidArgument: that is no ELF
// program, or a damaged one.
lss::Status ReadProgramLinkage(const std::string& path, ProgramLinkage* linkage);

}  // namespace bloom_lfs::tool
