// Files of our own in somebody's directory, gone when we are.
#pragma once

#include <csignal>
#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"

namespace bloom_lfs::tool {

// Keeps the signals that people end programs with (SIGINT, SIGTERM, SIGHUP, SIGQUIT) until this
// goes away; then they take effect. Whoever does anything long asks arrived() and stops early.
//
// Thread safety: for the one thread of the program.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  bool arrived() const;

 private:
  sigset_t held_ = {};
  sigset_t before_ = {};
};

class PrivateFile {
 public:
  enum class Name {
    kNone,  // O_TMPFILE, or unlinked as soon as it is there: the kernel removes it at our end
    kKept,  // until the destructor. REQUIRES: a HeldSignals outlives it
  };
  // An empty file in `directory`, open for reading and writing.
  static lss::Status Create(const std::string& directory, Name name,
                            std::unique_ptr<PrivateFile>* result);
  ~PrivateFile();
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  int fd() const { return fd_.get(); }
  // The descriptor becomes the caller's; a name stays ours to remove.
  lss::UniqueFd TakeFd() { return std::move(fd_); }
  const std::string& directory() const { return directory_; }
  // Whether the file system made it without a name.
  bool was_nameless() const { return was_nameless_; }

 private:
  explicit PrivateFile(std::string directory) : directory_(std::move(directory)) {}
  lss::Status CreateNamed(Name name);

  const std::string directory_;
  lss::UniqueFd fd_;
  std::string path_;  // empty: it has no name
  bool was_nameless_ = false;
};

// Which kind of file a sync costs the same of as of a log, by f_type of statfs(2). F2FS writes a
// checkpoint for every sync of a file without exactly one name.
PrivateFile::Name NameForTrueCosts(uint64_t file_system_type);

}  // namespace bloom_lfs::tool
