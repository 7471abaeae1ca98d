#include "db_bench_ext/arm_command.h"

#include <utility>

#include "db_bench_ext/rate_series.h"

namespace bloom_lfs::bench {
namespace {

void Append(std::vector<std::string>* to, const std::vector<std::string>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

std::vector<std::string> DbBenchArguments(const Setup& setup, const std::string& benchmarks,
                                          const std::string& db, int64_t seed) {
  return {setup.db_bench, "--benchmarks=" + benchmarks, "--db=" + db, "--compression_type=none",
          "--seed=" + std::to_string(seed)};
}

std::vector<std::string> OwnArguments(const Setup& setup, const OwnCommand& own,
                                      const std::string& db, int64_t seed) {
  std::vector<std::string> argv = {setup.db_bench};
  Append(&argv, own.arguments);
  Append(&argv, {"--db=" + db, "--seed=" + std::to_string(seed)});
  return argv;
}

void AppendFlagsOf(const Setup& setup, Arm arm, std::vector<std::string>* argv) {
  Append(argv, setup.extra_arguments);
  Append(argv, arm == Arm::kPlugin ? setup.plugin_arguments : setup.stock_arguments);
  if (arm == Arm::kStockWithoutWal) argv->emplace_back("--disable_wal");
}

Command WithPlugin(const Setup& setup, Arm arm, std::vector<std::string> argv) {
  if (arm != Arm::kPlugin || setup.plugin_uri.empty()) {
    return {std::move(argv), setup.fast_stock_checksum ? setup.plugin : "", setup.rocksdb_library};
  }
  argv.push_back("--fs_uri=" + setup.plugin_uri);
  return {std::move(argv), setup.plugin, setup.rocksdb_library};
}

std::string BenchmarksOf(const Workload& workload) {
  switch (workload.afterwards) {
    case Afterwards::kNothing:
      return workload.benchmark;
    case Afterwards::kChargedCompaction:
      return workload.benchmark + ",compact";
    case Afterwards::kWriteCount:
      return workload.benchmark + ",stats";
  }
  return workload.benchmark;
}

}  // namespace

const char* NameOf(Arm arm) {
  switch (arm) {
    case Arm::kStock:
      return "stock";
    case Arm::kPlugin:
      return "plugin";
    case Arm::kStockWithoutWal:
      return "stock, no WAL";
  }
  return "?";
}

Command MeasuredCommand(const Setup& setup, const Workload& workload, Arm arm, int round,
                        const std::string& db) {
  if (workload.beside_no_figures && arm == Arm::kStock) {
    Setup mine = setup;
    mine.plugin = setup.plugin_without_figures;
    return MeasuredCommand(mine, workload, Arm::kPlugin, round, db);
  }
  std::vector<std::string> argv;
  switch (workload.program) {
    case Program::kOpenPutClose:
    case Program::kOpenReplay:
      argv = {workload.program == Program::kOpenReplay ? setup.open_replay : setup.open_put_close,
              "--db=" + db};
      Append(&argv, AmountArguments(workload, setup.scale));
      break;
    case Program::kPageStoreBenchmark:
      argv = {setup.page_store_benchmark, "--dir=" + db};
      Append(&argv, AmountArguments(workload, setup.scale));
      return {std::move(argv), "", ""};
    case Program::kDbBench:
      if (workload.own.has_value()) {
        argv = OwnArguments(setup, *workload.own, db, setup.seed + round);
        AppendFlagsOf(setup, arm, &argv);
        break;
      }
      argv = DbBenchArguments(setup, BenchmarksOf(workload), db, setup.seed + round);
      Append(&argv, workload.arguments);
      if (workload.preparation.has_value()) argv.emplace_back("--use_existing_db");
      Append(&argv, AmountArguments(workload, setup.scale));
      if (const int64_t per_report = OperationsPerReport(workload, setup.scale); per_report > 0) {
        argv.push_back("--stats_interval=" + std::to_string(per_report));
      }
      AppendFlagsOf(setup, arm, &argv);
      break;
  }
  return WithPlugin(setup, arm, std::move(argv));
}

Setup SetupFor(const Setup& setup, const FurtherArm& arm) {
  using Kind = FurtherArm::Kind;
  Setup mine = setup;
  if (arm.kind == Kind::kSecondStock || arm.kind == Kind::kSecondPlugin) {
    mine.db_bench = setup.second_db_bench;
    mine.rocksdb_library = setup.second_rocksdb_library;
    mine.plugin = setup.second_plugin;
  }
  if (!arm.options.empty()) mine.plugin_uri = WithOptions(setup.plugin_uri, arm.options);
  return mine;
}

Arm ArmFor(const FurtherArm& arm) {
  switch (arm.kind) {
    case FurtherArm::Kind::kRecycledLogs:
    case FurtherArm::Kind::kSecondStock:
      return Arm::kStock;
    case FurtherArm::Kind::kWithoutWal:
      return Arm::kStockWithoutWal;
    case FurtherArm::Kind::kPluginWithOptions:
    case FurtherArm::Kind::kSecondPlugin:
      return Arm::kPlugin;
  }
  return Arm::kStock;
}

Command FlashCommand(const Setup& setup, const Workload& workload, const std::string& benchmarks,
                     int round, const std::string& db, const std::string& tier) {
  std::vector<std::string> argv = DbBenchArguments(setup, benchmarks, db, setup.seed + round);
  Append(&argv, workload.arguments);
  argv.emplace_back("--use_existing_db");
  argv.emplace_back("--cache_type=lru_cache");  // the only one that takes a tier in RocksDB 7.8
  Append(&argv, AmountArguments(workload, setup.scale));
  Append(&argv, setup.extra_arguments);
  Append(&argv, tier.empty() ? setup.stock_arguments : setup.plugin_arguments);
  if (!tier.empty()) {
    argv.push_back(workload.flash->blobs ? "--fs_uri=id=bloom_lfs;blob_flash={" + tier + "}"
                                         : "--secondary_cache_uri=id=bloom_lfs_flash;" + tier);
  }
  const bool preload = !tier.empty() || setup.fast_stock_checksum;
  return {std::move(argv), preload ? setup.plugin : "", setup.rocksdb_library};
}

std::string WithOptions(const std::string& uri, const std::string& options) {
  if (uri.empty()) return uri;
  return (uri.rfind("id=", 0) == 0 ? uri : "id=" + uri) + ";" + options;
}

Command SecondPlaceCommand(const Setup& setup, const Workload& workload, Arm arm, int round,
                           const std::string& db, const std::string& place) {
  const SecondPlace& second = *workload.second;
  if (arm == Arm::kStock && second.beside == SecondPlace::Beside::kStock) {
    return MeasuredCommand(setup, workload, arm, round, db);
  }
  Setup mine = setup;
  if (arm == Arm::kPlugin && second.where != SecondPlace::Where::kNone) {
    mine.plugin_uri =
        WithOptions(setup.plugin_uri, "second_mode=" + second.mode + ";second_place=" + place);
  } else if (arm == Arm::kStock && second.beside == SecondPlace::Beside::kWithout) {
    mine.plugin = setup.plugin_without_second;
  }
  return MeasuredCommand(mine, workload, Arm::kPlugin, round, db);
}

Command FillCommand(const Setup& setup, const Preparation& preparation, Arm arm,
                    const std::string& db) {
  std::vector<std::string> argv = DbBenchArguments(setup, preparation.benchmarks, db, setup.seed);
  Append(&argv, preparation.arguments);
  argv.push_back("--num=" + std::to_string(PreparedKeys(preparation, setup.scale)));
  AppendFlagsOf(setup, arm, &argv);
  return WithPlugin(setup, arm, std::move(argv));
}

}  // namespace bloom_lfs::bench
