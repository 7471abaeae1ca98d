// The set-up of the recovery tests: one log, its ring, and a record of what recovery said.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lss/recovery/recovery.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/line_scanner.h"
#include "tests/support/temp_dir.h"

namespace lss::test {

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() {
    context_.warn = [this](const std::string& line) { warnings_.push_back(line); };
    context_.scan = ScanLines;
  }

  std::string Make(const DeadLog& log) { return ring_ = log.MakeAt(log_); }

  Status Run() {
    recovered_.clear();
    return Recover(rings_, candidates_, context_, &recovered_);
  }
  // Runs recovery and returns the one case that it met.
  RingCase Case() {
    const Status status = Run();
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(recovered_.size(), 1U);
    return recovered_.empty() ? RingCase::kR2OwnerAlive : recovered_[0].ring_case;
  }
  // What a reader gets; also checks that looking changes nothing.
  Reading Look() {
    using bloom_lfs::test::ListTree;
    const bloom_lfs::test::Tree before = ListTree(dir_.path());
    Reading reading = ReadLog(log_, ring_, context_);
    EXPECT_EQ(bloom_lfs::test::Difference(before, ListTree(dir_.path())), "");
    return reading;
  }
  void ExpectRingGone() { EXPECT_FALSE(Exists(rings_)) << "the last ring takes its directory"; }
  void ExpectSetAside() {
    EXPECT_EQ(Names(rings_), std::vector<std::string>{BaseName(ring_) + kAsideSuffix});
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find(ring_), std::string::npos) << "names the file: " << warnings_[0];
  }
  static std::string BaseName(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
  }

  bloom_lfs::test::TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / kRingDirectoryName;
  std::vector<std::string> candidates_ = {log_};
  std::string ring_;
  RecoveryContext context_;
  std::vector<RecoveredFile> recovered_;
  std::vector<std::string> warnings_;
};

}  // namespace lss::test
