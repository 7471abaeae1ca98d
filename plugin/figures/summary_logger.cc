#include "plugin/figures/summary_logger.h"

#include <cinttypes>
#include <cstdio>
#include <utility>

#include "lss/figures/figures_board.h"
#include "plugin/figures/figures.h"
#include "plugin/figures/stream_figures_source.h"

namespace bloom_lfs {
namespace {

using lss::StreamFigures;
using lss::StreamKind;

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string SummaryOf(StreamKind kind, const StreamFigures& total, uint64_t stock_files) {
  uint64_t longest_wait = 0;
  const char* waited_for = "nothing";
  for (size_t each = 0; each < lss::kWaitsFor; ++each) {
    if (total.waits[each].nanos() > longest_wait) {
      longest_wait = total.waits[each].nanos();
      waited_for = ToString(static_cast<lss::WaitFor>(each));
    }
  }
  char text[400];
  snprintf(text, sizeof(text),
           "; %s: %" PRIu64 " appends, %" PRIu64 " bytes, %.2f written for each, %" PRIu64
           " syncs (%.0f %% shared) of %.0f us on average, longest waits for: %s, errors: %" PRIu64
           " final, %" PRIu64 " passing, the stock way: %" PRIu64 " files",
           ToString(kind), total.appends.value(), total.appended_bytes.value(),
           Share(WrittenBytes(total), total.appended_bytes.value()), total.syncs.value(),
           100 * Share(total.coalesced_syncs.value(), total.syncs.value()),
           Share(total.sync_time.nanos(), total.syncs.value()) / 1e3, waited_for,
           total.final_errors.value(), total.passing_errors.value(), stock_files);
  return text;
}

class SummaryLogger final : public rocksdb::LoggerWrapper {
 public:
  explicit SummaryLogger(std::shared_ptr<rocksdb::Logger> target)
      : LoggerWrapper(target.get()), target_(std::move(target)) {}
  ~SummaryLogger() override { SumUp(); }

  rocksdb::Status Close() override {
    SumUp();
    return target_->Close();
  }

 private:
  void SumUp() {
    if (std::exchange(summed_up_, true)) {
      return;
    }
    const std::string line = bloom_lfs::SummaryOf(lss::FiguresBoard::OfProcess()->Copy());
    if (!line.empty()) {
      rocksdb::Log(rocksdb::InfoLogLevel::INFO_LEVEL, target_.get(), "%s", line.c_str());
    }
  }

  const std::shared_ptr<rocksdb::Logger> target_;
  bool summed_up_ = false;
};

}  // namespace

std::string SummaryOf(const lss::BoardCopy& board) {
  std::string line;
  for (size_t each = 0; each < lss::kStreamKinds; ++each) {
    const auto kind = static_cast<StreamKind>(each);
    const std::unique_ptr<StreamFigures> total = board.Total(kind);
    const uint64_t stock_files = board.header().process.stock_files[each].value();
    if (total->appends.value() + stock_files > 0) {
      line += SummaryOf(kind, *total, stock_files);
    }
  }
  for (const std::string& summary : CollectSummaries()) {
    line += "; " + summary;
  }
  return line.empty() ? line : "bloom_lfs, this process so far" + line;
}

std::shared_ptr<rocksdb::Logger> WithSummary(std::shared_ptr<rocksdb::Logger> target) {
  return std::make_shared<SummaryLogger>(std::move(target));
}

}  // namespace bloom_lfs
