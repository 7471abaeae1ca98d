// Numbered rows: what a host writes, and finds again.
#pragma once

#include <string>

#include "tests/field/host/command.h"
#include "tests/field/host/databases.h"

namespace field {

// put NAME COUNT [sync] [from=ROW] [bytes=100] [tag=WORD] [pause_us=0] [ack=FILE] [cf=NAME] [timed]
// [down]
//   Rows [from, from + COUNT), down: the last one first. ack: a file whose first 8 bytes are the
//   number of rows acknowledged, in memory shared with whoever asks later.
std::string Put(const Databases& databases, const Command& command);

// fill NAME [...]: as put, until an error, which is the answer.
std::string Fill(const Databases& databases, const Command& command);

// check NAME COUNT|ack=FILE [from=ROW] [tag=WORD] [cf=NAME]
//   "0 missing"; or how many, and the first; those with another tag are "wrong".
std::string Check(const Databases& databases, const Command& command);

// get NAME KEY, set NAME KEY VALUE [sync]: single ones.
std::string GetOne(const Databases& databases, const Command& command);
std::string SetOne(const Databases& databases, const Command& command);

}  // namespace field
