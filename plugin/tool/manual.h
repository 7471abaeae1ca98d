// The man page and the shell's completion, out of the table of commands.
#pragma once

#include <string>

namespace bloom_lfs::tool {

// For man(1), section 1.
std::string ManPage();
// For bash.
std::string BashCompletion();

}  // namespace bloom_lfs::tool
