#include "db_bench_ext/setup_flags.h"

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <system_error>
#include <utility>

#include "db_bench_ext/arms.h"
#include "db_bench_ext/preflight.h"

DECLARE_string(arms);
DECLARE_string(db_bench);
DECLARE_string(extra_args);
DECLARE_bool(fast_stock_checksum);
DECLARE_string(fio);
DECLARE_string(fio_args);
DECLARE_string(nbdkit);
DECLARE_string(open_put_close);
DECLARE_string(open_replay);
DECLARE_string(page_store_benchmark);
DECLARE_string(plugin);
DECLARE_string(plugin_args);
DECLARE_string(plugin_uri);
DECLARE_string(rocksdb_lib);
DECLARE_double(scale);
DECLARE_string(second_db_bench);
DECLARE_string(second_plugin);
DECLARE_string(second_rocksdb_lib);
DECLARE_int64(seed);
DECLARE_string(stock_args);
DECLARE_int32(timeout_seconds);
DECLARE_string(without_figures);
DECLARE_string(without_second);

namespace bloom_lfs::bench {
namespace {

// A program of this build, unless a flag names another.
std::string ProgramOf(const std::filesystem::path& build_directory, const std::string& name,
                      const std::string& flag) {
  return flag.empty() ? (build_directory / "bin" / name).string() : flag;
}

Result<std::string> LibraryToPreload(const std::filesystem::path& file) {
  // Absolute, because LD_PRELOAD searches the library path for a bare name.
  std::error_code error;
  std::string path = std::filesystem::absolute(file, error);
  // A missing LD_PRELOAD library is only a warning to the dynamic linker.
  if (access(path.c_str(), R_OK) != 0) return Error{"cannot read the plugin " + path};
  return path;
}

// Another build of the plugin, if `flag` names one.
Failure AddOtherBuild(const std::string& flag, const std::string& file, std::string* library) {
  if (file.empty()) return std::nullopt;
  const Result<std::string> path = LibraryToPreload(file);
  if (!path.ok()) return Error{path.error().message + ", which --" + flag + " names"};
  *library = path.value();
  return std::nullopt;
}

// Where it is missing the dynamic linker would quietly take another library.
Failure CheckDirectory(const std::string& flag, const std::string& directory) {
  std::error_code error;
  if (directory.empty() || std::filesystem::is_directory(directory, error)) return std::nullopt;
  return Error{"--" + flag + ": there is no directory " + directory};
}

// The RocksDB of the arms "second…".
Failure AddSecondRocksDb(Setup* setup) {
  const auto has = [&](FurtherArm::Kind kind) {
    return std::any_of(setup->further_arms.begin(), setup->further_arms.end(),
                       [&](const FurtherArm& arm) { return arm.kind == kind; });
  };
  const bool plugin_too = has(FurtherArm::Kind::kSecondPlugin);
  if (!plugin_too && !has(FurtherArm::Kind::kSecondStock)) {
    if (FLAGS_second_db_bench.empty() && FLAGS_second_plugin.empty()) return std::nullopt;
    return Error{"--second_db_bench is in no arm; pass --arms=stock,plugin,second"};
  }
  if (FLAGS_second_db_bench.empty()) {
    return Error{"an arm of --arms needs --second_db_bench=<the db_bench of another RocksDB>"};
  }
  if (Failure failure = CheckDirectory("second_rocksdb_lib", FLAGS_second_rocksdb_lib)) {
    return failure;
  }
  if (FLAGS_second_plugin.empty() && (plugin_too || FLAGS_fast_stock_checksum)) {
    return Error{
        "an arm of --arms needs --second_plugin=<libbloom_lfs.so built for that RocksDB>; "
        "db_bench_ext/run builds it"};
  }
  const Result<std::string> name = ProgramName(FLAGS_second_db_bench, FLAGS_second_rocksdb_lib);
  if (!name.ok()) return name.error();
  setup->second_program = name.value();
  setup->second_db_bench = FLAGS_second_db_bench;
  setup->second_rocksdb_library = FLAGS_second_rocksdb_lib;
  if (FLAGS_second_plugin.empty()) return std::nullopt;
  const Result<std::string> plugin = LibraryToPreload(FLAGS_second_plugin);
  if (!plugin.ok()) return plugin.error();
  setup->second_plugin = plugin.value();
  return std::nullopt;
}

Failure AddFurtherArms(Setup* setup) {
  Result<std::vector<FurtherArm>> arms = ParseArms(FLAGS_arms);
  if (!arms.ok()) return arms.error();
  setup->further_arms = std::move(arms.value());
  for (const FurtherArm& arm : setup->further_arms) {
    if (FLAGS_plugin_uri.empty() && ArmFor(arm) == Arm::kPlugin) {
      return Error{"--plugin_uri= makes every arm stock; leave " + arm.name + " out of --arms"};
    }
  }
  return AddSecondRocksDb(setup);
}

}  // namespace

std::vector<std::string> SplitWords(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  std::string word;
  while (stream >> word) words.push_back(word);
  return words;
}

Result<Setup> MakeSetup(const std::filesystem::path& build_directory) {
  if (Failure failure = CheckDirectory("rocksdb_lib", FLAGS_rocksdb_lib)) return *failure;
  Setup setup;
  setup.db_bench = FLAGS_db_bench;
  setup.rocksdb_library = FLAGS_rocksdb_lib;
  setup.open_put_close = ProgramOf(build_directory, "open_put_close", FLAGS_open_put_close);
  setup.open_replay = ProgramOf(build_directory, "open_replay", FLAGS_open_replay);
  setup.page_store_benchmark =
      ProgramOf(build_directory, "page_store_benchmark", FLAGS_page_store_benchmark);
  setup.fio = FLAGS_fio;
  setup.nbdkit = FLAGS_nbdkit;
  setup.plugin_uri = FLAGS_plugin_uri;
  setup.fast_stock_checksum = FLAGS_fast_stock_checksum;
  if (!setup.plugin_uri.empty() || setup.fast_stock_checksum) {
    const Result<std::string> plugin =
        LibraryToPreload(FLAGS_plugin.empty() ? build_directory / "libbloom_lfs.so"
                                              : std::filesystem::path(FLAGS_plugin));
    if (!plugin.ok()) {
      return Error{
          plugin.error().message +
          "; build it (cmake --build --preset release) or pass --plugin=<libbloom_lfs.so>"};
    }
    setup.plugin = plugin.value();
  }
  if (Failure failure =
          AddOtherBuild("without_second", FLAGS_without_second, &setup.plugin_without_second)) {
    return *failure;
  }
  if (Failure failure =
          AddOtherBuild("without_figures", FLAGS_without_figures, &setup.plugin_without_figures)) {
    return *failure;
  }
  if (Failure failure = AddFurtherArms(&setup)) return *failure;
  setup.extra_arguments = SplitWords(FLAGS_extra_args);
  setup.stock_arguments = SplitWords(FLAGS_stock_args);
  setup.plugin_arguments = SplitWords(FLAGS_plugin_args);
  setup.fio_arguments = SplitWords(FLAGS_fio_args);
  setup.scale = FLAGS_scale;
  setup.seed = FLAGS_seed;
  setup.timeout = std::chrono::seconds(FLAGS_timeout_seconds);
  return setup;
}

}  // namespace bloom_lfs::bench
