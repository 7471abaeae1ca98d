// The process's SIGBUS handler, for the mappings of this library and for them only. A fault inside
// a watched mapping is the mapping's business; every other SIGBUS goes to the handler that was
// there before, or ends the process as it would have without us.
//
// It is installed with the first mapping, never earlier. Each further mapping looks whether it
// still is in place. Where somebody has installed another one since (a Java VM started late), ours
// goes on top again and hands on what is not ours; a handler that hands on to ours in turn gets to
// the ones before it, so two that know each other do not call each other for ever. After a few such
// rounds the other one is left in place; it then sees our faults first.
//
// Thread safety: every function from any thread, also in a forked child.
#pragma once

#include <cstdint>

namespace lss {

class SharedMapping;

namespace fault_handler {

// Mappings can be as large as this.
inline constexpr uint64_t kMappingBytesMax = uint64_t{1} << 32;

// Watches over `mapping` until Forget. False if there is no memory for that, or it is too large.
bool Watch(SharedMapping* mapping);
// REQUIRES: nobody uses the memory any more, and it is still mapped.
void Forget(SharedMapping* mapping);
// Whether the handler of the process is ours at this moment.
bool Installed();

}  // namespace fault_handler
}  // namespace lss
