// What a host's script can do to its own process: limits, refusals, threads, children, signals.
#pragma once

#include <string>

#include "tests/field/host/command.h"

namespace field {

// The calling thread gets a policy: idle, batch, fifo or nice; pinned to processor 0.
void TakePolicy(const std::string& policy);

// limit descriptors|file_bytes COUNT: RLIMIT_NOFILE, RLIMIT_FSIZE of this process.
// limit memory MIB: RLIMIT_AS: so much more than now; -1: no limit.
std::string Limit(const Command& command);
// take descriptors [leave=N]: opens until none is left but N.  take threads: the same with threads.
std::string Take(const Command& command);
// give_back descriptors
std::string GiveBack(const Command& command);
// lock PATH flock|record [shared] [patient]: keeps a lock on a file opened for reading (record, not
// shared: for writing); patient: queues for it, in a thread, if another has it.
std::string Lock(const Command& command);
// refuse SYSTEM_CALL [error=NUMBER]: from now on, in every thread. EPERM unless another is named.
std::string Refuse(const Command& command);
// burn: a thread spins on processor 0.
std::string Burn();
// processor_ms: how much processor time the process has used.
std::string ProcessorMs();
// own_sigbus: a handler of the host's own, as a Java machine has one.
std::string OwnSigbus();
// fault: touches a page of the host's own whose file has been cut; its own handler must be asked.
std::string Fault(const Command& command);
// sleeper: a forked child that keeps every descriptor and sleeps; its process number.
std::string Sleeper();

}  // namespace field
