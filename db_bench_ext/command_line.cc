#include "db_bench_ext/command_line.h"

#include <gflags/gflags.h>

#include <optional>

#include "db_bench_ext/flag_word.h"

namespace bloom_lfs::bench {
namespace {

// The flag of that name; "nolist" is "list" with the value "false".
bool FindFlag(FlagWord* word, gflags::CommandLineFlagInfo* info) {
  if (gflags::GetCommandLineFlagInfo(word->name.c_str(), info)) return true;
  if (word->name.rfind("no", 0) != 0 || word->value.has_value()) return false;
  if (!gflags::GetCommandLineFlagInfo(word->name.substr(2).c_str(), info)) return false;
  word->value = "false";
  return info->type == "bool";
}

}  // namespace

Result<CommandLine> ParseCommandLine(int argc, char** argv) {
  CommandLine line;
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      line.has_rest = true;
      line.rest.assign(words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
      break;
    }
    std::optional<FlagWord> word = SplitFlag(words[i]);
    if (!word.has_value()) {
      return Error{"unexpected argument " + words[i] + "; see --helpshort"};
    }
    gflags::CommandLineFlagInfo info;
    if (!FindFlag(&*word, &info)) {
      return Error{"there is no flag --" + word->name + "; see --helpshort"};
    }
    if (!word->value.has_value() && info.type == "bool") word->value = "true";
    if (!word->value.has_value()) {
      if (i + 1 == words.size()) return Error{"--" + word->name + " needs a value"};
      word->value = words[++i];
    }
    if (gflags::SetCommandLineOption(info.name.c_str(), word->value->c_str()).empty()) {
      return Error{"--" + word->name + "=" + *word->value + " is no " + info.type};
    }
  }
  gflags::HandleCommandLineHelpFlags();
  return line;
}

}  // namespace bloom_lfs::bench
