// Recovery, interrupted: killed before every system call that changes something, or in the middle
// of a write; or told by that call that it failed. What was promised is readable all the time, and
// the next run comes to the same end.
//
// The system calls are interposed: this program's definitions stand in front of the C library's.
// Syncs are only noted: no power fails here.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "lss/recovery/recovery.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/line_scanner.h"
#include "tests/support/temp_dir.h"

namespace {

// What is to happen at which changing call, counted from 0.
struct Script {
  bool armed = false;
  int at = -1;
  enum { kKill, kKillMidway, kFail, kShort } what = kKill;
  int error_number = EIO;
  int count = 0;
  std::vector<std::string> names;
};
Script g_script;

// Notes the call. True: it fails with errno set.
bool Interfere(const char* name) {
  if (!g_script.armed) {
    return false;
  }
  g_script.names.emplace_back(name);
  if (g_script.count++ != g_script.at) {
    return false;
  }
  if (g_script.what == Script::kKill) {
    kill(getpid(), SIGKILL);
  }
  errno = g_script.error_number;
  return g_script.what == Script::kFail;
}

bool IsNext(int what) {
  return g_script.armed && g_script.at == g_script.count - 1 && g_script.what == what;
}

}  // namespace

extern "C" {
// Recovery writes one piece at a time.
ssize_t pwrite(int fd, const void* bytes, size_t n, off_t offset) {
  if (Interfere("write")) {
    return -1;
  }
  if (IsNext(Script::kKillMidway) || IsNext(Script::kShort)) {
    n = (n + 1) / 2;
  }
  const ssize_t result = syscall(SYS_pwrite64, fd, bytes, n, offset);
  if (IsNext(Script::kKillMidway)) {
    kill(getpid(), SIGKILL);
  }
  return result;
}
int fdatasync(int) { return Interfere("sync") ? -1 : 0; }
int ftruncate(int fd, off_t size) noexcept {
  return Interfere("truncate") ? -1 : static_cast<int>(syscall(SYS_ftruncate, fd, size));
}
int unlink(const char* path) noexcept {
  return Interfere("unlink") ? -1 : static_cast<int>(syscall(SYS_unlink, path));
}
int rename(const char* from, const char* to) noexcept {
  return Interfere("rename") ? -1 : static_cast<int>(syscall(SYS_rename, from, to));
}
int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept {
  return Interfere("rename")
             ? -1
             : static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
}
int link(const char* from, const char* to) noexcept {
  return Interfere("link") ? -1 : static_cast<int>(syscall(SYS_link, from, to));
}
int rmdir(const char* path) noexcept {
  return Interfere("rmdir") ? -1 : static_cast<int>(syscall(SYS_rmdir, path));
}
}

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using test::DeadLog;
using test::Exists;
using test::ReadLog;
using test::Stream;

struct Situation {
  const char* name;
  DeadLog log;
  bool restarted = false;
  std::string result;  // the file in the end
  std::vector<std::string> steps;
};

std::vector<Situation> Situations() {
  std::vector<Situation> all(5);
  all[0].name = "killed";
  all[0].log.buffer_count = 150;
  all[0].log.stream = Stream(540000);
  all[0].log.hi_stable = 5000;
  all[0].log.behind = std::string(64 << 10, '\0');
  all[0].steps = {"write", "write", "write", "sync", "truncate", "sync", "unlink", "rmdir"};
  all[1].name = "killed within an append larger than the ring";
  all[1].log.stream = Stream(60000);
  all[1].log.hi_stable = 50000;
  all[1].log.committed = 5000;
  all[1].steps = {"sync", "truncate", "sync", "unlink", "rmdir"};
  all[2].name = "closed";
  all[2].log.stream = Stream(6000);
  all[2].log.hi_stable = 6000;
  all[2].log.state = RingState::kClosed;
  all[2].steps = {"sync", "unlink", "rmdir"};
  all[3].name = "machine down";
  all[3].log.stream = "one\ntwo\nthr";
  all[3].log.hi_stable = 11;
  all[3].log.behind = std::string(5000, '\0');
  all[3].restarted = true;
  all[3].steps = {"sync", "truncate", "sync", "unlink", "rmdir"};
  all[4].name = "file gone on by somebody else";
  all[4].log.stream = Stream(6000);
  all[4].log.hi_stable = 3000;
  all[4].log.behind = Stream(100, 2);
  all[4].result = all[4].log.File();
  all[4].steps = {"sync", "rename", "rmdir"};
  for (Situation& situation : all) {
    if (situation.restarted) {
      situation.result = "one\ntwo\n";
    } else if (situation.result.empty()) {
      situation.result = situation.log.Promised();
    }
  }
  return all;
}

