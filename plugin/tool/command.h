// Subcommands of `bloom_lfs`: their names, flags and help from one table.
//
// Thread safety: none; flags are the process's.
#pragma once

#include <string>
#include <vector>

#include "plugin/tool/report.h"

namespace bloom_lfs::tool {

struct Command {
  const char* name;
  const char* arguments;           // as the help shows them
  const char* summary;             // one line
  const char* details;             // what the help says beyond that
  std::vector<const char*> flags;  // that it knows, besides --json
  size_t least_arguments;
  size_t most_arguments;
  ExitCode (*run)(const std::vector<std::string>& arguments, Report* report);
};

// In the order of the help.
const std::vector<Command>& AllCommands();
// Null: there is none.
const Command* FindCommand(const std::string& name);

// Sets the flags that `words` (what stands behind the command) say; dashes in their names are
// underscores. False: `error` says what is wrong; nothing may be done then.
bool ParseWords(const Command& command, const std::vector<std::string>& words,
                std::vector<std::string>* arguments, std::string* error);

struct FlagText {
  std::string name;  // with dashes
  std::string type;  // gflags' name of it
  std::string description;
};
// Those of the command, and --json.
std::vector<FlagText> FlagsOf(const Command& command);

std::string HelpOf(const Command& command);
std::string HelpOfAll();

}  // namespace bloom_lfs::tool
