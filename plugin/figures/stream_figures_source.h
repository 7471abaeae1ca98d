// Figures of the logs and blob files that this process writes.
//
// Thread safety: from any thread.
#pragma once

#include <memory>
#include <string>

#include "lss/figures/board_copy.h"
#include "plugin/figures/figures.h"

namespace bloom_lfs {

// So long a sync may be under way, and nothing come of it, before it counts as overdue.
inline constexpr double kSyncOverdueSeconds = 1;

// From the first call on (or that of one below), the figures of all streams are among
// CollectFigures().
void CountStreams();
// For one stream.
std::shared_ptr<lss::StreamFigures> CountStream(lss::StreamKind kind, const std::string& path);
// A file of that kind goes to the wrapped file system.
void CountStockFile(lss::StreamKind kind);
// What others had left in their rings is in its file.
void CountRecovered(uint64_t bytes);

// For how long nothing has come of the syncs that are under way; 0: there are none.
double SyncUnderWaySeconds(const lss::StreamFigures& stream, int64_t now_ns);
// Bytes that were appended and are not in the file.
uint64_t UnwrittenBytes(const lss::StreamFigures& stream);
// Appended, and behind the end of the last sync.
uint64_t NotDurableBytes(const lss::StreamFigures& stream);

// For whatever reason.
uint64_t WrittenBytes(const lss::StreamFigures& stream);

const char* ToString(lss::StreamKind kind);
const char* ToString(lss::WaitFor what);
const char* ToString(lss::WrittenAs as);

// As the process shows them that the board is of.
void CollectBoard(const lss::BoardCopy& board, FigureSink* sink);

}  // namespace bloom_lfs
