// bloom_lfs top [PID]
#pragma once

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {

Command TopCommand();

}  // namespace bloom_lfs::tool
