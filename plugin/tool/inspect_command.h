// bloom_lfs inspect DIR
#pragma once

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {

Command InspectCommand();

}  // namespace bloom_lfs::tool
