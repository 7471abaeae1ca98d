// What the plugin says on standard error.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {

// From its birth to Text(), standard error is a log file, put there as programs do it.
class CapturedStandardError {
 public:
  CapturedStandardError() : before_(dup(STDERR_FILENO)) {
    const int log = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    dup2(log, STDERR_FILENO);
    close(log);
  }
  ~CapturedStandardError() { (void)Text(); }
  CapturedStandardError(const CapturedStandardError&) = delete;
  CapturedStandardError& operator=(const CapturedStandardError&) = delete;

  std::string Text() {
    if (before_ >= 0) {
      dup2(before_, STDERR_FILENO);
      close(before_);
      before_ = -1;
    }
    return ReadFile(path_);
  }

 private:
  const TempDir directory_;
  const std::string path_ = directory_ / "log";
  int before_;
};

}  // namespace bloom_lfs::test
