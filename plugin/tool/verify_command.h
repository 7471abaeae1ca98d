// bloom_lfs verify DIR
#pragma once

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {

Command VerifyCommand();

}  // namespace bloom_lfs::tool
