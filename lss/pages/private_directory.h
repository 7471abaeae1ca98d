// A directory in memory, of this process and user alone, for what nobody needs after a crash.
//
// Thread safety: Make and the destructor by one thread; Remove from any.
#pragma once

#include <memory>
#include <string>

#include "lss/base/status.h"

namespace lss {

class PrivateDirectory {
 public:
  // In /dev/shm, or where there is none, in /tmp.
  static Status Make(std::unique_ptr<PrivateDirectory>* result);
  // Removes it.
  ~PrivateDirectory() { Remove(); }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  const std::string& path() const { return path_; }
  // With what is in it; files that are open live on without a name, and end with the process.
  void Remove() const;

 private:
  explicit PrivateDirectory(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

}  // namespace lss
