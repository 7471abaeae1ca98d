// What this process may do, and the RocksDB that is loaded into it.
#pragma once

#include "plugin/tool/doctor_facts.h"

namespace bloom_lfs::tool {

ProcessFacts LookAtProcess();
RocksDbFacts LookAtRocksDb();

}  // namespace bloom_lfs::tool
