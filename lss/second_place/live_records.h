// Which records of a side log are still wanted: those whose files are not durable as far.
//
// Thread safety: none; its owner's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "lss/base/types.h"
#include "lss/second_place/group_format.h"

namespace lss {

class LiveRecords {
 public:
  // Somebody may append to the stream until Leave: what comes after a Forget is not wanted then.
  void Enter(const StreamName& stream);
  void Leave(const StreamName& stream);
  // A record of the stream up to `end` is in the group at `lsn`. Those of one stream come in order.
  void Add(const StreamName& stream, Address end, uint64_t lsn);
  // The stream's file is durable below `end`: records that end there are not wanted any more.
  void FileDurable(const StreamName& stream, Address end);
  // Nothing of the stream is wanted any more: it was deleted.
  void Forget(const StreamName& stream);
  // Nor of any stream of the database.
  void ForgetDatabase(const Uuid& database);
  bool HasDatabase(const Uuid& database) const;

  bool empty() const { return by_stream_.empty(); }
  // LSN of the oldest that is wanted, and whose it is: the one to be brought to its file when room
  // is wanted. REQUIRES: not empty
  uint64_t oldest_lsn(StreamName* stream) const;

 private:
  struct Record {
    Address end;
    uint64_t lsn;
  };
  struct Appenders {
    int count = 0;
    bool is_forgotten = false;
  };
  std::map<StreamName, std::deque<Record>> by_stream_;  // none is empty
  std::map<StreamName, Appenders> appenders_;           // no count is 0
};

}  // namespace lss
