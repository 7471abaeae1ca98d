// Brings the bytes of one stream to a side log, and makes room for them if need be. A worker may do
// so when the stream is over: once the log has forgotten the stream, nothing of it is wanted.
//
// Thread safety: none; its owner's. In a forked child it is only destroyed.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/base/latency_histogram.h"
#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/second_place/side_log.h"
#include "lss/second_place/side_workers.h"

namespace lss {

// What the streams of one place have done. Relaxed: figures.
struct SecondFigures {
  std::atomic<uint64_t> side_syncs{0};      // that the side log made durable
  std::atomic<uint64_t> file_syncs{0};      // of files, by a sync or because their room was wanted
  std::atomic<uint64_t> degraded_syncs{0};  // of a mirror, without it
  std::atomic<uint64_t> doubled_bytes{0};   // handed to the side log
  LatencyHistogram side_waits;              // for the side log, by those who sync
  LatencyHistogram file_waits;              // for files
};

// What the streams of a place share. Nothing is owned; everything outlives the streams.
struct SecondParts {
  SideLog* log = nullptr;
  SideWorkers* workers = nullptr;
  SecondFigures* figures = nullptr;
  // Gives up something that the log keeps and nobody needs; false: there is nothing.
  std::function<bool()> make_room;
  WarningSink warn;  // may be null
};

class SideAppender {
 public:
  SideAppender(const StreamName& name, const SecondParts& parts);
  ~SideAppender();
  SideAppender(const SideAppender&) = delete;
  SideAppender& operator=(const SideAppender&) = delete;

  // The stream's bytes that end at `end`. NoSpace: pieces of them may be there.
  Status Append(const std::string& bytes, Address end);
  // What SideLog::Sync is to be told for all of them; 0: there are none.
  uint64_t group() const { return group_; }

 private:
  const StreamName name_;
  const SecondParts& parts_;
  const ForkGuard fork_guard_;
  uint64_t group_ = 0;
};

}  // namespace lss
