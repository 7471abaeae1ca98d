// Copy-on-write file systems (btrfs, ZFS, bcachefs): the one place that tells them from others.
#pragma once

#include <cstdint>

namespace lss {

// Whether writing over written bytes changes those blocks and nothing else, so that space which was
// zeroed ahead makes a later sync cheap. `file_system_type` is f_type of statfs(2).
bool OverwritesInPlace(uint64_t file_system_type);

// The same for an open file; true where the kernel does not say.
bool FileOverwritesInPlace(int fd);

// Asks a copy-on-write file system to overwrite this file in place after all, so that blocks it has
// been given are enough for it. Only for a file that is still empty; a hint, without effect where
// there is no such thing.
void AvoidCopyOnWrite(int fd);

}  // namespace lss
