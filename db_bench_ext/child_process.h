#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// A program to run. argv[0] is looked up on PATH unless it contains a slash.
struct Command {
  std::vector<std::string> argv;
  // Put in front of LD_PRELOAD in the child's environment; empty leaves the environment as it is.
  std::string preload;
  // The same of LD_LIBRARY_PATH.
  std::string library_path;
};

// The command as one line a user can paste into a shell.
std::string ToShellLine(const Command& command);

// What the kernel charges to a child that has ended, and to its own children.
struct ResourceUsage {
  double processor_s = 0;
  uint64_t peak_memory_bytes = 0;  // the largest resident set
  // Sent to storage: direct writes, and pages of the page cache when they were made dirty, whether
  // or not they got to the device before their file was deleted. Nothing on file systems in memory.
  uint64_t written_bytes = 0;
};

struct ChildOutput {
  std::string standard_output;
  std::string standard_error;
  double elapsed_s = 0;
  ResourceUsage usage;
};

// Turns SIGINT, SIGTERM and SIGHUP into something a wait returns, so that every exit unwinds the
// stack and the destructors end children and remove directories. Create one in main(), before any
// child.
class SignalsAsResults {
 public:
  SignalsAsResults();
  ~SignalsAsResults();
  SignalsAsResults(const SignalsAsResults&) = delete;
  SignalsAsResults& operator=(const SignalsAsResults&) = delete;

  // True once one of the signals has arrived; stays true.
  static bool Interrupted();

 private:
  sigset_t previous_mask_;
};

// A running child. Ended, by its process id, when the object goes away.
//
// The child lives in its own process group: a Ctrl-C in the terminal reaches only this program,
// which then ends the child itself and knows that it is gone.
class ChildProcess {
 public:
  static Result<ChildProcess> Start(const Command& command);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  pid_t pid() const { return pid_; }

  // False once the child has ended, by itself or through Stop().
  bool IsRunning();

  // Waits until the child ends. It is an error, and the child is ended, when `timeout` passes or a
  // signal arrives; a non-zero exit status is an error too and carries the child's last words.
  Result<ChildOutput> Wait(std::chrono::seconds timeout);

  // SIGKILL after that time. It is an error if the child has ended by then, or a signal arrives.
  Failure KillAfter(std::chrono::seconds time);

  // SIGTERM, then SIGKILL to a child that ignores it. Idempotent.
  void Stop();

  // The last lines the child has written so far, standard output first.
  std::string LastWords() const;

 private:
  ChildProcess(std::string shell_line, int output_fd, int error_fd);

  // Collects the exit status if the child has ended.
  void Reap();
  Result<ChildOutput> Finish(double elapsed_s) const;

  std::string shell_line_;
  // Memory files rather than pipes: a child never blocks on a reader, and nothing needs draining.
  int output_fd_ = -1;
  int error_fd_ = -1;
  pid_t pid_ = -1;
  bool running_ = false;
  int wait_status_ = 0;
  ResourceUsage usage_;
};

// Starts the command and waits for it.
Result<ChildOutput> RunToEnd(const Command& command, std::chrono::seconds timeout);

}  // namespace bloom_lfs::bench
