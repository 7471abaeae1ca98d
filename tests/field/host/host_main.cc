// A service that uses RocksDB and does what it is told, line by line from standard input. It has
// never heard of the plugin.
//
// One command, one answer: a line on standard output. What fails is answered with "failed: ..." and
// makes the exit code 1; "try" before a command says that it may. At the end of the input the
// databases are closed. The commands are in databases.h, rows.h, care.h and surroundings.h; and
//
//   sleep MILLISECONDS    exit (without closing anything)    fork (a child does the rest of the
//   script)    child (one that ends at once)    aside COMMAND... (on a thread of its own; the
//   databases must be open)    await (the answer of what was begun aside)
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include "tests/field/host/care.h"
#include "tests/field/host/command.h"
#include "tests/field/host/databases.h"
#include "tests/field/host/rows.h"
#include "tests/field/host/surroundings.h"

namespace field {
namespace {

using Action = std::function<std::string(const Command&)>;

// The child answers from here on; the parent ends as it does.
std::string Fork() {
  const pid_t child = fork();
  if (child == 0) return "forked";
  int status = 0;
  waitpid(child, &status, 0);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

std::string Child() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return "child ended";
}

std::map<std::string, Action> Actions(Databases* databases) {
  const auto with = [databases](auto function) {
    return [databases, function](const Command& command) { return function(*databases, command); };
  };
  return {
      {"open", [databases](const Command& command) { return databases->Open(command); }},
      {"close", [databases](const Command& command) { return databases->Close(command); }},
      {"put", with(Put)},
      {"fill", with(Fill)},
      {"check", with(Check)},
      {"get", with(GetOne)},
      {"set", with(SetOne)},
      {"flush", with(Flush)},
      {"sync_wal", with(SyncWal)},
      {"lock_wal", with(LockWal)},
      {"unlock_wal", with(UnlockWal)},
      {"catch_up", with(CatchUp)},
      {"switch_wal", with(SwitchWal)},
      {"resume", with(Resume)},
      {"wal_sizes", with(WalSizes)},
      {"backup", with(Backup)},
      {"checkpoint", with(Checkpoint)},
      {"destroy", Destroy},
      {"restore", Restore},
      {"limit", Limit},
      {"take", Take},
      {"give_back", GiveBack},
      {"lock", Lock},
      {"refuse", Refuse},
      {"burn", [](const Command&) { return Burn(); }},
      {"processor_ms", [](const Command&) { return ProcessorMs(); }},
      {"own_sigbus", [](const Command&) { return OwnSigbus(); }},
      {"fault", Fault},
      {"sleeper", [](const Command&) { return Sleeper(); }},
      {"fork", [](const Command&) { return Fork(); }},
      {"child", [](const Command&) { return Child(); }},
      {"exit", [](const Command&) -> std::string { _exit(0); }},
      {"sleep",
       [](const Command& command) {
         usleep(static_cast<useconds_t>(std::stoul(command.Word(0)) * 1000));
         return "slept";
       }},
  };
}

// The answer; sets *failed if there is no good one.
std::string Answer(const std::map<std::string, Action>& actions, const Command& command,
                   bool* failed) {
  const auto found = actions.find(command.name());
  try {
    if (found == actions.end()) throw std::runtime_error("no command " + command.name());
    return found->second(command);
  } catch (const std::exception& e) {
    *failed = true;
    return std::string("failed: ") + e.what();
  }
}

int Run() {
  Databases databases;
  const std::map<std::string, Action> actions = Actions(&databases);
  constexpr char kTry[] = "try ";
  constexpr char kAside[] = "aside ";
  std::future<std::string> aside;
  bool all_well = true;
  std::string line;
  while (std::getline(std::cin, line)) {
    const bool may_fail = line.rfind(kTry, 0) == 0;
    const Command command(may_fail ? line.substr(sizeof kTry - 1) : line);
    if (command.empty()) continue;
    bool failed = false;
    std::string answer = "begun";
    if (command.name() == "aside") {
      aside = std::async(std::launch::async,
                         [&actions, command = Command(line.substr(sizeof kAside - 1))] {
                           bool ignored = false;
                           return Answer(actions, command, &ignored);
                         });
    } else if (command.name() == "await") {
      answer = aside.valid() ? aside.get() : "nothing was begun";
    } else {
      answer = Answer(actions, command, &failed);
    }
    std::printf("%s\n", answer.c_str());
    std::fflush(stdout);
    if (failed && !may_fail) all_well = false;
  }
  return all_well ? 0 : 1;
}

}  // namespace
}  // namespace field

int main() { return field::Run(); }
