// Other processes for tests: the test program itself, started anew with a named role.
//
// A child is exec'ed and not just forked: RocksDB and the plugin run threads, and a forked copy of
// a threaded process is not what dies in the field.

#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace bloom_lfs::test {

using ChildMain = std::function<int(const std::vector<std::string>& args)>;

// Declares a role at namespace scope: static const RegisterChild kWriter("writer", WriterMain);
struct RegisterChild {
  RegisterChild(const std::string& role, ChildMain main);
};

class ChildProcess {
 public:
  ChildProcess(const std::string& role, const std::vector<std::string>& args);
  ~ChildProcess();  // kills and reaps what is still running
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Whether the child has not ended yet. Never blocks.
  bool Running();

  // SIGKILL, then wait until the process is gone.
  void Kill();

  // Waits for the end. Returns the exit code, or 128 + the number of the signal that ended it.
  int Wait();

  // Writes one line to the child's standard input; reads one from its standard output (waits; empty
  // at end of file).
  void Say(const std::string& line);
  std::string Hear();

 private:
  void Reap(bool block);

  pid_t pid_ = -1;
  bool reaped_ = false;
  int exit_code_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
};

// The child's side of Say and Hear.
void Report(const std::string& line);
std::string Await();

// Runs the role named by `--child=<role>` if there is one: sets *exit_code and returns true.
bool RunAsChild(int argc, char** argv, int* exit_code);

}  // namespace bloom_lfs::test
