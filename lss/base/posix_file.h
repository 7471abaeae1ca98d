// The few things that POSIX makes one write a loop or a trick for.
//
// Thread safety: functions without state; two calls on one descriptor may overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/base/unique_fd.h"

namespace lss {

// Up to `length` bytes from `offset`; fewer only at the end of the file. `name` is for the error.
Status ReadFully(int fd, const std::string& name, Address offset, size_t length, char* destination,
                 size_t* read);

// All of `bytes` at `offset`. NoSpace where the kernel takes no more and names no cause.
Status WriteFully(int fd, const std::string& name, Address offset, const std::string& bytes);

// Names of what is in `directory`, without "." and "..", in no particular order. NotFound if it
// does not exist.
Status ListDirectory(const std::string& directory, std::vector<std::string>* names);
// The same of an open directory, whose descriptor stays the caller's.
Status ListOpenDirectory(int fd, const std::string& directory, std::vector<std::string>* names);

// "dir" of "dir/name", "." of "name", "/" of "/name".
std::string DirectoryOf(const std::string& path);
// "name" of "dir/name".
std::string BaseNameOf(const std::string& path);

// A file in `directory` that has no name yet; an invalid fd where the file system has no such
// thing. NameFile gives it its name, which must not exist; false with errno otherwise.
UniqueFd CreateUnnamed(const std::string& directory);
bool NameFile(int fd, const std::string& path);

}  // namespace lss
