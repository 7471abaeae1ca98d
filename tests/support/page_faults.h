// Faults in a mapping, as a dying file system makes them, without one.
#pragma once

#include <csignal>
#include <string>

namespace lss::test {

// The file behind a mapping loses its pages: whoever touches them meets SIGBUS, and finds nothing.
void CutShort(const std::string& path, uint64_t bytes = 0);

// SIGBUS for an access to `address`, as for a store that the file system refuses while the page can
// still be read.
void RefuseStore(const char* address);

}  // namespace lss::test
