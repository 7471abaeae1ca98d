#include "db_bench_ext/recycled_logs.h"

#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "db_bench_ext/whole_file.h"

namespace bloom_lfs::bench {
namespace {

// As many logs as a database has that flushes behind its writers.
constexpr char kLogsKept[] = "4";

// With several databases in a run each has one, and they are alike.
std::optional<std::string> FindFile(const std::string& directory, const std::string& name) {
  std::error_code error;
  for (auto entry = std::filesystem::recursive_directory_iterator(directory, error);
       !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().rfind(name, 0) == 0) return entry->path().string();
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> WithOption(const std::string& options, const std::string& name,
                               const std::string& value) {
  const size_t at = options.find("\n  " + name + "=");
  if (at == std::string::npos) {
    return Error{"RocksDB's file of options has no " + name +
                 "; leave stock-recycle out of --arms"};
  }
  std::string changed = options;
  const size_t begin = options.find('=', at) + 1;
  changed.replace(begin, changed.find('\n', begin) - begin, value);
  return changed;
}

RecycledLogs::RecycledLogs(const WorkDirectory* directory) : directory_(*directory) {}

Result<Command> RecycledLogs::With(const Command& db_bench, const std::string& name,
                                   std::chrono::seconds timeout) {
  if (files_.count(name) == 0) {
    const std::string file =
        directory_.path() + "/options-" + std::to_string(files_.size()) + ".ini";
    if (Failure failure = MakeOptions(db_bench, file, timeout)) return *failure;
    files_[name] = file;
  }
  Command with = db_bench;
  with.argv.push_back("--options_file=" + files_[name]);
  return with;
}

Failure RecycledLogs::MakeOptions(const Command& db_bench, const std::string& file,
                                  std::chrono::seconds timeout) const {
  Result<std::string> options = FileOfRun(db_bench, "OPTIONS-", timeout);
  if (options.ok()) options = WithOption(options.value(), "recycle_log_file_num", kLogsKept);
  if (!options.ok()) return options.error();
  // Recovery is not measured.
  const Result<std::string> other_recovery =
      WithOption(options.value(), "wal_recovery_mode", "kSkipAnyCorruptedRecords");
  if (!other_recovery.ok()) return other_recovery.error();
  Command with = db_bench;
  with.argv.push_back("--options_file=" + file);
  const std::string in_effect = std::string("Options.recycle_log_file_num: ") + kLogsKept + "\n";
  for (const std::string& text : {options.value(), other_recovery.value()}) {
    if (const int error = ReplaceFile(file, text); error != 0) {
      return Error{"cannot write " + file + ": " + std::strerror(error)};
    }
    const Result<std::string> log = FileOfRun(with, "LOG", timeout);
    if (!log.ok()) return log.error();
    if (log.value().find(in_effect) != std::string::npos) return std::nullopt;
  }
  return Error{"this RocksDB recycles no logs, as its LOG says; leave stock-recycle out of --arms"};
}

Result<std::string> RecycledLogs::FileOfRun(const Command& db_bench, const std::string& name,
                                            std::chrono::seconds timeout) const {
  const Result<std::string> db = directory_.FreshSubdirectory("options");
  if (!db.ok()) return db.error();
  Command shortest = db_bench;  // of two flags with the same name the last one holds
  for (const std::string& flag :
       {std::string("--benchmarks=fillseq"), std::string("--num=1"), std::string("--writes=-1"),
        std::string("--threads=1"), std::string("--duration=0"),
        std::string("--use_existing_db=false"), "--db=" + db.value()}) {
    shortest.argv.push_back(flag);
  }
  const Result<ChildOutput> output = RunToEnd(shortest, timeout);
  if (!output.ok()) return output.error();
  const std::optional<std::string> file = FindFile(db.value(), name);
  if (!file.has_value()) return Error{"db_bench left no " + name + " in " + db.value()};
  return ReadWholeText(*file);
}

}  // namespace bloom_lfs::bench
