// The proof that an owner lives: taken once, seen by others, not lost by looking, gone with its
// process.
#include "lss/ring/ring_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using Purpose = RingLock::Purpose;

class RingLockTest : public testing::Test {
 protected:
  RingLockTest() {
    bloom_lfs::test::WriteFile(path_, "ring");
    fd_ = Open();
    uint64_t size = 0;
    EXPECT_TRUE(IdentifyFd(fd_.get(), path_, &file_, &size).ok());
  }
  UniqueFd Open(int flags = O_RDWR) const {
    return UniqueFd(open(path_.c_str(), flags | O_CLOEXEC));
  }
  Status Take(Purpose purpose, RingLock* lock) {
    return RingLock::Take(fd_.get(), path_, file_, purpose, lock);
  }
  // Whether another process sees an owner.
  bool SeenElsewhere() const {
    const pid_t child = fork();
    if (child == 0) {
      const UniqueFd fd = Open(O_RDONLY);
      _exit(IsOwnedElsewhere(fd.get(), file_) && !IsOwnedHere(file_) ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
  }

  bloom_lfs::test::TempDir dir_;
  const std::string path_ = dir_ / "a.ring";
  UniqueFd fd_;
  FileIdentity file_;
};

TEST_F(RingLockTest, IsSeenHereAndElsewhereUntilItIsGivenUp) {
  EXPECT_FALSE(IsOwnedHere(file_));
  EXPECT_FALSE(SeenElsewhere());
  {
    RingLock lock;
    ASSERT_TRUE(Take(Purpose::kOwn, &lock).ok());
    EXPECT_TRUE(lock.held());
    EXPECT_TRUE(IsOwnedHere(file_));
    EXPECT_FALSE(IsOwnedElsewhere(fd_.get(), file_));
    EXPECT_TRUE(SeenElsewhere());
  }
  EXPECT_FALSE(IsOwnedHere(file_));
  EXPECT_FALSE(SeenElsewhere());
}

TEST_F(RingLockTest, IsBusyForEverybodyElse) {
  RingLock lock;
  ASSERT_TRUE(Take(Purpose::kOwn, &lock).ok());
  RingLock second;
  const Status here = Take(Purpose::kRecover, &second);
  EXPECT_TRUE(RingLock::IsBusy(here)) << here.ToString();
  EXPECT_FALSE(second.held());
  const pid_t child = fork();
  if (child == 0) {
    const UniqueFd fd = Open();
    RingLock mine;
    _exit(RingLock::IsBusy(RingLock::Take(fd.get(), path_, file_, Purpose::kRecover, &mine)) ? 0
                                                                                             : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// The kernel drops a process's lock with the first descriptor of the file that it closes.
TEST_F(RingLockTest, SurvivesThatThisProcessLooksAtTheFile) {
  RingLock lock;
  ASSERT_TRUE(Take(Purpose::kOwn, &lock).ok());
  for (int i = 0; i < 3; ++i) {
    CloseUnlessLocked(Open(O_RDONLY), file_);
    EXPECT_TRUE(SeenElsewhere());
  }
  lock = RingLock();
  EXPECT_FALSE(SeenElsewhere());
}

TEST_F(RingLockTest, WhoeverRecoversIsNoOwner) {
  RingLock lock;
  ASSERT_TRUE(Take(Purpose::kRecover, &lock).ok());
  EXPECT_FALSE(IsOwnedHere(file_));
  EXPECT_FALSE(IsOwnedElsewhere(fd_.get(), file_));
}

TEST_F(RingLockTest, LocksOfReadersDoNotShow) {
  const pid_t child = fork();
  if (child == 0) {
    const UniqueFd fd = Open(O_RDONLY);
    struct flock whole = {};
    whole.l_type = F_RDLCK;
    if (flock(fd.get(), LOCK_EX) != 0 || fcntl(fd.get(), F_SETLK, &whole) != 0) {
      _exit(1);
    }
    kill(getpid(), SIGSTOP);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_FALSE(IsOwnedElsewhere(fd_.get(), file_));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(RingLockTest, DiesWithItsProcessWhateverItsChildrenDo) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const UniqueFd fd = Open();
    RingLock lock;
    if (!RingLock::Take(fd.get(), path_, file_, Purpose::kOwn, &lock).ok()) {
      _exit(1);
    }
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      pause();
    }
    (void)!write(pipe_fds[1], &grandchild, sizeof(grandchild));
    pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(read(pipe_fds[0], &grandchild, sizeof(grandchild)), ssize_t{sizeof(grandchild)});
  EXPECT_TRUE(IsOwnedElsewhere(fd_.get(), file_));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_FALSE(IsOwnedElsewhere(fd_.get(), file_)) << "the child lives, and has its descriptors";
  kill(grandchild, SIGKILL);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

TEST_F(RingLockTest, TheMutexesAreOnePerFileSystemAndPerDirectory) {
  EXPECT_EQ(RingNamesMutex(7), RingNamesMutex(7));
  EXPECT_NE(RingNamesMutex(7), RingNamesMutex(8));
  EXPECT_EQ(RecoveryMutex(file_), RecoveryMutex(file_));
  EXPECT_NE(RecoveryMutex(file_), RingNamesMutex(file_.device));
}

}  // namespace
}  // namespace lss
