#include "plugin/tool/top_rows.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "plugin/figures/stream_figures_source.h"

namespace bloom_lfs::tool {
namespace {

using lss::BoardCopy;
using lss::LatencyHistogram;
using lss::StreamFigures;
using lss::StreamKind;

constexpr double kPercentile = 0.99;
constexpr size_t kCommandShown = 50;  // characters

// What has come to a histogram between two looks.
struct Times {
  std::array<uint64_t, LatencyHistogram::kClasses> counts = {};
  uint64_t count = 0;
  uint64_t nanos = 0;
};

Times Between(const LatencyHistogram& before, const LatencyHistogram& after) {
  Times times;
  for (size_t each = 0; each < LatencyHistogram::kClasses; ++each) {
    times.counts[each] = after.count(each) - std::min(after.count(each), before.count(each));
    times.count += times.counts[each];
  }
  times.nanos = after.nanos() - std::min(after.nanos(), before.nanos());
  return times;
}

double PercentileMicros(const Times& times) {
  const double wanted = kPercentile * static_cast<double>(times.count);
  uint64_t below = 0;
  for (size_t each = 0; each < LatencyHistogram::kUpToMicros.size(); ++each) {
    below += times.counts[each];
    if (times.count > 0 && static_cast<double>(below) >= wanted) {
      return static_cast<double>(LatencyHistogram::kUpToMicros[each]);
    }
  }
  // Of the last class nothing is known but where it begins.
  return times.count == 0 ? 0 : static_cast<double>(LatencyHistogram::kUpToMicros.back());
}

std::string LongestWait(const StreamFigures& before, const StreamFigures& after) {
  uint64_t most = 0;
  std::string longest;
  for (size_t each = 0; each < lss::kWaitsFor; ++each) {
    const uint64_t nanos = Between(before.waits[each], after.waits[each]).nanos;
    if (nanos > most) {
      most = nanos;
      longest = bloom_lfs::ToString(static_cast<lss::WaitFor>(each));
    }
  }
  return longest;
}

void FillRates(const StreamFigures& before, const StreamFigures& after, double seconds,
               TopRow* row) {
  const auto grown = [&](const lss::Counter StreamFigures::*counter) {
    const uint64_t now = (after.*counter).value();
    return static_cast<double>(now - std::min(now, (before.*counter).value()));
  };
  const double bytes = grown(&StreamFigures::appended_bytes);
  const double syncs = grown(&StreamFigures::syncs);
  row->appends = grown(&StreamFigures::appends) / seconds;
  row->appended_bytes = bytes / seconds;
  row->syncs = syncs / seconds;
  row->coalesced = syncs > 0 ? grown(&StreamFigures::coalesced_syncs) / syncs : 0;
  const Times times = Between(before.sync_time, after.sync_time);
  row->sync_mean_us =
      times.count > 0 ? static_cast<double>(times.nanos) / static_cast<double>(times.count) / 1e3
                      : 0;
  row->sync_p99_us = PercentileMicros(times);
  row->waits_for = LongestWait(before, after);
  const uint64_t written =
      WrittenBytes(after) - std::min(WrittenBytes(after), WrittenBytes(before));
  row->written_per_byte = bytes > 0 ? static_cast<double>(written) / bytes : 0;
}

void FillErrors(const StreamFigures& figures, TopRow* row) {
  row->passing_errors = figures.passing_errors.value();
  row->final_errors = figures.final_errors.value();
  row->fallbacks = figures.outran_device.value() + figures.left_ring.value();
}

void AddState(const StreamFigures& stream, int64_t now_ns, TopRow* row) {
  (stream.is_hot.value() != 0 ? row->hot : row->cold) += 1;
  row->unwritten_bytes += UnwrittenBytes(stream);
  row->sync_under_way_s = std::max(row->sync_under_way_s, SyncUnderWaySeconds(stream, now_ns));
}

bool IsEarlierLook(const WatchedProcess* before, const WatchedProcess& after) {
  return before != nullptr && before->pid == after.pid && before->read_at_ns < after.read_at_ns;
}

double SecondsBetween(const WatchedProcess& before, const WatchedProcess& after) {
  return static_cast<double>(after.read_at_ns - before.read_at_ns) / 1e9;
}

std::string Number(double value, const char* format) {
  char text[40];
  snprintf(text, sizeof(text), format, value);
  return text;
}

std::string Count(double value) { return Number(value, "%.0f"); }

using Key = std::function<double(const TopRow&)>;

const std::vector<std::pair<std::string, Key>>& Keys() {
  static const auto* const keys = new std::vector<std::pair<std::string, Key>>{
      {"appends", [](const TopRow& row) { return row.appends; }},
      {"bytes", [](const TopRow& row) { return row.appended_bytes; }},
      {"syncs", [](const TopRow& row) { return row.syncs; }},
      {"mean", [](const TopRow& row) { return row.sync_mean_us; }},
      {"p99", [](const TopRow& row) { return row.sync_p99_us; }},
      {"unwritten", [](const TopRow& row) { return static_cast<double>(row.unwritten_bytes); }},
      {"waiting", [](const TopRow& row) { return row.sync_under_way_s; }},
      {"errors",
       [](const TopRow& row) {
         return static_cast<double>(row.final_errors + row.passing_errors);
       }},
      {"pid", [](const TopRow& row) { return -static_cast<double>(row.pid); }},
  };
  return *keys;
}

}  // namespace

std::vector<TopRow> RowsByProcess(const WatchedProcess* before, const WatchedProcess& after) {
  std::vector<TopRow> rows;
  for (size_t each = 0; each < lss::kStreamKinds; ++each) {
    const auto kind = static_cast<StreamKind>(each);
    const std::unique_ptr<StreamFigures> total = after.board.Total(kind);
    TopRow row;
    row.pid = after.pid;
    row.command = after.command;
    row.kind = bloom_lfs::ToString(kind);
    after.board.VisitStreams([&](const BoardCopy::Stream& stream) {
      if (stream.kind == kind) {
        AddState(stream.figures, after.read_at_ns, &row);
      }
    });
    FillErrors(*total, &row);
    row.fallbacks += after.board.header().process.stock_files[each].value();
    if (IsEarlierLook(before, after)) {
      FillRates(*before->board.Total(kind), *total, SecondsBetween(*before, after), &row);
    }
    if (total->appends.value() > 0 || row.hot + row.cold + row.fallbacks > 0) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<TopRow> RowsByFile(const WatchedProcess* before, const WatchedProcess& after) {
  const bool has_rates = IsEarlierLook(before, after);
  std::map<std::string, const StreamFigures*> earlier;
  if (has_rates) {
    before->board.VisitStreams(
        [&](const BoardCopy::Stream& stream) { earlier[stream.path] = &stream.figures; });
  }
  const StreamFigures nothing;
  std::vector<TopRow> rows;
  after.board.VisitStreams([&](const BoardCopy::Stream& stream) {
    TopRow row;
    row.pid = after.pid;
    row.command = after.command;
    row.kind = bloom_lfs::ToString(stream.kind);
    row.file = stream.path;
    AddState(stream.figures, after.read_at_ns, &row);
    FillErrors(stream.figures, &row);
    if (has_rates) {
      const auto found = earlier.find(stream.path);
      FillRates(found == earlier.end() ? nothing : *found->second, stream.figures,
                SecondsBetween(*before, after), &row);
    }
    rows.push_back(std::move(row));
  });
  return rows;
}

bool SortRows(const std::string& column, std::vector<TopRow>* rows) {
  if (column == "file") {
    std::stable_sort(rows->begin(), rows->end(),
                     [](const TopRow& a, const TopRow& b) { return a.file < b.file; });
    return true;
  }
  for (const auto& [name, key] : Keys()) {
    if (name == column) {
      std::stable_sort(rows->begin(), rows->end(),
                       [by = key](const TopRow& a, const TopRow& b) { return by(a) > by(b); });
      return true;
    }
  }
  return false;
}

std::vector<std::string> SortColumns() {
  std::vector<std::string> names;
  for (const auto& [name, key] : Keys()) {
    names.push_back(name);
  }
  names.emplace_back("file");
  return names;
}

std::vector<std::vector<std::string>> TableOf(const std::vector<TopRow>& rows) {
  std::vector<std::vector<std::string>> table = {
      {"PID", "KIND", "HOT", "COLD", "APPENDS/s", "MB/s", "SYNCS/s", "SHARED", "MEAN µs", "P99 µs",
       "WAITS FOR", "WRITTEN", "IN RING", "WAITING", "ERRORS", "FALLBACKS", "WHAT"}};
  for (const TopRow& row : rows) {
    table.push_back(
        {std::to_string(row.pid), row.kind, std::to_string(row.hot), std::to_string(row.cold),
         Count(row.appends), Number(row.appended_bytes / 1e6, "%.1f"), Count(row.syncs),
         Number(row.coalesced * 100, "%.0f%%"), Count(row.sync_mean_us), Count(row.sync_p99_us),
         row.waits_for.empty() ? "-" : row.waits_for, Number(row.written_per_byte, "%.2fx"),
         Number(static_cast<double>(row.unwritten_bytes) / 1024, "%.0f KiB"),
         Number(row.sync_under_way_s, "%.1f s"),
         std::to_string(row.final_errors) + "+" + std::to_string(row.passing_errors),
         std::to_string(row.fallbacks),
         row.file.empty() ? row.command.substr(0, kCommandShown) : row.file});
  }
  return table;
}

Json JsonOf(const TopRow& row) {
  Json json = {{"pid", row.pid}, {"command", row.command}, {"kind", row.kind}};
  if (!row.file.empty()) {
    json["file"] = row.file;
  }
  json["hot"] = row.hot;
  json["cold"] = row.cold;
  json["appends_per_s"] = row.appends;
  json["appended_bytes_per_s"] = row.appended_bytes;
  json["syncs_per_s"] = row.syncs;
  json["coalesced_share"] = row.coalesced;
  json["sync_mean_us"] = row.sync_mean_us;
  json["sync_p99_us"] = row.sync_p99_us;
  json["waits_for"] = row.waits_for;
  json["written_per_appended_byte"] = row.written_per_byte;
  json["unwritten_bytes"] = row.unwritten_bytes;
  json["sync_under_way_s"] = row.sync_under_way_s;
  json["passing_errors"] = row.passing_errors;
  json["final_errors"] = row.final_errors;
  json["fallbacks"] = row.fallbacks;
  return json;
}

}  // namespace bloom_lfs::tool
