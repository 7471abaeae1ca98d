// bloom_lfs recover DIR
#pragma once

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {

Command RecoverCommand();

}  // namespace bloom_lfs::tool
