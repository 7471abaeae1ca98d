#include "plugin/flash/flash_figures.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <utility>

namespace bloom_lfs {
namespace {

using lss::PageFigures;

struct FlashFigure {
  const char* name;
  const char* help;
  Figure::Kind kind;
  double (*value)(const PageFigures& figures);
};

template <uint64_t PageFigures::*member>
double Number(const PageFigures& figures) {
  return static_cast<double>(figures.*member);
}
double WriteAmplification(const PageFigures& figures) { return figures.write_amplification(); }

constexpr Figure::Kind kCounter = Figure::Kind::kCounter;
constexpr Figure::Kind kGauge = Figure::Kind::kGauge;

// All of them, for every way out. A counter's name ends with _total, which only Prometheus gets.
constexpr FlashFigure kFigures[] = {
    {"bloom_lfs_flash_memory_hits_total", "Blocks found among those on their way to the flash.",
     kCounter, Number<&PageFigures::memory_hits>},
    {"bloom_lfs_flash_hits_total", "Blocks found on the flash.", kCounter,
     Number<&PageFigures::flash_hits>},
    {"bloom_lfs_flash_misses_total", "Blocks that were not there.", kCounter,
     Number<&PageFigures::misses>},
    {"bloom_lfs_flash_collisions_total", "Other blocks read for the sake of a tag.", kCounter,
     Number<&PageFigures::collisions>},
    {"bloom_lfs_flash_stale_total", "Blocks that were overwritten since they were noted.", kCounter,
     Number<&PageFigures::stale_words>},
    {"bloom_lfs_flash_read_errors_total", "Reads that failed.", kCounter,
     Number<&PageFigures::read_errors>},
    {"bloom_lfs_flash_inserted_total", "Blocks that were taken into memory.", kCounter,
     Number<&PageFigures::inserted>},
    {"bloom_lfs_flash_already_there_total", "Blocks offered that the tier had.", kCounter,
     Number<&PageFigures::already_there>},
    {"bloom_lfs_flash_admitted_total", "Blocks that were written.", kCounter,
     Number<&PageFigures::admitted_pages>},
    {"bloom_lfs_flash_admitted_bytes_total", "Bytes of those.", kCounter,
     Number<&PageFigures::admitted_bytes>},
    {"bloom_lfs_flash_written_bytes_total", "Bytes written to the tier for any reason.", kCounter,
     Number<&PageFigures::written_bytes>},
    {"bloom_lfs_flash_write_amplification", "Bytes written for each that was admitted.", kGauge,
     WriteAmplification},
    {"bloom_lfs_flash_dropped_no_memory_total", "Blocks dropped: no room in memory.", kCounter,
     Number<&PageFigures::dropped_no_memory>},
    {"bloom_lfs_flash_dropped_too_large_total", "Blocks dropped: larger than a record may be.",
     kCounter, Number<&PageFigures::dropped_too_large>},
    {"bloom_lfs_flash_dropped_not_ready_total", "Blocks dropped: the tier was recovering, or off.",
     kCounter, Number<&PageFigures::dropped_not_ready>},
    {"bloom_lfs_flash_dropped_unread_total", "Blocks dropped: nobody asked for them again.",
     kCounter, Number<&PageFigures::dropped_unread>},
    {"bloom_lfs_flash_dropped_by_rate_total", "Blocks dropped: write_rate was reached.", kCounter,
     Number<&PageFigures::dropped_by_rate>},
    {"bloom_lfs_flash_rewritten_total", "Hot blocks written again by the cleaner.", kCounter,
     Number<&PageFigures::rewritten_pages>},
    {"bloom_lfs_flash_cleaned_total", "Blocks that had to go.", kCounter,
     Number<&PageFigures::cleaned_pages>},
    {"bloom_lfs_flash_cleaned_bytes_total",
     "Bytes of the tier that were cleaned to be written again.", kCounter,
     Number<&PageFigures::cleaned_bytes>},
    {"bloom_lfs_flash_checkpoints_total", "Checkpoints.", kCounter,
     Number<&PageFigures::checkpoints>},
    {"bloom_lfs_flash_recovered_total", "Blocks known again from the checkpoint.", kCounter,
     Number<&PageFigures::recovered_words>},
    {"bloom_lfs_flash_recovered_from_log_total", "Blocks known again from the log behind it.",
     kCounter, Number<&PageFigures::recovered_pages>},
    {"bloom_lfs_flash_recovery_read_bytes_total", "Bytes that recovery has read.", kCounter,
     Number<&PageFigures::recovery_read_bytes>},
    {"bloom_lfs_flash_recovery_bytes", "Bytes that recovery reads in all, as far as is known yet.",
     kGauge, Number<&PageFigures::recovery_bytes>},
    {"bloom_lfs_flash_table_bytes", "Memory of the table of what is where.", kGauge,
     Number<&PageFigures::table_bytes>},
    {"bloom_lfs_flash_frame_bytes", "Memory of blocks on their way.", kGauge,
     Number<&PageFigures::frame_bytes>},
    {"bloom_lfs_flash_blocks_max", "Blocks that the table has room for.", kGauge,
     Number<&PageFigures::pages_max>},
};

// The state is shown in another way; write amplification is no field.
static_assert(sizeof(PageFigures) == std::size(kFigures) * sizeof(uint64_t),
              "all that a page store counts is shown");

// bloom_lfs_flash_hits_total: hits.
std::string ShortNameOf(const FlashFigure& figure) {
  constexpr size_t kPrefix = sizeof("bloom_lfs_flash_") - 1;
  constexpr size_t kTotal = sizeof("_total") - 1;
  std::string name = std::string(figure.name).substr(kPrefix);
  return figure.kind == kCounter ? name.substr(0, name.size() - kTotal) : name;
}

class FlashFigures final : public FigureSource {
 public:
  FlashFigures(std::string path, const lss::PageStore* store)
      : path_(std::move(path)), store_(store) {
    LeaveSummary(path_, {});
  }
  // The tier goes with the last cache over it, and that with its database before the LOG is closed.
  ~FlashFigures() override { LeaveSummary(path_, FlashFigures::Summary()); }
  FlashFigures(const FlashFigures&) = delete;
  FlashFigures& operator=(const FlashFigures&) = delete;

