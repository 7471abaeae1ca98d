// Finds out what the judge wants to know of a ring and the file that it may belong to. Looks only;
// changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/recovery/judge.h"
#include "lss/ring/ring_view.h"

namespace lss {

// Whether a ring may still speak for its file, asked before R3 is acted on; for evidence that the
// store cannot know, like newer logs by somebody else. Null: always.
using StillCurrent = std::function<bool(const std::string& file, const RingView& ring)>;

// What the ring says by itself; `target` and what hinges on it are left as they are.
RingFacts FactsOfRing(const RingView& ring);

// A file that rings may belong to.
struct Candidate {
  std::string path;
  uint64_t inode;
};
// Those of `paths` that are there, in their order.
std::vector<Candidate> ExistingCandidates(const std::vector<std::string>& paths);

// The file among `candidates` that the ring names by its inode number; empty if there is none, or
// if the ring belongs to no file.
std::string FindTarget(const std::vector<Candidate>& candidates, const RingView& ring);

// All facts about the ring and the file that is open for reading at `fd`.
Status GatherFacts(int fd, const std::string& path, const RingView& ring,
                   const StillCurrent& still_current, RingFacts* facts);

// Whether the file still is what the dead owner left: around the watermark, file and ring agree,
// and behind it the file has nothing but zeros, its end, or the ring's own bytes.
Status CheckAgreement(int fd, const std::string& name, const RingView& ring, bool* agrees);

}  // namespace lss
