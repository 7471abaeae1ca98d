#include "db_bench_ext/background_load.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

namespace bloom_lfs::bench {
namespace {

// Another program's log: 4 KiB appended through the page cache, an fsync after each, as fast as it
// can. That keeps the file system's journal busy and leaves the device far from its bandwidth.
// Large writes would fill the device's queue, which delays every layout of a write-ahead log alike.
std::vector<std::string> FioArguments(const std::string& fio, const std::string& directory) {
  return {fio,
          "--name=neighbour",
          "--directory=" + directory,
          "--thread",  // one process, so that ending it by its id ends everything
          "--ioengine=psync",
          "--rw=write",
          "--bs=4k",
          "--fsync=1",
          "--size=512m",
          "--fallocate=none",
          "--time_based",
          "--runtime=600"};  // should this program be killed, fio still ends
}

bool HasWritten(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.file_size(error) > 0 && !error) return true;
  }
  return false;
}

}  // namespace

Result<BackgroundLoad> BackgroundLoad::Start(const std::string& fio,
                                             const WorkDirectory& work_directory,
                                             const std::vector<std::string>& extra_arguments) {
  if (Failure failure = work_directory.SettleFileSystem()) return *failure;
  const Result<std::string> directory = work_directory.FreshSubdirectory("fio");
  if (!directory.ok()) return directory.error();
  Command command{FioArguments(fio, directory.value()), "", ""};
  command.argv.insert(command.argv.end(), extra_arguments.begin(), extra_arguments.end());
  Result<ChildProcess> child = ChildProcess::Start(command);
  if (!child.ok()) return child.error();
  BackgroundLoad load(std::move(child.value()));

  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!HasWritten(directory.value())) {
    if (Failure failure = load.CheckStillRunning()) return *failure;
    if (SignalsAsResults::Interrupted()) return Error{"interrupted while fio was starting"};
    if (std::chrono::steady_clock::now() > give_up) {
      return Error{"fio wrote nothing to " + directory.value() +
                   " within 10 s; run it by hand: " + ToShellLine(command)};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  // Let it reach its steady state before anything is measured beside it.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return load;
}

Failure BackgroundLoad::CheckStillRunning() {
  if (fio_.IsRunning()) return std::nullopt;
  return Error{"fio ended before the run beside it did; its output ends with:\n" +
               fio_.LastWords()};
}

}  // namespace bloom_lfs::bench
