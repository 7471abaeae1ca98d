// A line on standard error hurts nobody. Each case is a program of its own: what counts is what
// descriptor 2 was when it started.
#include "plugin/standard_error.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "lss/base/unique_fd.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::UniqueFd;
using test::ChildProcess;
using test::ReadFile;
using test::RegisterChild;
using test::TempDir;

void Say(const std::string& line) { SayOnStandardError(line.data(), line.size()); }

constexpr int kHung = 77;

// The exit code of a program whose standard error is `fd`; -1: closed.
int RunWith(int fd, const std::string& role, const std::vector<std::string>& args = {}) {
  const int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd >= 0) {
    dup2(fd, STDERR_FILENO);
  } else {
    close(STDERR_FILENO);
  }
  ChildProcess child(role, args);
  dup2(before, STDERR_FILENO);
  close(before);
  for (int i = 0; i < 40000 && child.Running(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return child.Running() ? kHung : child.Wait();
}

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  std::string Read() const {
    char bytes[8192];
    const ssize_t n = read(reader.get(), bytes, sizeof(bytes));
    return n > 0 ? std::string(bytes, static_cast<size_t>(n)) : "";
  }
  UniqueFd reader;
  UniqueFd writer;
};

// Fills it, as others may do while it is somebody's standard error; leaves it blocking.
void FillUp(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  ASSERT_EQ(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
  const std::string bytes(4096, 'x');
  while (write(fd, bytes.data(), bytes.size()) > 0) {
  }
  while (write(fd, bytes.data(), 1) > 0) {
  }
  ASSERT_EQ(fcntl(fd, F_SETFL, flags), 0);
}

const RegisterChild says("says", [](const std::vector<std::string>& args) {
  signal(SIGPIPE, SIG_DFL);  // a program's default: death
  errno = ERANGE;
  Say(args.at(0));
  return errno == ERANGE ? 0 : 1;
});

TEST(StandardError, ALineArrivesWhereverItGoes) {
  const TempDir dir;
  const UniqueFd file(open((dir / "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  EXPECT_EQ(RunWith(file.get(), "says", {"a line"}), 0);
  EXPECT_EQ(ReadFile(dir / "file"), "a line\n");
  const Pipe pipe;
  EXPECT_EQ(RunWith(pipe.writer.get(), "says", {"a line"}), 0);
  EXPECT_EQ(pipe.Read(), "a line\n");
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Pipe sockets;
  sockets.reader = UniqueFd(ends[0]);
  sockets.writer = UniqueFd(ends[1]);
  EXPECT_EQ(RunWith(sockets.writer.get(), "says", {"a line"}), 0);
  EXPECT_EQ(sockets.Read(), "a line\n");
}

TEST(StandardError, ALongLineIsCutAndWhole) {
  const Pipe pipe;
  EXPECT_EQ(RunWith(pipe.writer.get(), "says", {std::string(10000, 'y')}), 0);
  EXPECT_EQ(pipe.Read(), std::string(PIPE_BUF - 1, 'y') + "\n");
}

TEST(StandardError, AFullPipeHoldsUpNobody) {
  const Pipe pipe;
  FillUp(pipe.writer.get());
  EXPECT_EQ(RunWith(pipe.writer.get(), "says", {"lost"}), 0);
  EXPECT_EQ(fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0) << "which others share";
}

TEST(StandardError, AFullSocketHoldsUpNobody) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  FillUp(one.get());
  EXPECT_EQ(RunWith(one.get(), "says", {"lost"}), 0);
}

TEST(StandardError, AReaderThatHasGoneKillsNobody) {
  Pipe pipe;
  pipe.reader = UniqueFd();
  EXPECT_EQ(RunWith(pipe.writer.get(), "says", {"lost"}), 0);
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  close(ends[0]);
  const UniqueFd socket(ends[1]);
  EXPECT_EQ(RunWith(socket.get(), "says", {"lost"}), 0);
}

const RegisterChild says_at_limit("says_at_limit", [](const std::vector<std::string>&) {
  rlimit limit = {};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 10;
  setrlimit(RLIMIT_FSIZE, &limit);
  Say("12345678");
  Say("lost");  // would raise SIGXFSZ
  Say("lost");
  return 0;
});

TEST(StandardError, AFileAtItsLimitKillsNobody) {
  const TempDir dir;
  const UniqueFd file(open((dir / "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  EXPECT_EQ(RunWith(file.get(), "says_at_limit"), 0);
  EXPECT_EQ(ReadFile(dir / "file").substr(0, 9), "12345678\n");
}

// --- what took the place of a standard error that was closed ---

const RegisterChild says_into("says_into", [](const std::vector<std::string>& args) {
  const std::string kind = args.at(0);
  close(STDERR_FILENO);
  if (kind == "socket") {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || ends[0] != STDERR_FILENO) {
      return 2;
    }
    Say("not for a client");
    char byte = 0;
    return recv(ends[1], &byte, 1, MSG_DONTWAIT) < 0 ? 0 : 1;
  }
  const int flags = kind == "database" ? O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC : O_RDWR | O_CREAT;
  if (open(args.at(1).c_str(), flags, 0644) != STDERR_FILENO) {
    return 2;
  }
  Say("not for a file");
  struct stat found = {};
  return fstat(STDERR_FILENO, &found) == 0 && found.st_size == 0 ? 0 : 1;
});

TEST(StandardError, NothingGoesIntoWhatElseGotItsNumber) {
  const TempDir dir;
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  for (const std::string kind : {"socket", "database", "file"}) {
    EXPECT_EQ(RunWith(null.get(), "says_into", {kind, dir / kind}), 0) << kind;
    EXPECT_EQ(RunWith(-1, "says_into", {kind, dir / kind}), 0) << kind << ", closed from the start";
  }
}

const RegisterChild says_in_log("says_in_log", [](const std::vector<std::string>& args) {
  return freopen(args.at(0).c_str(), "a", stderr) == nullptr ? 2 : (Say("a line"), 0);
});

TEST(StandardError, ALogThatTheProgramHasPutThereGetsItsLines) {
  const TempDir dir;
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(RunWith(null.get(), "says_in_log", {dir / "log"}), 0);
  EXPECT_EQ(ReadFile(dir / "log"), "a line\n");
}

}  // namespace
}  // namespace bloom_lfs
