// The command-line tool: what is in a directory that the plugin has written, and in a second place.
// START HERE; the README beside this file says what each command is for.
#include <gflags/gflags.h>

#include <cstdio>
#include <string>
#include <vector>

#include "plugin/tool/command.h"
#include "plugin/tool/manual.h"
#include "rocksdb/version.h"

DECLARE_bool(json);

namespace bloom_lfs::tool {
namespace {

int PrintVersion() {
  printf("bloom_lfs %s, for RocksDB %d.%d.%d\n", BLOOM_LFS_VERSION, ROCKSDB_MAJOR, ROCKSDB_MINOR,
         ROCKSDB_PATCH);
  return kFine;
}

int Misused(const std::string& error) {
  fprintf(stderr, "bloom_lfs: %s\n", error.c_str());
  return kUsage;
}

bool AsksForHelp(const std::string& word) {
  return word == "--help" || word == "-h" || word == "help";
}

int Main(const std::vector<std::string>& words) {
  if (words.empty()) {
    fputs(HelpOfAll().c_str(), stderr);
    return kUsage;
  }
  if (AsksForHelp(words[0])) {
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
  if (!rest.empty() && AsksForHelp(rest[0])) {
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
  report.Print(FLAGS_json);
  return code;
}

}  // namespace
}  // namespace bloom_lfs::tool

int main(int argc, char** argv) {
  return bloom_lfs::tool::Main(std::vector<std::string>(argv + 1, argv + argc));
}
