// A file with the figures of this process, written anew every now and then, for Prometheus's
// textfile collector and for those who look. Others see one whole state of it or another.
//
// Thread safety: from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace bloom_lfs {

// Keeps the file at `path` up to date as long as the result, or another one for that path, is
// there. The shortest interval that anybody asks for counts. When the last is gone the file stays,
// and its figures are final. `%p` in `path` is the process's number: then every figure has it as
// the label "pid", the file goes with the last, and those that killed processes left there an hour
// ago and more go when this one begins.
std::shared_ptr<void> KeepFiguresFile(const std::string& path, std::chrono::milliseconds interval);

}  // namespace bloom_lfs
