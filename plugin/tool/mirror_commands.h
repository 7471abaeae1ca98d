// bloom_lfs restore and bloom_lfs trim
#pragma once

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {

Command RestoreCommand();
Command TrimCommand();

}  // namespace bloom_lfs::tool
