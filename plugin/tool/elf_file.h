// What the dynamic linker would read in an ELF file, by libelf. Damaged files are errors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"

struct Elf;

namespace bloom_lfs::tool {

struct ElfSearchPaths {
  std::vector<std::string> rpath;    // DT_RPATH, without $ORIGIN resolved
  std::vector<std::string> runpath;  // DT_RUNPATH
};

// Thread safety: none.
class ElfFile {
 public:
  // InvalidArgument: no ELF program or library, or a damaged one.
  static lss::Status Open(const std::string& path, std::unique_ptr<ElfFile>* result);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::string& path() const { return path_; }
  // Whether this process could load it: processor, word size, byte order.
  bool fits_this_process() const;
  // The dynamic linker that starts it; empty if none does.
  const std::string& interpreter() const { return interpreter_; }
  bool has_dynamic_section() const { return has_dynamic_section_; }
  const std::vector<std::string>& needed() const { return needed_; }
  const ElfSearchPaths& search_paths() const { return search_paths_; }

  // Whether it defines `symbol` for others to see, or at all as far as its tables tell.
  bool Exports(const std::string& symbol) const { return Defines(symbol, /*dynamic=*/true); }
  bool Contains(const std::string& symbol) const { return Defines(symbol, /*dynamic=*/false); }
  // Whether these bytes are anywhere in it.
  bool HasBytes(const std::string& bytes) const;

 private:
  explicit ElfFile(std::string path) : path_(std::move(path)) {}
  lss::Status ReadHeaders();
  lss::Status ReadDynamic(uint64_t offset, uint64_t bytes);
  lss::Status ReadInterpreter(uint64_t offset, uint64_t bytes);
  bool FindOffset(uint64_t address, uint64_t* offset) const;
  bool Defines(const std::string& symbol, bool dynamic) const;
  lss::Status Damaged(const char* what) const;

  struct Close {
    void operator()(Elf* elf) const;
  };
  const std::string path_;
  lss::UniqueFd fd_;
  std::unique_ptr<Elf, Close> elf_;
  std::string interpreter_;
  bool has_dynamic_section_ = false;
  std::vector<std::string> needed_;
  ElfSearchPaths search_paths_;
};

}  // namespace bloom_lfs::tool
