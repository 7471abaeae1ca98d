// From what `bloom_lfs doctor` found to what to expect and what to do: one pure function.
#pragma once

#include <string>
#include <vector>

#include "plugin/tool/doctor_facts.h"

namespace bloom_lfs::tool {

enum class Outlook {
  kGain,        // synced writes will be faster
  kNoGain,      // nothing worth the trouble
  kNotReached,  // the plugin cannot carry logs here, or not for this program
  kUnsure,      // the machine was too busy to tell
};

// "gain", "no gain", "not reached", "unsure"
const char* NameOf(Outlook outlook);

// The plugin's speed as a multiple of stock's: operations per second of one writer that syncs each
// small row (db_bench's fillsync).
struct SpeedRatio {
  double expected = 0;  // 0: not known
  double low = 0;       // the band that most measurements lie in
  double high = 0;
};

// An option of the plugin that should differ from its default.
struct OptionAdvice {
  std::string option;
  std::string value;
  std::string reason;
};

struct DoctorVerdict {
  Outlook outlook = Outlook::kNoGain;
  SpeedRatio synced;
  std::string headline;                // the verdict in one sentence
  std::vector<std::string> reasons;    // sentences behind it
  std::vector<OptionAdvice> options;   // to set
  std::vector<std::string> to_change;  // around the plugin: limits, mounts, how a program is linked
  std::vector<std::string> notes;      // to know; nothing to do

  // Nothing to do but to switch it on.
  bool fine() const { return outlook == Outlook::kGain && options.empty() && to_change.empty(); }
};

DoctorVerdict JudgeFacts(const DoctorFacts& facts);

// The prediction alone.
SpeedRatio PredictSynced(const FileSystemFacts& file_system, const CostFacts& costs);

}  // namespace bloom_lfs::tool
