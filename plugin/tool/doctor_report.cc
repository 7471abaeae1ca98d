#include "plugin/tool/doctor_report.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace bloom_lfs::tool {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct NamedCost {
  const char* key;  // in JSON
  const char* text;
  Cost CostFacts::*cost;
};
constexpr std::array<NamedCost, 5> kCosts = {{
    {"append_128_fdatasync", "append 128 bytes, fdatasync (stock's log)", &CostFacts::stock_sync},
    {"append_4k_fdatasync", "append 4 KiB, fdatasync", &CostFacts::append},
    {"overwrite_4k_fdatasync", "overwrite 4 KiB, fdatasync", &CostFacts::overwrite},
    {"durable_overwrite_4k", "overwrite 4 KiB, durable (the plugin's log)",
     &CostFacts::durable_overwrite},
    {"durable_unwritten_4k", "the same into blocks without data", &CostFacts::durable_unwritten},
}};

// --- as JSON ---

template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value.has_value() ? Json(*value) : Json(nullptr);
}

Json JsonOf(const Cost& cost) {
  return {{"count", cost.count},
          {"mean_us", cost.mean_us},
          {"median_us", cost.median_us},
          {"p99_us", cost.p99_us}};
}

Json JsonOf(const FileSystemFacts& facts) {
  const DirectIoFacts& direct = facts.direct_io;
  return {{"type", facts.type},
          {"mounted_from", facts.mounted_from},
          {"options", facts.options},
          {"in_memory", facts.in_memory},
          {"copy_on_write", facts.copy_on_write},
          {"journal", OrNull(facts.journal)},
          {"free_bytes", facts.free_bytes},
          {"block_bytes", facts.block_bytes},
          {"birth_times", facts.birth_times},
          {"o_tmpfile", facts.nameless_files},
          {"fallocate", facts.allocates_ahead},
          {"rwf_dsync", facts.durable_flag},
          {"shared_mapping", facts.shared_mapping},
          {"posix_locks", OrNull(facts.posix_locks)},
          {"ofd_locks", OrNull(facts.ofd_locks)},
          {"flock", OrNull(facts.flock_locks)},
          {"direct_io",
           {{"works", direct.works},
            {"refusal", direct.refusal},
            {"told_by_statx", direct.told},
            {"memory_alignment", direct.memory_alignment},
            {"offset_alignment", direct.offset_alignment}}}};
}

Json JsonOf(const DeviceFacts& facts) {
  if (facts.name.empty()) {
    return nullptr;
  }
  return {{"name", facts.name},
          {"write_cache", facts.write_cache},
          {"fua", OrNull(facts.fua)},
          {"rotational", OrNull(facts.rotational)},
          {"io_limits", facts.io_limits}};
}

Json JsonOf(const ProcessFacts& facts) {
  return {{"io_uring", facts.io_uring},
          {"io_uring_refusal", facts.io_uring_refusal},
          {"io_uring_disabled", OrNull(facts.io_uring_disabled)},
          {"seccomp", OrNull(facts.seccomp)},
          {"boot_id", facts.boot_id},
          {"open_files_max", OrNull(facts.open_files_max)},
          {"locked_memory_max_bytes", OrNull(facts.locked_memory_max_bytes)},
          {"file_size_max_bytes", OrNull(facts.file_size_max_bytes)},
          {"dev_shm", facts.ring_memory},
          {"dev_shm_free_bytes", facts.ring_memory_free_bytes}};
}

Json JsonOf(const CostFacts& facts) {
  Json costs = Json::object();
  for (const NamedCost& each : kCosts) {
    costs[each.key] = JsonOf(facts.*each.cost);
  }
  costs["sequential_mib_per_s"] = facts.sequential_mib_per_s;
  costs["rounds"] = facts.rounds.size();
  costs["processor_wait"] = OrNull(facts.processor_wait);
  return costs;
}

Json JsonOf(const RocksDbFacts& facts) {
  return {{"version", facts.version},
          {"soname", facts.soname},
          {"file", facts.file},
          {"checksum", facts.checksum},
          {"fast_checksum", OrNull(facts.fast_checksum)}};
}

const char* TextOf(RocksDbLinkage linkage) {
  switch (linkage) {
    case RocksDbLinkage::kShared:
      return "shared";
    case RocksDbLinkage::kExported:
      return "exported";
    case RocksDbLinkage::kHidden:
      return "hidden";
    case RocksDbLinkage::kNone:
      return "none";
  }
  return "";
}

// Of another file than this process has loaded, the checksum is not known.
Json JsonOf(const ProgramLinkage& program, const RocksDbFacts& rocksdb) {
  std::error_code error;
  const bool is_ours = std::filesystem::equivalent(program.file, rocksdb.file, error) && !error;
  return {{"path", program.path},
          {"rocksdb", TextOf(program.rocksdb)},
          {"soname", program.soname},
          {"file", TextOrNull(program.file)},
          {"version", TextOrNull(is_ours ? rocksdb.version : program.version)},
          {"checksum", TextOrNull(is_ours ? rocksdb.checksum : "")},
          {"through", program.through},
          {"static", program.is_static},
          {"other_machine", program.other_machine},
          {"other_c_library", program.other_c_library},
          {"gets_privileges", program.gets_privileges},
          {"libraries_not_found", program.unfound}};
}

Json JsonOf(const DoctorVerdict& verdict) {
  Json options = Json::array();
  for (const OptionAdvice& each : verdict.options) {
    options.push_back({{"option", each.option}, {"value", each.value}, {"reason", each.reason}});
  }
  Json synced = nullptr;
  if (verdict.synced.expected > 0) {
    synced = {{"expected", verdict.synced.expected},
              {"low", verdict.synced.low},
              {"high", verdict.synced.high}};
  }
  return {{"outlook", NameOf(verdict.outlook)},
          {"synced_ratio", synced},
          {"headline", verdict.headline},
          {"reasons", verdict.reasons},
          {"options", options},
          {"to_change", verdict.to_change},
          {"notes", verdict.notes}};
}

