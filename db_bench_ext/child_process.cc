#include "db_bench_ext/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include "db_bench_ext/text_lines.h"

extern char** environ;

namespace bloom_lfs::bench {
namespace {

constexpr int kLinesShown = 12;
constexpr std::chrono::seconds kStopGrace{5};
constexpr std::array<int, 3> kEndingSignals = {SIGINT, SIGTERM, SIGHUP};

// No handler ever writes this: signals are blocked and taken synchronously.
bool g_interrupted = false;

sigset_t AwaitedSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int signal : kEndingSignals) sigaddset(&set, signal);
  return set;
}

// Sleeps until a child changes state, a signal arrives or the time is up, whichever is first.
void WaitForSignal(std::chrono::milliseconds at_most) {
  const sigset_t set = AwaitedSignals();
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(at_most.count() / 1000);
  timeout.tv_nsec =
      static_cast<long>(at_most.count() % 1000) * 1000000;  // NOLINT(google-runtime-int)
  const int signal = sigtimedwait(&set, nullptr, &timeout);
  if (signal > 0 && signal != SIGCHLD) g_interrupted = true;
}

// Puts `first` in front of what the variable has. A library the user preloads into everything (an
// allocator, say) so stays in both arms.
void PutInFront(const std::string& name, const std::string& first,
                std::vector<std::string>* environment) {
  if (first.empty()) return;
  for (std::string& entry : *environment) {
    if (entry.rfind(name + "=", 0) != 0) continue;
    const std::string inherited = entry.substr(name.size() + 1);
    entry = name + "=" + first + (inherited.empty() ? "" : ":" + inherited);
    return;
  }
  environment->push_back(name + "=" + first);
}

std::vector<std::string> EnvironmentOf(const Command& command) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  PutInFront("LD_PRELOAD", command.preload, &environment);
  PutInFront("LD_LIBRARY_PATH", command.library_path, &environment);
  return environment;
}

std::vector<char*> PointersTo(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string ReadWholeFile(int fd) {
  std::string text;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t n = pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
}

ResourceUsage UsageOf(const struct rusage& usage) {
  constexpr uint64_t kBlockBytes = 512;  // whatever the file system's are
  const auto seconds = [](const struct timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_maxrss) << 10,
          static_cast<uint64_t>(usage.ru_oublock) * kBlockBytes};
}

// Starts `command` with the two descriptors as its outputs. Returns 0 or an errno.
int Spawn(const Command& command, int output_fd, int error_fd, pid_t* pid) {
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> environment = EnvironmentOf(command);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error_fd, STDERR_FILENO);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t nothing_blocked;
  sigemptyset(&nothing_blocked);
  posix_spawnattr_setsigmask(&attributes, &nothing_blocked);
  sigset_t taken_here;
  sigemptyset(&taken_here);
  sigaddset(&taken_here, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &taken_here);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  const int error = posix_spawnp(pid, arguments[0].c_str(), &actions, &attributes,
                                 PointersTo(arguments).data(), PointersTo(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

std::string ToShellLine(const Command& command) {
  std::string line;
  if (!command.library_path.empty()) line = "LD_LIBRARY_PATH=" + command.library_path + " ";
  if (!command.preload.empty()) line += "LD_PRELOAD=" + command.preload + " ";
  for (const std::string& argument : command.argv) {
    if (&argument != &command.argv.front()) line += ' ';
    const bool quoted = argument.find_first_of(" ;&|<>()$`\"*?") != std::string::npos;
    line += quoted ? "'" + argument + "'" : argument;
  }
  return line;
}

SignalsAsResults::SignalsAsResults() : previous_mask_() {
  const sigset_t set = AwaitedSignals();
  pthread_sigmask(SIG_BLOCK, &set, &previous_mask_);
}

SignalsAsResults::~SignalsAsResults() { pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr); }

bool SignalsAsResults::Interrupted() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  for (const int signal : kEndingSignals) {
    if (sigismember(&pending, signal) == 1) g_interrupted = true;
  }
  return g_interrupted;
}

Result<ChildProcess> ChildProcess::Start(const Command& command) {
  ChildProcess child(ToShellLine(command), memfd_create("stdout", MFD_CLOEXEC),
                     memfd_create("stderr", MFD_CLOEXEC));
  if (child.output_fd_ < 0 || child.error_fd_ < 0) {
    return Error{std::string("cannot create a memory file for a child's output: ") +
                 std::strerror(errno) + "; raise the limit on open files (ulimit -n)"};
  }
  const int error = Spawn(command, child.output_fd_, child.error_fd_, &child.pid_);
  if (error != 0) {
    return Error{"cannot start " + command.argv[0] + ": " + std::strerror(error) +
                 "; install it or correct the flag that names it"};
  }
  child.running_ = true;
  return child;
}

