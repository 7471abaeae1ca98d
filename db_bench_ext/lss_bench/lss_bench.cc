// START HERE. What the store costs by itself, without RocksDB around it: appending, reserving,
// syncing, recovering, beside memcpy(3), write(2) and fdatasync(2).
//
//   lss_bench [--dir=DIRECTORY] [--benchmark_filter=append] [...]
//
// Exit status: 0 measured, 1 a row failed, 2 usage, or a directory that cannot be used.

#include <gflags/gflags.h>

#include <string>

#include "db_bench_ext/lss_bench/bench.h"

DEFINE_string(dir, ".", "Where files and rings are made, on the disk in question, and removed");
DEFINE_string(leave_log, "", "Internal: the log of a writer that is killed");
DEFINE_uint64(leave_bytes, 0, "Internal: how many bytes it appends");

namespace {

// The first word that gflags would not take, at which it would end with status 1 by itself; or
// null.
const char* FindUnknown(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t begin = word.find_first_not_of('-');
    if (begin == std::string::npos || begin < 1 || begin > 2) return argv[i];
    const size_t end = word.find('=');
    gflags::CommandLineFlagInfo info;
    if (!gflags::GetCommandLineFlagInfo(word.substr(begin, end - begin).c_str(), &info)) {
      return argv[i];
    }
    if (end == std::string::npos && info.type != "bool") ++i;  // the next word is its value
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  namespace bench = bloom_lfs::bench;
  benchmark::Initialize(&argc, argv);  // takes its flags out
  gflags::SetUsageMessage(
      "measures the store by itself; --dir=DIRECTORY says where. The flags of Google Benchmark "
      "begin with --benchmark_; --benchmark_list_tests names the rows");
  if (const char* const unknown = FindUnknown(argc, argv)) {
    bench::End(2, std::string("unknown argument ") + unknown + "; see --helpshort");
  }
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (!FLAGS_leave_log.empty()) {
    bench::LeaveLog(FLAGS_leave_log, FLAGS_leave_bytes);
  }
  bench::RegisterAppendRows();
  bench::RegisterReserveRows();
  bench::RegisterSyncRows();
  bench::RegisterRecoveryRows();
  bench::Begin(FLAGS_dir);
  if (benchmark::RunSpecifiedBenchmarks() == 0) {
    bench::End(2, "no row matches --benchmark_filter; --benchmark_list_tests names them");
  }
  bench::Finish();
  return 0;
}