  void Collect(FigureSink* sink) const override {
    const PageFigures figures = store_->figures();
    const Figure::Labels labels = {{"path", path_}};
    for (const FlashFigure& each : kFigures) {
      if (each.kind == kCounter) {
        sink->Counter(each.name, each.help, labels, each.value(figures));
      } else {
        sink->Gauge(each.name, each.help, labels, each.value(figures));
      }
    }
    for (const char* const state : {"recovering", "open", "off"}) {
      sink->Gauge("bloom_lfs_flash_state", "1 for the state that the tier is in.",
                  {{"path", path_}, {"state", state}}, strcmp(state, figures.state) == 0 ? 1 : 0);
    }
  }

  std::string Summary() const override {
    const PageFigures figures = store_->figures();
    const uint64_t lookups = figures.hits() + figures.misses;
    if (lookups + figures.inserted == 0) {
      return {};
    }
    char text[300];
    snprintf(
        text, sizeof(text),
        ": %" PRIu64 " hits of %" PRIu64 " look-ups (%.0f %%), %" PRIu64
        " blocks written, %.2f bytes for each of theirs, %" PRIu64 " dropped, %s",
        figures.hits(), lookups,
        lookups == 0 ? 0 : 100 * static_cast<double>(figures.hits()) / static_cast<double>(lookups),
        figures.admitted_pages, figures.write_amplification(), figures.dropped(), figures.state);
    return "flash tier " + path_ + text;
  }

 private:
  const std::string path_;
  const lss::PageStore* const store_;
  const RegisteredFigures registered_{this};
};

}  // namespace

std::string FlashFigureLines(const PageFigures& figures) {
  std::string text = std::string("    state: ") + figures.state + "\n";
  for (const FlashFigure& each : kFigures) {
    text += "    " + ShortNameOf(each) + ": " + NumberText(each.value(figures)) + "\n";
  }
  return text;
}

std::unique_ptr<FigureSource> RegisterFlashFigures(const std::string& path,
                                                   const lss::PageStore* store) {
  return std::make_unique<FlashFigures>(path, store);
}

}  // namespace bloom_lfs
