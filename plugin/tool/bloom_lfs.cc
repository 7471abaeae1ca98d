// The command-line tool: what is in a directory that the plugin has written, and in a second place.
// START HERE; the README beside this file says what each command is for.
#include <fcntl.h>
#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "plugin/tool/command.h"
#include "plugin/tool/manual.h"
#include "rocksdb/version.h"

DECLARE_bool(json);

namespace bloom_lfs::tool {
namespace {

constexpr size_t kOutputBytes = 1 << 20;

int PrintVersion() {
  printf("bloom_lfs %s, for RocksDB %d.%d.%d\n", BLOOM_LFS_VERSION, ROCKSDB_MAJOR, ROCKSDB_MINOR,
         ROCKSDB_PATCH);
  return kFine;
}

int Misused(const std::string& error) {
  fprintf(stderr, "bloom_lfs: %s\n", error.c_str());
  return kUsage;
}

// What nobody can read is as good as not looked at.
int CannotWrite() {
  clearerr(stdout);  // it is said once
  return Misused(std::string("cannot write the output") +
                 (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
}

bool AsksForHelp(const std::string& word) { return word == "--help" || word == "-h"; }

// Behind `--` are arguments only.
bool AnyAsksForHelp(const std::vector<std::string>& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::any_of(words.begin(), end, AsksForHelp);
}

int Main(const std::vector<std::string>& words) {
  if (words.empty()) {
    fputs(HelpOfAll().c_str(), stderr);
    return kUsage;
  }
  if (AsksForHelp(words[0]) || words[0] == "help") {
    fputs(HelpOfAll().c_str(), stdout);
    return kFine;
  }
  if (words[0] == "--version" || words[0] == "version") {
    return PrintVersion();
  }
  if (words[0] == "--man" || words[0] == "--completion") {  // for packages
    fputs((words[0] == "--man" ? ManPage() : BashCompletion()).c_str(), stdout);
    return kFine;
  }
  const Command* const command = FindCommand(words[0]);
  if (command == nullptr) {
    return Misused("there is no command " + words[0] + "; see bloom_lfs --help");
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (AnyAsksForHelp(rest)) {
    fputs(HelpOf(*command).c_str(), stdout);
    return kFine;
  }
  std::vector<std::string> arguments;
  std::string error;
  if (!ParseWords(*command, rest, &arguments, &error)) {
    return Misused(error);
  }
  Report report;
  const ExitCode code = command->run(arguments, &report);
  report.json()["exit_code"] = static_cast<int>(code);
  return report.Print(FLAGS_json) ? code : CannotWrite();
}

// Where the caller has closed one of these, a file that is opened would get its number, and what is
// printed would go there.
void OccupyStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) {
      (void)open("/dev/null", O_RDONLY);  // the lowest number that is free
    }
  }
}

}  // namespace
}  // namespace bloom_lfs::tool

int main(int argc, char** argv) {
  using namespace bloom_lfs::tool;
  OccupyStandardDescriptors();
  (void)std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit is an error then
  // Written when it is flushed, where an error is seen.
  static char output[kOutputBytes];
  (void)setvbuf(stdout, output, _IOFBF, sizeof(output));
  const int code = Main(std::vector<std::string>(argv + 1, argv + argc));
  return FlushOutput() ? code : CannotWrite();
}
