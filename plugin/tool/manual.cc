#include "plugin/tool/manual.h"

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {
namespace {

// As roff wants it: a hyphen that can be copied, no line that looks like a request.
std::string Roff(const std::string& text) {
  std::string roff;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) {
      roff += "\\&";
    }
    if (c == '-') {
      roff += "\\-";
    } else if (c == '\\') {
      roff += "\\e";
    } else {
      roff += c;
    }
    begins_line = c == '\n';
  }
  return roff;
}

std::string WithValue(const FlagText& flag) {
  return "--" + flag.name + (flag.type == "bool" ? "" : "=" + flag.type);
}

std::string ManPageOf(const Command& command) {
  std::string page = std::string(".SS ") + command.name + " " + Roff(command.arguments) + "\n" +
                     Roff(command.summary) + "\n" + Roff(command.details) + "\n";
  for (const FlagText& flag : FlagsOf(command)) {
    page += ".TP\n.B " + Roff(WithValue(flag)) + "\n" + Roff(flag.description) + "\n";
  }
  return page;
}

}  // namespace

std::string ManPage() {
  std::string page =
      ".TH BLOOM_LFS 1 \"\" \"bloom_lfs\" \"User Commands\"\n"
      ".SH NAME\n"
      "bloom_lfs \\- looks after directories and processes that write RocksDB's logs with "
      "bloom_lfs\n"
      ".SH SYNOPSIS\n"
      ".B bloom_lfs\n"
      ".I COMMAND\n"
      "[\\fIflags\\fR] [\\fIarguments\\fR]\n"
      ".br\n"
      ".B bloom_lfs\n"
      "[\\fICOMMAND\\fR] \\-\\-help | \\-\\-version\n"
      ".SH COMMANDS\n";
  for (const Command& command : AllCommands()) {
    page += ManPageOf(command);
  }
  return page +
         ".SH EXIT STATUS\n"
         ".TP\n.B 0\nfine\n"
         ".TP\n.B 1\nfound something, or not all was done\n"
         ".TP\n.B 2\nwrong usage, or not everything could be looked at\n"
         ".SH SEE ALSO\n"
         "The schema of \\-\\-json: README.md of plugin/tool, in packages\n"
         ".I /usr/share/doc/bloom\\-lfs\\-tools/tool.md\n";
}

std::string BashCompletion() {
  std::string names;
  std::string cases;
  for (const Command& command : AllCommands()) {
    names += std::string(names.empty() ? "" : " ") + command.name;
    std::string flags;
    for (const FlagText& flag : FlagsOf(command)) {
      flags += (flags.empty() ? "--" : " --") + flag.name + (flag.type == "bool" ? "" : "=");
    }
    cases += std::string("    ") + command.name + ") words='" + flags + "' ;;\n";
  }
  return "_bloom_lfs() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} words=\n"
         "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W '" +
         names +
         " --help --version' -- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words --help\" -- \"$word\")\n"
         "    [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _bloom_lfs bloom_lfs\n";
}

}  // namespace bloom_lfs::tool
