// Who may write to a ring, and whose ring is believed. A ring's bytes become its log's bytes, so it
// is as trustworthy as the log only if whoever can write to it can write to the log anyway.
//
// Pure functions over what stat(2) tells.
#pragma once

#include "lss/base/file_identity.h"

namespace lss {

// Whether `ring` can only be the work of somebody who may write to `log`, or may replace it: it
// belongs to root, to the log's owner or to the owner of the log's `directory`, and nobody may
// write to it who may not write to the log.
bool IsTrustedRing(const FileAccess& ring, const FileAccess& log, const FileAccess& directory);
// The same of the directory of rings: nobody may write to it who may not write to `directory`.
bool IsTrustedRingDirectory(const FileAccess& ring_directory, const FileAccess& log,
                            const FileAccess& directory);

// The permission bits of a ring and of a directory of rings: what their owner needs, and for others
// at most what they have at the log. Where the group is another one, it counts as others.
uint32_t RingMode(const FileAccess& log, uint32_t ring_gid);
uint32_t RingDirectoryMode(const FileAccess& log, const FileAccess& directory,
                           uint32_t ring_directory_gid);

}  // namespace lss
