// What a service does to its databases beside reading and writing.
#pragma once

#include <string>

#include "tests/field/host/command.h"
#include "tests/field/host/databases.h"

namespace field {

// flush NAME, sync_wal NAME, lock_wal NAME, unlock_wal NAME, catch_up NAME
std::string Flush(const Databases& databases, const Command& command);
std::string SyncWal(const Databases& databases, const Command& command);
std::string LockWal(const Databases& databases, const Command& command);
std::string UnlockWal(const Databases& databases, const Command& command);
std::string CatchUp(const Databases& databases, const Command& command);
// switch_wal NAME: the memtable is full, a new log begins; the old one is still needed.
std::string SwitchWal(const Databases& databases, const Command& command);
// resume NAME [seconds=15]: Resume() and a put, each second, until both succeed.
std::string Resume(const Databases& databases, const Command& command);
// wal_sizes NAME [how=sorted|storage]: "000004.log 1234 ..." of what the database says is live.
std::string WalSizes(const Databases& databases, const Command& command);
// backup NAME DIRECTORY [threads=1], restore DIRECTORY PATH [threads=1]
// checkpoint NAME DIRECTORY, destroy PATH
std::string Backup(const Databases& databases, const Command& command);
std::string Checkpoint(const Databases& databases, const Command& command);
std::string Destroy(const Command& command);
std::string Restore(const Command& command);

}  // namespace field
