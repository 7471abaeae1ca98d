// Finds out what the judge wants to know of a ring and the file that it may belong to. Looks only;
// changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/status.h"
#include "lss/recovery/evidence.h"
#include "lss/recovery/judge.h"
#include "lss/ring/ring_view.h"

namespace lss {

// Evidence that the store cannot know, for a ring whose file is at `file` and whose owner is dead.
// What is missing is taken for the best.
struct Witness {
  // Whether nobody else has gone on without this ring. `last_number`: of the stream's last record,
  // with the ring's bytes; 0 if that is not known.
  std::function<bool(const std::string& file, const RingView& ring, uint64_t last_number)> current;
  // Whether the streams before this one are known to their ends: behind a gap nothing counts.
  std::function<bool(const std::string& file)> earlier_whole;
  // Whether it is certain that no other process owns a stream beside `file`: then what looks like a
  // living owner elsewhere is none.
  std::function<bool(const std::string& file)> no_owner_elsewhere;
};

// A file that rings may belong to.
struct Candidate {
  std::string path;
  FileIdentity identity;
};
// Those of `paths` that are there, in their order.
std::vector<Candidate> ExistingCandidates(const std::vector<std::string>& paths);

// The file among `candidates` that the ring names: its own, or else one with its name, or else one
// with its inode number. Null if there is none, or if the ring belongs to no file.
const Candidate* FindTarget(const std::vector<Candidate>& candidates, const RingView& ring);

// What the ring says by itself, if nobody may write to it who may not write to a file of `log`'s
// access; `target` and what hinges on it are left as they are.
RingFacts FactsOfRing(const RingView& ring, const FileAccess& log);

// All facts about the ring and the file that is open for reading at `fd`, and the evidence that
// they rest on, where the verdict hinges on it.
Status GatherFacts(int fd, const std::string& path, const RingView& ring, const TailScanner& scan,
                   const Witness& witness, RingFacts* facts, Evidence* evidence);

// Whether the file still is what the dead owner left: around the watermark, file and ring agree,
// and behind it the file has nothing but zeros, its end, or the ring's own bytes.
Status CheckAgreement(int fd, const std::string& name, const RingView& ring, bool* agrees);

}  // namespace lss
