#include "plugin/tool/command.h"

#include <gflags/gflags.h>

#include <algorithm>
#include <cstring>

#include "plugin/tool/doctor_command.h"
#include "plugin/tool/inspect_command.h"
#include "plugin/tool/mirror_commands.h"
#include "plugin/tool/recover_command.h"
#include "plugin/tool/top_command.h"
#include "plugin/tool/verify_command.h"

DEFINE_bool(json, false, "Print JSON");

namespace bloom_lfs::tool {
namespace {

bool Knows(const Command& command, const std::string& flag) {
  return flag == "json" || std::any_of(command.flags.begin(), command.flags.end(),
                                       [&](const char* each) { return flag == each; });
}

// The flag that a word like `--dry-run` names, or `--nodry_run`: then `value` is false.
bool FindFlag(const Command& command, std::string name, gflags::CommandLineFlagInfo* info,
              std::string* value) {
  std::replace(name.begin(), name.end(), '-', '_');
  if (Knows(command, name)) {
    return gflags::GetCommandLineFlagInfo(name.c_str(), info);
  }
  if (name.compare(0, 2, "no") == 0 && Knows(command, name.substr(2)) &&
      gflags::GetCommandLineFlagInfo(name.substr(2).c_str(), info) && info->type == "bool") {
    *value = "false";
    return true;
  }
  return false;
}

}  // namespace

const std::vector<Command>& AllCommands() {
  static const auto* const commands = new std::vector<Command>{
      DoctorCommand(), InspectCommand(), RecoverCommand(), RestoreCommand(),
      TopCommand(),    TrimCommand(),    VerifyCommand()};
  return *commands;
}

const Command* FindCommand(const std::string& name) {
  for (const Command& command : AllCommands()) {
    if (name == command.name) {
      return &command;
    }
  }
  return nullptr;
}

bool ParseWords(const Command& command, const std::vector<std::string>& words,
                std::vector<std::string>* arguments, std::string* error) {
  bool flags_ended = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (flags_ended || word.size() < 2 || word[0] != '-') {
      arguments->push_back(word);
      continue;
    }
    if (word == "--") {
      flags_ended = true;
      continue;
    }
    const size_t begin = word.find_first_not_of('-');
    const size_t equals = word.find('=');
    const std::string name = begin == std::string::npos ? "" : word.substr(begin, equals - begin);
    gflags::CommandLineFlagInfo info;
    std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (!FindFlag(command, name, &info, &value)) {
      *error = std::string(command.name) + " has no flag " + word;
      return false;
    }
    if (equals == std::string::npos && value.empty() && info.type == "bool") {
      value = "true";
    } else if (equals == std::string::npos && value.empty()) {
      if (i + 1 == words.size()) {
        *error = word + " needs a value";
        return false;
      }
      value = words[++i];
    }
    if (gflags::SetCommandLineOption(info.name.c_str(), value.c_str()).empty()) {
      *error = word + ": " + value + " is no " + info.type;
      return false;
    }
  }
  if (arguments->size() < command.least_arguments || arguments->size() > command.most_arguments) {
    *error = std::string("usage: bloom_lfs ") + command.name + " " + command.arguments;
    return false;
  }
  return true;
}

std::vector<FlagText> FlagsOf(const Command& command) {
  std::vector<const char*> names = command.flags;
  names.push_back("json");
  std::vector<FlagText> flags;
  for (const char* name : names) {
    gflags::CommandLineFlagInfo info;
    if (gflags::GetCommandLineFlagInfo(name, &info)) {
      std::replace(info.name.begin(), info.name.end(), '_', '-');
      flags.push_back({info.name, info.type, info.description});
    }
  }
  return flags;
}

std::string HelpOf(const Command& command) {
  std::string help = std::string("usage: bloom_lfs ") + command.name + " " + command.arguments +
                     "\n\n" + command.summary + "\n" + command.details + "\n";
  for (const FlagText& flag : FlagsOf(command)) {
    const std::string shown = "  --" + flag.name + (flag.type == "bool" ? "" : "=" + flag.type);
    help += shown + std::string(shown.size() < 26 ? 26 - shown.size() : 1, ' ') + flag.description +
            "\n";
  }
  return help;
}

std::string HelpOfAll() {
  std::string help =
      "usage: bloom_lfs COMMAND [--flags] [ARGUMENTS]\n"
      "       bloom_lfs COMMAND --help\n"
      "       bloom_lfs --version\n\n";
  for (const Command& command : AllCommands()) {
    const std::string name = std::string("  ") + command.name;
    help += name + std::string(12 - name.size(), ' ') + command.summary + "\n";
  }
  return help +
         "\nExit codes: 0 fine; 1 found something, or not all was done; 2 usage, or nothing "
         "could be looked at.\n";
}

}  // namespace bloom_lfs::tool
