#include "tests/support/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <stdexcept>

extern char** environ;

namespace bloom_lfs::test {
namespace {

const char kRoleFlag[] = "--child=";

std::map<std::string, ChildMain>& Roles() {
  static std::map<std::string, ChildMain> roles;
  return roles;
}

[[noreturn]] void Throw(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::strerror(error));
}

void WriteLine(int fd, const std::string& line) {
  const std::string bytes = line + "\n";
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) return;  // the other side is gone; the caller notices by itself
    if (n > 0) done += static_cast<size_t>(n);
  }
}

// Byte by byte: nothing may be taken from the pipe that belongs to a later line.
std::string ReadLine(int fd) {
  std::string line;
  char c = 0;
  for (;;) {
    const ssize_t n = ::read(fd, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n') return line;
    line.push_back(c);
  }
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) Throw("pipe2", errno);
    read_end = fds[0];
    write_end = fds[1];
  }
};

}  // namespace

RegisterChild::RegisterChild(const std::string& role, ChildMain main) {
  Roles()[role] = std::move(main);
}

ChildProcess::ChildProcess(const std::string& role, const std::vector<std::string>& args) {
  std::vector<std::string> words = {"/proc/self/exe", kRoleFlag + role};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const Pipe in;
  const Pipe out;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  const int error = ::posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in.read_end);
  ::close(out.write_end);
  to_child_ = in.write_end;
  from_child_ = out.read_end;
  if (error != 0) {
    ::close(to_child_);
    ::close(from_child_);
    Throw("cannot start " + role, error);
  }
}

ChildProcess::~ChildProcess() {
  Kill();
  ::close(to_child_);
  ::close(from_child_);
}

void ChildProcess::Reap(bool block) {
  if (reaped_) return;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got != pid_) return;
  reaped_ = true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool ChildProcess::Running() {
  Reap(false);
  return !reaped_;
}

void ChildProcess::Kill() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  Reap(true);
}

int ChildProcess::Wait() {
  Reap(true);
  return exit_code_;
}

void ChildProcess::Say(const std::string& line) { WriteLine(to_child_, line); }
std::string ChildProcess::Hear() { return ReadLine(from_child_); }

void Report(const std::string& line) { WriteLine(STDOUT_FILENO, line); }
std::string Await() { return ReadLine(STDIN_FILENO); }

bool RunAsChild(int argc, char** argv, int* exit_code) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.rfind(kRoleFlag, 0) != 0) return false;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // an aborted test leaves no writers behind
  const auto role = Roles().find(first.substr(std::strlen(kRoleFlag)));
  if (role == Roles().end()) {
    std::fprintf(stderr, "no such role: %s\n", first.c_str());
    *exit_code = 2;
    return true;
  }
  try {
    *exit_code = role->second(std::vector<std::string>(argv + 2, argv + argc));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", first.c_str(), e.what());
    *exit_code = 3;
  }
  return true;
}

}  // namespace bloom_lfs::test