// --- for people ---

std::string InMicroseconds(double us) {
  char text[32];
  std::snprintf(text, sizeof(text), us < 10 ? "%.1f" : "%.0f", us);
  return text;
}

std::string YesNo(const std::optional<bool>& value) {
  return !value.has_value() ? "unknown" : *value ? "yes" : "no";
}

std::string LimitText(const std::optional<uint64_t>& limit) {
  return limit.has_value() ? std::to_string(*limit) : "unlimited";
}

std::string DirectIoText(const DirectIoFacts& direct) {
  if (!direct.works) {
    return "refused: " + direct.refusal;
  }
  return "yes, alignment " + std::to_string(direct.offset_alignment) + " (memory " +
         std::to_string(direct.memory_alignment) + "), " +
         (direct.told ? "says statx" : "as tried");
}

std::string SeccompText(const std::optional<int>& mode) {
  switch (mode.value_or(-1)) {
    case 0:
      return "none";
    case 1:
      return "strict";
    case 2:
      return "a filter";
    default:
      return "unknown";
  }
}

std::string DeviceText(const DeviceFacts& device) {
  if (device.name.empty()) {
    return "not found";
  }
  return device.name + ": cache " + (device.write_cache.empty() ? "unknown" : device.write_cache) +
         ", FUA " + YesNo(device.fua) + ", rotating " + YesNo(device.rotational);
}

void ShowPlace(const DoctorFacts& facts, Report* report) {
  const FileSystemFacts& file_system = facts.file_system;
  const ProcessFacts& process = facts.process;
  report->Table({
      {"directory", facts.directory},
      {"file system", file_system.type + " from " + file_system.mounted_from + ", " +
                          std::to_string(file_system.free_bytes >> 20) + " MiB free" +
                          (file_system.in_memory ? ", in memory" : "")},
      {"copy on write, journal",
       YesNo(file_system.copy_on_write) + ", " + YesNo(file_system.journal)},
      {"device", DeviceText(facts.device)},
      {"O_DIRECT", DirectIoText(file_system.direct_io)},
      {"RWF_DSYNC, fallocate, O_TMPFILE, mapping",
       YesNo(file_system.durable_flag) + ", " + YesNo(file_system.allocates_ahead) + ", " +
           YesNo(file_system.nameless_files) + ", " + YesNo(file_system.shared_mapping)},
      {"locks: fcntl, OFD, flock", YesNo(file_system.posix_locks) + ", " +
                                       YesNo(file_system.ofd_locks) + ", " +
                                       YesNo(file_system.flock_locks)},
      {"birth times, boot id", YesNo(file_system.birth_times) + ", " + YesNo(process.boot_id)},
      {"io_uring", process.io_uring ? "yes" : "refused: " + process.io_uring_refusal},
      {"seccomp", SeccompText(process.seccomp)},
      {"limits: files, locked, file size", LimitText(process.open_files_max) + ", " +
                                               LimitText(process.locked_memory_max_bytes) + ", " +
                                               LimitText(process.file_size_max_bytes)},
      {"/dev/shm", process.ring_memory
                       ? std::to_string(process.ring_memory_free_bytes >> 20) + " MiB free"
                       : "cannot be written to"},
      {"RocksDB", facts.rocksdb.version + " (" + facts.rocksdb.file + "), CRC-32C: " +
                      (facts.rocksdb.checksum.empty() ? "unknown" : facts.rocksdb.checksum)},
  });
}

void ShowCosts(const CostFacts& costs, Report* report) {
  Rows rows = {{"µs", "median", "p99", "count"}};
  for (const NamedCost& each : kCosts) {
    const Cost& cost = costs.*each.cost;
    rows.push_back({each.text, InMicroseconds(cost.median_us), InMicroseconds(cost.p99_us),
                    std::to_string(cost.count)});
  }
  report->Table(rows);
  report->Line("sequential write: " + InMicroseconds(costs.sequential_mib_per_s) + " MiB/s");
}

void ShowVerdict(const DoctorVerdict& verdict, Report* report) {
  report->Line(verdict.headline);
  for (const std::string& each : verdict.reasons) {
    report->Line("  " + each);
  }
  for (const OptionAdvice& each : verdict.options) {
    report->Line("  Set " + each.option + "=" + each.value + ": " + each.reason + ".");
  }
  for (const std::string& each : verdict.to_change) {
    report->Line("  " + each);
  }
  for (const std::string& each : verdict.notes) {
    report->Line("  Note: " + each);
  }
}

}  // namespace

void ShowDoctor(const DoctorFacts& facts, const DoctorVerdict& verdict, Report* report) {
  Json& json = report->json();
  json["directory"] = facts.directory;
  json["quick"] = facts.quick;
  json["file_system"] = JsonOf(facts.file_system);
  json["device"] = JsonOf(facts.device);
  json["process"] = JsonOf(facts.process);
  json["costs"] = JsonOf(facts.costs);
  json["rocksdb"] = JsonOf(facts.rocksdb);
  json["program"] =
      facts.program.has_value() ? JsonOf(*facts.program, facts.rocksdb) : Json(nullptr);
  json["verdict"] = JsonOf(verdict);
  ShowPlace(facts, report);
  report->Line("");
  ShowCosts(facts.costs, report);
  report->Line("");
  ShowVerdict(verdict, report);
}

}  // namespace bloom_lfs::tool
