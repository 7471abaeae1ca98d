// bloom_lfs doctor DIR
#pragma once

#include "plugin/tool/command.h"

namespace bloom_lfs::tool {

Command DoctorCommand();

}  // namespace bloom_lfs::tool
