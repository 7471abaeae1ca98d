// bloom_lfs doctor, ended by signals: nothing is left behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "plugin/tool/doctor_costs.h"
#include "plugin/tool/doctor_file.h"
#include "tests/support/child_process.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

class DoctorEndedTest : public testing::Test {
 protected:
  DoctorEndedTest() { fs::create_directory(place_); }
  ~DoctorEndedTest() override { EXPECT_TRUE(fs::is_empty(place_)) << "something is left behind"; }

  TempDir dir_;
  const std::string place_ = dir_ / "place";
};

// args: the directory, flags. Becomes the tool.
int ToolMain(std::vector<std::string> args) {
  std::vector<char*> words = {const_cast<char*>("bloom_lfs"), const_cast<char*>("doctor")};
  for (std::string& each : args) {
    words.push_back(each.data());
  }
  words.push_back(nullptr);
  execv(BLOOM_LFS_TOOL, words.data());
  return 127;
}
const RegisterChild kTool("tool", ToolMain);

bool Await(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 2000; ++tries) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// Files in `place` that the process has open.
bool HasOpenIn(pid_t pid, const std::string& place) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    const fs::path target = fs::read_symlink(entry.path(), error);
    if (!error && target.string().find(fs::canonical(place).string() + "/") == 0) {
      return true;
    }
  }
  return false;
}

TEST_F(DoctorEndedTest, LeavesNothingWhenItIsEnded) {
  for (const int signal : {SIGTERM, SIGINT, SIGKILL}) {
    ChildProcess child("tool", {place_});
    ASSERT_TRUE(Await([&] { return HasOpenIn(child.pid(), place_); }));
    kill(child.pid(), signal);
    EXPECT_EQ(child.Wait(), 128 + signal);
    EXPECT_TRUE(fs::is_empty(place_)) << strsignal(signal);
  }
}

// args: the directory. The same where every file has a name to begin with.
int WithoutNamelessMain(const std::vector<std::string>& args) {
  lss::test::RefuseSystemCallWithBits(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP);
  return ToolMain(args);
}
const RegisterChild kWithoutNameless("without nameless", WithoutNamelessMain);

TEST_F(DoctorEndedTest, LeavesNothingWhereNoFileIsNameless) {
  ChildProcess child("without nameless", {place_});
  ASSERT_TRUE(Await([&] { return HasOpenIn(child.pid(), place_); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // not between its two calls
  child.Kill();
  EXPECT_TRUE(fs::is_empty(place_));
}

// args: the directory. Measures in files that have names, as on F2FS.
int NamedMain(const std::vector<std::string>& args) {
  const tool::HeldSignals signals;
  tool::CostPlan plan;
  plan.name = tool::PrivateFile::Name::kKept;
  plan.rounds = 1000;
  plan.most = std::chrono::seconds(60);
  plan.stopped = [&signals] { return signals.arrived(); };
  tool::CostFacts costs;
  return tool::MeasureCosts(args.at(0), plan, &costs).ok() ? 0 : 1;
}
const RegisterChild kNamed("named", NamedMain);

TEST_F(DoctorEndedTest, FilesHaveNamesOnF2fsAlone) {
  EXPECT_EQ(tool::NameForTrueCosts(F2FS_SUPER_MAGIC), tool::PrivateFile::Name::kKept);
  EXPECT_EQ(tool::NameForTrueCosts(EXT4_SUPER_MAGIC), tool::PrivateFile::Name::kNone);
  EXPECT_EQ(tool::NameForTrueCosts(BTRFS_SUPER_MAGIC), tool::PrivateFile::Name::kNone);
}

TEST_F(DoctorEndedTest, RemovesFilesThatHaveNamesWhenItIsEnded) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    ChildProcess child("named", {place_});
    ASSERT_TRUE(Await([&] { return !fs::is_empty(place_); }));
    kill(child.pid(), signal);
    EXPECT_EQ(child.Wait(), 128 + signal);
    EXPECT_TRUE(fs::is_empty(place_)) << strsignal(signal);
  }
}

// args: the directory. As under nohup.
int IgnoringMain(const std::vector<std::string>& args) {
  signal(SIGHUP, SIG_IGN);
  return ToolMain({args.at(0), "--quick"});
}
const RegisterChild kIgnoring("ignoring", IgnoringMain);

TEST_F(DoctorEndedTest, AnIgnoredHangUpEndsNothing) {
  ChildProcess child("ignoring", {place_});
  ASSERT_TRUE(Await([&] { return HasOpenIn(child.pid(), place_); }));
  kill(child.pid(), SIGHUP);
  const int code = child.Wait();
  EXPECT_TRUE(code == 0 || code == 1) << code;
}

}  // namespace
}  // namespace bloom_lfs::test