class Patient {
 public:
  explicit Patient(const Situation& situation) : situation_(situation) {
    ring_ = situation.log.MakeAt(log_);
    if (situation.restarted) {
      test::RestartMachine(ring_);
    }
  }
  Status Recover() {
    std::vector<RecoveredFile> recovered;
    return lss::Recover(rings_, {log_}, {test::ScanLines, {}, nullptr}, &recovered);
  }
  // Recovers in a process of its own under `script`. Returns whether that lived to the end.
  bool RecoverInChild(const Script& script) {
    const pid_t child = fork();
    if (child == 0) {
      g_script = script;
      g_script.armed = true;
      _exit(Recover().ok() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
  }
  // In this process; the calls it made are in g_script.names afterwards.
  Status RecoverHere(const Script& script) {
    g_script = script;
    g_script.armed = true;
    const Status status = Recover();
    g_script.armed = false;
    return status;
  }
  // Between two runs a reader must see no less and no more than at the end.
  void ExpectReadable() {
    const test::Reading reading = ReadLog(log_, ring_, {test::ScanLines, {}, nullptr});
    EXPECT_TRUE(reading.status.ok()) << reading.status.ToString();
    EXPECT_TRUE(reading.bytes == situation_.result) << reading.bytes.size() << " bytes";
  }
  void ExpectRecovered() {
    const Status status = Recover();
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_TRUE(ReadFile(log_) == situation_.result) << ReadFile(log_).size() << " bytes";
    EXPECT_FALSE(Exists(ring_));
  }
  const std::string& ring() const { return ring_; }

 private:
  const Situation situation_;
  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / kRingDirectoryName;
  std::string ring_;
};

Script At(int step, decltype(Script::what) what, int error_number = EIO) {
  Script script;
  script.at = step;
  script.what = what;
  script.error_number = error_number;
  return script;
}

// Bytes, then the exact length, each synced; only then the ring.
TEST(RecoverySteps, RingGoesOnlyAfterBytesAndLengthAreSynced) {
  for (const Situation& situation : Situations()) {
    SCOPED_TRACE(situation.name);
    Patient patient(situation);
    EXPECT_TRUE(patient.RecoverHere(Script()).ok());
    EXPECT_EQ(g_script.names, situation.steps);
    patient.ExpectRecovered();
  }
}

TEST(RecoverySteps, KilledBeforeAnyStepTheNextRunComesToTheSameEnd) {
  for (const Situation& situation : Situations()) {
    for (int step = 0; step < static_cast<int>(situation.steps.size()); ++step) {
      for (const auto what : {Script::kKill, Script::kKillMidway}) {
        SCOPED_TRACE(std::string(situation.name) + ", step " + std::to_string(step));
        if (what == Script::kKillMidway && situation.steps[static_cast<size_t>(step)] != "write") {
          continue;
        }
        Patient patient(situation);
        EXPECT_FALSE(patient.RecoverInChild(At(step, what)));
        patient.ExpectReadable();
        patient.ExpectRecovered();
      }
    }
  }
}

TEST(RecoverySteps, KilledTwiceTheThirdRunComesToTheSameEnd) {
  for (const Situation& situation : Situations()) {
    const int steps = static_cast<int>(situation.steps.size());
    for (int first = 0; first < steps; ++first) {
      for (const int second : {0, first, steps - 1}) {
        SCOPED_TRACE(std::string(situation.name) + ", steps " + std::to_string(first) + ", " +
                     std::to_string(second));
        Patient patient(situation);
        EXPECT_FALSE(patient.RecoverInChild(At(first, Script::kKill)));
        (void)patient.RecoverInChild(At(second, Script::kKill));
        patient.ExpectReadable();
        patient.ExpectRecovered();
      }
    }
  }
}

TEST(RecoverySteps, FailedStepIsReportedAndTheRingStaysForTheNextRun) {
  for (const Situation& situation : Situations()) {
    for (int step = 0; step < static_cast<int>(situation.steps.size()); ++step) {
      const std::string name = situation.steps[static_cast<size_t>(step)];
      SCOPED_TRACE(std::string(situation.name) + ", step " + std::to_string(step) + ", " + name);
      Patient patient(situation);
      const Status status = patient.RecoverHere(At(step, Script::kFail, ENOSPC));
      if (name == "rmdir" || name == "rename") {
        EXPECT_TRUE(status.ok()) << "harmless: " << status.ToString();
      } else {
        EXPECT_EQ(status.code(), Status::Code::kNoSpace) << status.ToString();
        EXPECT_TRUE(Exists(patient.ring()));
      }
      patient.ExpectReadable();
      patient.ExpectRecovered();
    }
  }
}

TEST(RecoverySteps, ShortAndInterruptedWritesAreFinished) {
  const Situation situation = Situations()[0];
  for (const auto& script : {At(1, Script::kShort), At(1, Script::kFail, EINTR)}) {
    Patient patient(situation);
    EXPECT_TRUE(patient.RecoverHere(script).ok());
    EXPECT_EQ(g_script.names.size(), situation.steps.size() + 1);
    patient.ExpectReadable();
    patient.ExpectRecovered();
  }
}

}  // namespace
}  // namespace lss