ChildProcess::ChildProcess(std::string shell_line, int output_fd, int error_fd)
    : shell_line_(std::move(shell_line)), output_fd_(output_fd), error_fd_(error_fd) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : shell_line_(std::move(other.shell_line_)),
      output_fd_(std::exchange(other.output_fd_, -1)),
      error_fd_(std::exchange(other.error_fd_, -1)),
      pid_(other.pid_),
      running_(std::exchange(other.running_, false)),
      wait_status_(other.wait_status_),
      usage_(other.usage_) {}

ChildProcess::~ChildProcess() {
  Stop();
  if (output_fd_ >= 0) close(output_fd_);
  if (error_fd_ >= 0) close(error_fd_);
}

void ChildProcess::Reap() {
  if (!running_) return;
  struct rusage usage {};
  pid_t ended = 0;
  do {
    ended = wait4(pid_, &wait_status_, WNOHANG, &usage);
  } while (ended < 0 && errno == EINTR);
  if (ended != pid_) return;
  running_ = false;
  usage_ = UsageOf(usage);
}

bool ChildProcess::IsRunning() {
  Reap();
  return running_;
}

Result<ChildOutput> ChildProcess::Wait(std::chrono::seconds timeout) {
  const auto start = std::chrono::steady_clock::now();
  while (IsRunning()) {
    WaitForSignal(std::chrono::milliseconds(100));
    if (SignalsAsResults::Interrupted()) {
      Stop();
      return Error{"interrupted; the child was ended: " + shell_line_};
    }
    if (std::chrono::steady_clock::now() - start > timeout) {
      Stop();
      return Error{"no end after " + std::to_string(timeout.count()) +
                   " s, so it was ended: " + shell_line_ + "\n" + LastWords() +
                   "raise --timeout_seconds if this machine is that slow"};
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return Finish(elapsed.count());
}

Result<ChildOutput> ChildProcess::Finish(double elapsed_s) const {
  if (!WIFEXITED(wait_status_) || WEXITSTATUS(wait_status_) != 0) {
    const std::string how = WIFSIGNALED(wait_status_)
                                ? "was ended by signal " + std::to_string(WTERMSIG(wait_status_))
                                : "exited with " + std::to_string(WEXITSTATUS(wait_status_));
    return Error{"the child " + how + ": " + shell_line_ +
                 "\nits standard output, then its standard error, end with:\n" + LastWords()};
  }
  return ChildOutput{ReadWholeFile(output_fd_), ReadWholeFile(error_fd_), elapsed_s, usage_};
}

Failure ChildProcess::KillAfter(std::chrono::seconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (IsRunning() && std::chrono::steady_clock::now() < end) {
    WaitForSignal(std::chrono::milliseconds(20));
    if (SignalsAsResults::Interrupted()) {
      Stop();
      return Error{"interrupted; the child was ended: " + shell_line_};
    }
  }
  if (!IsRunning()) {
    return Error{"the child was to be killed and ended before: " + shell_line_ + "\n" +
                 LastWords()};
  }
  kill(pid_, SIGKILL);
  while (IsRunning()) WaitForSignal(std::chrono::milliseconds(20));
  return std::nullopt;
}

void ChildProcess::Stop() {
  if (!IsRunning()) return;
  kill(pid_, SIGTERM);
  const auto give_up = std::chrono::steady_clock::now() + kStopGrace;
  while (IsRunning() && std::chrono::steady_clock::now() < give_up) {
    WaitForSignal(std::chrono::milliseconds(20));
  }
  if (!IsRunning()) return;
  kill(pid_, SIGKILL);
  while (IsRunning()) WaitForSignal(std::chrono::milliseconds(20));
}

std::string ChildProcess::LastWords() const {
  return LastLines(ReadWholeFile(output_fd_), kLinesShown) +
         LastLines(ReadWholeFile(error_fd_), kLinesShown);
}

Result<ChildOutput> RunToEnd(const Command& command, std::chrono::seconds timeout) {
  Result<ChildProcess> child = ChildProcess::Start(command);
  if (!child.ok()) return child.error();
  return child.value().Wait(timeout);
}

}  // namespace bloom_lfs::bench
