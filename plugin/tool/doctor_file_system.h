// What the file system of a directory can do, tried with real I/O in private files.
#pragma once

#include <string>

#include "lss/base/status.h"
#include "plugin/tool/doctor_facts.h"
#include "plugin/tool/doctor_file.h"

namespace bloom_lfs::tool {

// `name`: with which kind of file costs are true there. An error: nothing can be written there, and
// why.
lss::Status LookAtFileSystem(const std::string& directory, FileSystemFacts* file_system,
                             DeviceFacts* device, PrivateFile::Name* name);

}  // namespace bloom_lfs::tool
