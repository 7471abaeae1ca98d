// A file with the figures of this process, written anew every now and then, for Prometheus's
// textfile collector and for those who look. Others see one whole state of it or another.
//
// Thread safety: from any thread. A forked child has files of its own.
#pragma once

#include <chrono>
#include <string>

namespace bloom_lfs {

// Keeps the file at `path` up to date until the process exits; the shortest interval that anybody
// asks for counts. Then the file stays, and its figures are final. `%p` in `path` is the process's
// number: then every figure has it as the label "pid", the file goes when the process exits, and
// those that killed processes left there an hour ago and more go when this one begins. If it cannot
// be written, standard error gets a line, and it is tried again after each interval.
void KeepFiguresFile(const std::string& path, std::chrono::milliseconds interval);

// Does what is done at the process's exit, and waits no longer than that for a disk.
void FinishFiguresFiles(std::chrono::milliseconds patience);

}  // namespace bloom_lfs
