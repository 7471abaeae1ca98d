#include "plugin/tool/directory_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "lss/base/posix_file.h"
#include "lss/ring/ring_place.h"
#include "lss/ring/ring_view.h"
#include "plugin/directory_recovery.h"
#include "plugin/tool/log_files.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

bool EndsWith(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

void LookAtLog(const std::string& path, DirectoryState* state) {
  LogState log;
  log.path = path;
  lss::UniqueFd fd;
  struct stat st = {};
  const Status status = OpenLogFile(path, &fd, &st);
  state->Note(path, status);
  // Its size can be had without the right to read it.
  if ((status.ok() || stat(path.c_str(), &st) == 0) && S_ISREG(st.st_mode)) {
    log.in_file = log.logical = static_cast<uint64_t>(st.st_size);
    log.allocated = AllocatedBytes(st);
    state->logs.push_back(log);
  }
}

// Of a header that is whole. In the order in which the words never run ahead of each other.
void ReadWords(const lss::RingView& view, RingState* ring) {
  ring->is_whole = true;
  ring->maker = view.owner_pid();
  ring->closed = view.closed();
  ring->durable = view.durable();
  ring->written = view.hi_stable();
  ring->committed = view.committed();
}

// The log that a ring is named for, where it cannot say itself whose it is.
const lss::Candidate* NamedFor(const std::string& ring,
                               const std::vector<lss::Candidate>& candidates) {
  for (const lss::Candidate& candidate : candidates) {
    if (lss::BaseNameOf(ring) ==
        lss::RingFileName(lss::FileIdentity{0, candidate.identity.inode, 0})) {
      return &candidate;
    }
  }
  return nullptr;
}

// Whose ring it is, whatever becomes of it.
Status JudgeWith(const std::string& log, const lss::RingView& view,
                 const lss::RecoveryContext& context, RingState* ring, uint64_t* logical) {
  lss::UniqueFd fd;
  struct stat st = {};
  lss::ResolvedTail tail;
  Status status = OpenLogFile(log, &fd, &st);
  if (!status.ok()) {
    return status;
  }
  status = lss::ResolveTail(fd.get(), log, view.path(), context, &tail);
  if (status.ok() || status.code() == Status::Code::kNotSupported) {
    ring->ring_case = tail.ring_case;
    *logical = tail.growing ? ring->committed : tail.size;
  }
  return status;
}

// The ring at `path`, and the log that it belongs to.
void LookAtRing(const std::string& path, const lss::RingPlace& place,
                const std::vector<lss::Candidate>& candidates, const lss::RecoveryContext& context,
                DirectoryState* state) {
  RingState ring;
  ring.path = path;
  std::unique_ptr<lss::RingView> view;
  const Status opened = lss::RingView::Open(path, &view);
  state->Note(path, opened);
  if (!opened.ok()) {
    if (opened.code() != Status::Code::kNotFound) {
      state->rings.push_back(ring);
    }
    return;
  }
  struct stat st = {};
  ring.allocated = stat(path.c_str(), &st) == 0 ? AllocatedBytes(st) : 0;
  ring.owner = view->LockHolder();
  const lss::Candidate* target = lss::FindTarget(candidates, *view);
  if (view->header_state() == lss::HeaderState::kWhole) {
    ReadWords(*view, &ring);
  } else {
    target = NamedFor(path, candidates);
  }
  uint64_t logical = 0;
  if (target != nullptr) {
    const Status judged = JudgeWith(target->path, *view, context, &ring, &logical);
    state->Note(target->path, judged);
    ring.file = judged.code() == Status::Code::kNotFound ? "" : target->path;
  }
  if (ring.file.empty()) {
    ring.ring_case = lss::Judge(lss::FactsOfRing(*view, place.parent()));
  }
  if (access(path.c_str(), F_OK) != 0) {
    return;  // its owner has just closed the log
  }
  const auto log = std::find_if(state->logs.begin(), state->logs.end(), [&](const LogState& each) {
    return each.path == ring.file && each.ring == LogState::kNoRing;
  });
  if (log != state->logs.end()) {
    log->ring = state->rings.size();
    log->logical = ring.ring_case.has_value() ? logical : log->in_file;
  }
  state->rings.push_back(ring);
}

void LookAtRings(const std::string& directory, const lss::RecoveryContext& context,
                 DirectoryState* state) {
  const std::string rings = directory + "/" + lss::kRingDirectoryName;
  lss::RingPlace place;
  std::vector<std::string> names;
  Status status = lss::RingPlace::Open(rings, &place);
  status = status.ok() ? place.List(&names) : status;
  state->Note(rings, status);
  if (!status.ok()) {
    return;
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> paths;
  for (const LogState& log : state->logs) {
    paths.push_back(log.path);
  }
  const std::vector<lss::Candidate> candidates = lss::ExistingCandidates(paths);
  for (const std::string& path : lss::RingsOfOthers(place, rings, names)) {
    LookAtRing(path, place, candidates, context, state);
  }
  for (const std::string& name : names) {
    if (EndsWith(name, std::string(lss::kRingSuffix) + lss::kUnfinishedSuffix)) {
      state->unfinished.push_back(rings + "/" + name);
    } else if (EndsWith(name, lss::kAsideSuffix)) {
      state->set_aside.push_back(rings + "/" + name);
    }
  }
}

}  // namespace

void DirectoryState::Note(const std::string& path, const Status& status) {
  if (status.code() == Status::Code::kPermissionDenied && status.error_number() != 0) {
    forbidden.emplace(path, status);
  } else if (!status.ok() && status.code() != Status::Code::kNotFound) {
    failed.push_back(status);
  }
}

const LogState* DirectoryState::Find(const std::string& path) const {
  const auto found =
      std::find_if(logs.begin(), logs.end(), [&](const LogState& log) { return log.path == path; });
  return found == logs.end() ? nullptr : &*found;
}

void DirectoryState::Add(const DirectoryState& other) {
  for (LogState log : other.logs) {
    log.ring += log.ring == LogState::kNoRing ? 0 : rings.size();
    logs.push_back(log);
  }
  rings.insert(rings.end(), other.rings.begin(), other.rings.end());
  unfinished.insert(unfinished.end(), other.unfinished.begin(), other.unfinished.end());
  set_aside.insert(set_aside.end(), other.set_aside.begin(), other.set_aside.end());
  forbidden.insert(other.forbidden.begin(), other.forbidden.end());
  failed.insert(failed.end(), other.failed.begin(), other.failed.end());
}

lss::RecoveryContext ContextForLooking(const DatabaseOwner& owner) {
  lss::RecoveryContext context = PluginRecoveryContext();
  const bool nobody = owner.has_lock_file && owner.pid == 0;
  context.witness.no_owner_elsewhere = [nobody](const std::string&) { return nobody; };
  context.warn = nullptr;
  return context;
}

namespace {

DirectoryState LookAtDirectory(const std::string& directory, const lss::RecoveryContext& context) {
  DirectoryState state;
  std::vector<std::string> paths;
  state.Note(directory, ListLogFiles(directory, &paths));
  for (const std::string& path : paths) {
    LookAtLog(path, &state);
  }
  LookAtRings(directory, context, &state);
  return state;
}

}  // namespace

DirectoryState LookAtDirectories(const std::vector<OwnedDirectory>& directories) {
  DirectoryState all;
  for (const OwnedDirectory& each : directories) {
    all.Add(LookAtDirectory(each.path, ContextForLooking(each.owner)));
  }
  return all;
}

std::vector<OwnedDirectory> FindOwners(const std::vector<std::string>& directories,
                                       DirectoryState* problems) {
  std::vector<OwnedDirectory> owned;
  for (const std::string& directory : directories) {
    OwnedDirectory each = {directory, {}};
    problems->Note(directory + "/LOCK", FindDatabaseOwner(directory, &each.owner));
    owned.push_back(each);
  }
  return owned;
}

RingMatter MatterOf(const RingState& ring) {
  if (!ring.ring_case.has_value()) {
    return RingMatter::kUnknown;
  }
  switch (*ring.ring_case) {
    case lss::RingCase::kR2OwnerAlive:
    case lss::RingCase::kR11Busy:
      return RingMatter::kInUse;
    case lss::RingCase::kR13OtherKind:
      return RingMatter::kNothing;
    case lss::RingCase::kR15NotTrusted:
      return RingMatter::kUntrusted;
    default:
      return RingMatter::kRecover;
  }
}

const RingState* FindRing(const DirectoryState& state, RingMatter matter) {
  const auto found = std::find_if(state.rings.begin(), state.rings.end(),
                                  [=](const RingState& ring) { return MatterOf(ring) == matter; });
  return found == state.rings.end() ? nullptr : &*found;
}

bool IsEmpty(const DirectoryState& state) {
  return state.logs.empty() && state.rings.empty() && state.forbidden.empty() &&
         state.failed.empty();
}

bool IsAtRest(const DirectoryState& state) {
  return state.forbidden.empty() && state.failed.empty() &&
         std::all_of(state.rings.begin(), state.rings.end(), [](const RingState& ring) {
           const RingMatter matter = MatterOf(ring);
           return matter == RingMatter::kNothing || matter == RingMatter::kUntrusted;
         });
}

ExitCode ShowFailures(const DirectoryState& state, Report* report) {
  for (const auto& [path, status] : state.forbidden) {
    report->Fail("cannot read " + path + ": " + std::strerror(status.error_number()) +
                 "; run this as its owner, or as root");
  }
  for (const Status& status : state.failed) {
    report->Fail(status);
  }
  return !state.failed.empty() ? kFound : !state.forbidden.empty() ? kUsage : kFine;
}

}  // namespace bloom_lfs::tool
