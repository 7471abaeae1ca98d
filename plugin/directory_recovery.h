// Recovery as RocksDB needs it: which files a ring may belong to, where a WAL's last whole record
// ends, and when a ring must not speak any more.
#pragma once

#include <string>

#include "lss/recovery/recovery.h"

namespace bloom_lfs {

// The store's recovery, knowing RocksDB's log format.
lss::RecoveryContext PluginRecoveryContext();

// Before the first change to the logs in `directory` (and, for a log in archive/, of its parent):
// replays or trims the logs of writers that died. Cheap when there is nothing to do. Safe for
// concurrent use, also by several processes.
lss::Status RecoverDirectory(const std::string& directory);

}  // namespace bloom_lfs
