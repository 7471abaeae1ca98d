// The set-up of tests that recover a directory of several logs.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "lss/recovery/ring_directory.h"
#include "plugin/directory_recovery.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {

using lss::Status;
using lss::test::DeadLog;
using lss::test::Stream;

class DirectoryRecoveryTest : public testing::Test {
 protected:
  std::string Log(uint64_t number) const {
    std::string name = std::to_string(number);
    return dir_ / std::string(6 - name.size(), '0') + name + ".log";
  }
  // A killed writer's log: half of its bytes are in the ring only.
  static DeadLog Unwritten(uint32_t seed) {
    DeadLog log;
    log.stream = Stream(6000, seed);
    log.hi_stable = 3000;
    return log;
  }
  Status Recover() { return RecoverDirectory(dir_.path()); }
  void ExpectRecovered(const std::string& path, const DeadLog& log) {
    EXPECT_TRUE(ReadFile(path) == log.Promised()) << path << " has " << ReadFile(path).size();
  }

  TempDir dir_;
  const std::string rings_ = dir_ / lss::kRingDirectoryName;
};

}  // namespace bloom_lfs::test
