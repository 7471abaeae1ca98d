// The block device below a file system, as /sys shows it.
#pragma once

#include <optional>

#include "plugin/tool/doctor_facts.h"
#include "plugin/tool/mount_table.h"

namespace bloom_lfs::tool {

// Of the file system that the open file `fd` is in. Without a name if there is none, or it cannot
// be found.
DeviceFacts LookAtDevice(int fd, const std::optional<Mount>& mount);

// Whether the file system keeps a journal; none: it cannot be told.
std::optional<bool> LookForJournal(const std::string& file_system_type, const DeviceFacts& device);

}  // namespace bloom_lfs::tool
