#include "plugin/tool/doctor_verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace bloom_lfs::tool {
namespace {

// --- the model of a synced write ---

// What RocksDB and a wake-up of its thread take beside the device, with and without the plugin
// (db_bench_ext/README.md, "Where the time goes").
constexpr double kRocksDbUs = 15;
// How far measurements lie from the model beyond what the disk itself wanders.
constexpr double kModelBelow = 0.80;
constexpr double kModelAbove = 1.25;
// Copy-on-write: both sides do the same, and differ by chance.
constexpr SpeedRatio kSameWay = {1.0, 0.75, 1.25};
// Less is not worth a line in a unit file.
constexpr double kWorthwhile = 1.1;
// Below this the sync is not what a write waits for.
constexpr double kCheapSyncUs = 30;

// A quiet machine's process waits for a processor in 2 to 8 % of its time (a virtual one wakes up
// late); beside two busy loops it is 15 % and more, and what syncs cost is then others' doing.
constexpr double kBusyWait = 0.12;

// Zeros ahead of the tail save nothing where this is all that they save.
constexpr double kUselessFrontier = 1.02;
constexpr size_t kRoundsToBeSure = 8;

// --- limits ---

constexpr uint64_t kOpenFilesWanted = 1024;
constexpr uint64_t kFileSizeWanted = uint64_t{1} << 30;
constexpr uint64_t kFreeWanted = uint64_t{256} << 20;
constexpr uint64_t kDirectAlignment = 4096;  // what the plugin writes with

[[gnu::format(printf, 1, 2)]] std::string Sentence(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

// The value that `part` of the sorted ones lie below.
double Quantile(const std::vector<double>& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

template <typename Ratio>
std::vector<double> SortedRatios(const std::vector<CostRound>& rounds, const Ratio& ratio) {
  std::vector<double> ratios;
  for (const CostRound& round : rounds) {
    if (round.durable_overwrite > 0) {
      ratios.push_back(ratio(round));
    }
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios;
}

// --- what stands in the way ---

// Why the plugin carries no log here; empty if it does.
std::string ObstacleOf(const FileSystemFacts& file_system) {
  if (!file_system.shared_mapping) {
    return "the file system refuses shared mappings, so a log can have no ring and is written the "
           "stock way";
  }
  if (!file_system.posix_locks.value_or(true)) {
    return "the file system has no locks (fcntl), so a log can have no ring and is written the "
           "stock "
           "way; RocksDB needs them, too";
  }
  return "";
}

// Why its shared RocksDB is not the one that the plugin is for; empty if it may be.
std::string OtherLibrary(const ProgramLinkage& program, const RocksDbFacts& rocksdb) {
  const std::string file = program.file.empty() ? program.soname : program.file;
  if (program.soname != rocksdb.soname) {
    return "it is linked to " + program.soname + ", and this plugin to " + rocksdb.soname +
           "; build bloom_lfs for that version";
  }
  if (!program.version.empty() && program.version != rocksdb.version) {
    return "it loads " + file + ", and this plugin is for " + rocksdb.version +
           "; build bloom_lfs for that version";
  }
  if (!program.file.empty() && rocksdb.has_typeinfo && !program.has_typeinfo) {
    return file + " was built without RTTI, and this plugin for one with it; build bloom_lfs for " +
           "that library";
  }
  return "";
}

// Why preloading does not reach the program's RocksDB; empty if it does.
std::string ObstacleOf(const ProgramLinkage& program, const RocksDbFacts& rocksdb) {
  const std::string remedy =
      "; link it to " + rocksdb.soname + ", or build its RocksDB with ROCKSDB_PLUGINS=bloom_lfs";
  if (program.other_machine) {
    return "it is for another processor than this plugin";
  }
  if (program.other_c_library) {
    return "it uses another C library (musl); build RocksDB and bloom_lfs with that one";
  }
  if (program.gets_privileges) {
    return "it gets privileges when it starts (set-uid, set-gid or file capabilities), and the "
           "system ignores LD_PRELOAD; start it without them, by a service that has them";
  }
  if (program.is_static) {
    return "it is linked statically as a whole: nothing can be preloaded into it" + remedy;
  }
  const std::string where = program.through.empty() ? "it" : program.through;
  switch (program.rocksdb) {
    case RocksDbLinkage::kExported:
      return where + " has a RocksDB of its own, and not the shared library" + remedy;
    case RocksDbLinkage::kHidden:
      return where +
             " has a RocksDB of its own, with hidden symbols: the preloaded library cannot "
             "see it" +
             remedy;
    case RocksDbLinkage::kShared:
      return OtherLibrary(program, rocksdb);
    case RocksDbLinkage::kNone:
      return "";
  }
  return "";
}

// Whether what was measured says little. Where the figures decide nothing, that does not matter.
bool IsTooBusy(const DoctorFacts& facts) {
  return facts.costs.processor_wait.value_or(0) > kBusyWait && !facts.file_system.in_memory &&
         !facts.file_system.copy_on_write;
}

// --- the parts of a verdict ---

void ExplainNoGain(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const CostFacts& costs = facts.costs;
  if (facts.file_system.in_memory) {
    verdict->headline = "don't: nothing to gain here, because " + facts.directory +
                        " is in memory, where a sync costs nothing";
  } else if (facts.file_system.copy_on_write) {
    verdict->headline =
        "don't, for synced writes: nothing to gain here, because " + facts.file_system.type +
        " writes every block to a new place, and the plugin syncs there as stock does";
  } else if (costs.stock_sync.mean_us < kCheapSyncUs) {
    verdict->headline = Sentence(
        "don't: nothing to gain here, because a sync takes %.0f µs, which is little beside "
        "RocksDB's own work",
        costs.stock_sync.mean_us);
  } else {
    verdict->headline = Sentence(
        "don't: nothing to gain here, because stock's sync (%.0f µs) takes no longer than an "
        "overwrite of written blocks (%.0f µs)",
        costs.stock_sync.mean_us, costs.durable_overwrite.mean_us);
  }
}

void ExplainSpeed(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const CostFacts& costs = facts.costs;
  verdict->reasons.push_back(
      Sentence("Synced writes of one thread (db_bench's fillsync): %.2f times as fast as stock, "
               "between %.2f and %.2f.",
               verdict->synced.expected, verdict->synced.low, verdict->synced.high));
  if (verdict->outlook == Outlook::kGain) {
    verdict->reasons.push_back(Sentence(
        "Stock appends and syncs the file's new size: %.0f µs. The plugin overwrites blocks "
        "that are there: %.0f µs.",
        costs.stock_sync.mean_us, costs.durable_overwrite.mean_us));
  }
  verdict->reasons.emplace_back("Writes without sync: not slower.");
}

void AdviseOptions(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const FileSystemFacts& file_system = facts.file_system;
  const DirectIoFacts& direct = file_system.direct_io;
  if (!direct.works && !file_system.copy_on_write) {
    const bool coarse = direct.told && direct.offset_alignment > kDirectAlignment;
    verdict->options.push_back({"direct_io", "false",
                                coarse ? Sentence("direct I/O needs an alignment of %u bytes here",
                                                  direct.offset_alignment)
                                       : "the file system refuses direct I/O: " + direct.refusal});
  }
  if (!facts.process.io_uring) {
    verdict->options.push_back(
        {"io_uring", "false", "io_uring is refused: " + facts.process.io_uring_refusal});
  }
  const std::vector<double> saved = SortedRatios(facts.costs.rounds, [](const CostRound& round) {
    return round.durable_unwritten / round.durable_overwrite;
  });
  if (verdict->outlook == Outlook::kGain && saved.size() >= kRoundsToBeSure &&
      Quantile(saved, 0.75) < kUselessFrontier) {
    verdict->options.push_back(
        {"frontier_bytes", "0",
         "a write into blocks that hold no data is as fast as one over data, so zeros ahead of the "
         "tail would be written for nothing"});
  }
}

void CheckLimits(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const ProcessFacts& process = facts.process;
  if (process.open_files_max.value_or(kOpenFilesWanted) < kOpenFilesWanted) {
    verdict->to_change.push_back(Sentence(
        "Raise the limit of open files (ulimit -n, LimitNOFILE=): it is %llu, and the plugin "
        "needs one more than stock for each live log.",
        static_cast<unsigned long long>(*process.open_files_max)));
  }
  if (process.file_size_max_bytes.value_or(kFileSizeWanted) < kFileSizeWanted) {
    verdict->to_change.push_back(Sentence(
        "Raise the limit of file sizes (ulimit -f, LimitFSIZE=): it is %llu bytes, and a log "
        "is as large as a memtable.",
        static_cast<unsigned long long>(*process.file_size_max_bytes)));
  }
  if (facts.file_system.free_bytes < kFreeWanted) {
    verdict->to_change.push_back(Sentence(
        "Make room: %llu MiB are free. A ring takes 2 MiB for each live log, zeros ahead up "
        "to 16 MiB, RocksDB much more.",
        static_cast<unsigned long long>(facts.file_system.free_bytes >> 20)));
  }
}

void NoteDatabase(const DoctorFacts& facts, DoctorVerdict* verdict) {
  verdict->notes.insert(verdict->notes.end(), facts.remarks.begin(), facts.remarks.end());
}

void NoteFileSystem(const FileSystemFacts& file_system, DoctorVerdict* verdict) {
  if (!file_system.durable_flag) {
    verdict->notes.emplace_back(
        "RWF_DSYNC is refused: a sync is a write and an fdatasync; the figures include that.");
  }
  if (!file_system.allocates_ahead) {
    verdict->notes.emplace_back(
        "fallocate is refused: a full disk shows when the ring is written out, not at the append.");
  }
  if (!file_system.birth_times) {
    verdict->notes.emplace_back(
        "No birth times: which ring belongs to which log is told by their bytes alone after the "
        "file "
        "system was mounted elsewhere.");
  }
  if (!file_system.ofd_locks.value_or(true) || !file_system.flock_locks.value_or(true)) {
    verdict->notes.emplace_back(
        "OFD or flock locks do not work here. RocksDB and the plugin need neither.");
  }
}

void NoteBlobs(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const bool bare = facts.file_system.journal == std::optional<bool>(false) &&
                    facts.file_system.direct_io.works && !facts.file_system.in_memory;
  if (bare && facts.rocksdb.fast_checksum.value_or(false)) {
    verdict->notes.emplace_back(
        "Blob files: with unsynced values of 64 KiB stock was faster on a file system without "
        "journal "
        "where RocksDB computes checksums fast itself; try blob_files=false if you load such.");
  }
}

void NoteProcess(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const ProcessFacts& process = facts.process;
  if (!process.boot_id) {
    verdict->notes.emplace_back(
        "No boot id is to be seen: after a kill, logs that are compressed or encrypted are taken "
        "as "
        "after a power cut.");
  }
  if (!process.ring_memory) {
    verdict->notes.emplace_back(
        "/dev/shm cannot be written to: second_mode=failover and hedge need ring_directory=, a "
        "directory in memory.");
  } else if (process.ring_memory_free_bytes < kFreeWanted) {
    verdict->notes.push_back(
        Sentence("/dev/shm has %llu MiB free: second_mode=failover and hedge take up to 64 MiB for "
                 "each log while its disk hangs.",
                 static_cast<unsigned long long>(process.ring_memory_free_bytes >> 20)));
  }
  for (const std::string& limit : facts.device.io_limits) {
    verdict->notes.push_back("The control group limits this disk; the figures include that (" +
                             limit + ").");
  }
}

void NoteProgram(const DoctorFacts& facts, DoctorVerdict* verdict) {
  const ProgramLinkage& program = *facts.program;
  if (program.rocksdb == RocksDbLinkage::kNone) {
    verdict->notes.push_back(
        "No RocksDB is in " + program.path +
        " or the libraries it is linked to. If it loads one while it runs, preloading reaches that "
        "one if it is " +
        facts.rocksdb.soname + ".");
  } else {
    verdict->notes.push_back("Preloading reaches the RocksDB of " + program.path + " (" +
                             (program.file.empty() ? program.soname : program.file) +
                             (program.through.empty() ? "" : ", by " + program.through) + ").");
  }
  if (!program.unfound.empty()) {
    verdict->notes.push_back(program.path + " is linked to libraries that were not found here, " +
                             program.unfound.front() + " for one: they were not looked into.");
  }
}

}  // namespace

const char* NameOf(Outlook outlook) {
  switch (outlook) {
    case Outlook::kGain:
      return "gain";
    case Outlook::kNoGain:
      return "no gain";
    case Outlook::kNotReached:
      return "not reached";
    case Outlook::kUnsure:
      return "unsure";
  }
  return "";
}

SpeedRatio PredictSynced(const FileSystemFacts& file_system, const CostFacts& costs) {
  if (file_system.copy_on_write) {
    return kSameWay;
  }
  const std::vector<double> ratios = SortedRatios(costs.rounds, [](const CostRound& round) {
    return (round.stock_sync + kRocksDbUs) / (round.durable_overwrite + kRocksDbUs);
  });
  if (ratios.empty()) {
    return {};
  }
  return {Quantile(ratios, 0.5), kModelBelow * Quantile(ratios, 0.1),
          kModelAbove * Quantile(ratios, 0.9)};
}

DoctorVerdict JudgeFacts(const DoctorFacts& facts) {
  DoctorVerdict verdict;
  verdict.synced = PredictSynced(facts.file_system, facts.costs);
  const std::string here = ObstacleOf(facts.file_system);
  const std::string there =
      facts.program.has_value() ? ObstacleOf(*facts.program, facts.rocksdb) : "";
  if (!here.empty()) {
    verdict.outlook = Outlook::kNotReached;
    verdict.synced = {1, 1, 1};
    verdict.headline = "don't: nothing to gain here, because " + here;
  } else if (!there.empty()) {
    verdict.outlook = Outlook::kNotReached;
    verdict.headline = "don't: preloading does not reach " + facts.program->path + ": " + there;
  } else if (IsTooBusy(facts)) {
    verdict.outlook = Outlook::kUnsure;
    verdict.headline = Sentence(
        "not sure: other programs kept the processors from this one for %.0f %% of the time; "
        "measure "
        "again when they rest",
        100 * facts.costs.processor_wait.value_or(0));
  } else if (verdict.synced.expected >= kWorthwhile && !facts.file_system.in_memory) {
    verdict.outlook = Outlook::kGain;
    verdict.headline = Sentence("use it: synced writes will be about %.1f times as fast as stock's",
                                verdict.synced.expected);
  } else {
    ExplainNoGain(facts, &verdict);
  }
  NoteDatabase(facts, &verdict);
  if (here.empty()) {
    ExplainSpeed(facts, &verdict);
    AdviseOptions(facts, &verdict);
    NoteFileSystem(facts.file_system, &verdict);
    NoteBlobs(facts, &verdict);
  }
  CheckLimits(facts, &verdict);
  NoteProcess(facts, &verdict);
  if (facts.program.has_value() && there.empty()) {
    NoteProgram(facts, &verdict);
  }
  return verdict;
}

}  // namespace bloom_lfs::tool
