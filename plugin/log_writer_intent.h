// Who is about to create a log: RocksDB's log writer, or somebody who copies one?
//
// RocksDB asks for a log's file options (FileSystem::OptimizeForLogWrite) right before it creates
// or recycles a log of its own, on the same thread, through whatever Env and FileSystem lie in
// between; what those options carry may get lost there. Who copies logs (backup, restore,
// checkpoint) does not ask. A copy is written once, from front to back, and the numbers of copies
// in one directory say nothing about which of them comes first.
//
// Thread safety: every thread has an intent of its own.
#pragma once

#include <optional>

namespace bloom_lfs {

struct LogWriterIntent {
  // Bytes reach the file when RocksDB's user says so (DBOptions::manual_wal_flush).
  bool manual_flush = false;
};

// This thread has asked for the options of a log to be written.
void NoteLogWriterIntent(const LogWriterIntent& intent);
// That of this thread since its last creation of a file; forgotten with the call.
std::optional<LogWriterIntent> TakeLogWriterIntent();

}  // namespace bloom_lfs
