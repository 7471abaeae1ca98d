#include "plugin/flash/flash_figures.h"

#include <cstring>
#include <utility>

namespace bloom_lfs {
namespace {

struct FlashFigure {
  const char* name;
  const char* help;
  uint64_t lss::PageFigures::*value;
};

constexpr FlashFigure kCounters[] = {
    {"bloom_lfs_flash_memory_hits_total", "Blocks found among those on their way to the flash.",
     &lss::PageFigures::memory_hits},
    {"bloom_lfs_flash_hits_total", "Blocks found on the flash.", &lss::PageFigures::flash_hits},
    {"bloom_lfs_flash_misses_total", "Blocks that were not there.", &lss::PageFigures::misses},
    {"bloom_lfs_flash_collisions_total", "Other blocks read for the sake of a tag.",
     &lss::PageFigures::collisions},
    {"bloom_lfs_flash_stale_total", "Blocks that were overwritten since they were noted.",
     &lss::PageFigures::stale_words},
    {"bloom_lfs_flash_read_errors_total", "Reads that failed.", &lss::PageFigures::read_errors},
    {"bloom_lfs_flash_inserted_total", "Blocks that were offered.", &lss::PageFigures::inserted},
    {"bloom_lfs_flash_admitted_total", "Blocks that were written.",
     &lss::PageFigures::admitted_pages},
    {"bloom_lfs_flash_admitted_bytes_total", "Bytes of those.", &lss::PageFigures::admitted_bytes},
    {"bloom_lfs_flash_written_bytes_total", "Bytes written to the tier for any reason.",
     &lss::PageFigures::written_bytes},
    {"bloom_lfs_flash_dropped_no_memory_total", "Blocks dropped: no room in memory.",
     &lss::PageFigures::dropped_no_memory},
    {"bloom_lfs_flash_dropped_unread_total", "Blocks dropped: nobody asked for them again.",
     &lss::PageFigures::dropped_unread},
    {"bloom_lfs_flash_dropped_by_rate_total", "Blocks dropped: write_rate was reached.",
     &lss::PageFigures::dropped_by_rate},
    {"bloom_lfs_flash_rewritten_total", "Hot blocks written again by the cleaner.",
     &lss::PageFigures::rewritten_pages},
    {"bloom_lfs_flash_cleaned_total", "Blocks that had to go.", &lss::PageFigures::cleaned_pages},
    {"bloom_lfs_flash_checkpoints_total", "Checkpoints.", &lss::PageFigures::checkpoints},
    {"bloom_lfs_flash_recovered_total", "Blocks known again from the checkpoint.",
     &lss::PageFigures::recovered_words},
    {"bloom_lfs_flash_recovered_from_log_total", "Blocks known again from the log behind it.",
     &lss::PageFigures::recovered_pages},
    {"bloom_lfs_flash_recovery_read_bytes_total", "Bytes that recovery has read.",
     &lss::PageFigures::recovery_read_bytes},
};

constexpr FlashFigure kGauges[] = {
    {"bloom_lfs_flash_table_bytes", "Memory of the table of what is where.",
     &lss::PageFigures::table_bytes},
    {"bloom_lfs_flash_frame_bytes", "Memory of blocks on their way.",
     &lss::PageFigures::frame_bytes},
    {"bloom_lfs_flash_blocks_max", "Blocks that the table has room for.",
     &lss::PageFigures::pages_max},
};

class FlashFigures final : public FigureSource {
 public:
  FlashFigures(std::string path, const lss::PageStore* store)
      : path_(std::move(path)), store_(store) {}

  void Collect(FigureSink* sink) const override {
    const lss::PageFigures figures = store_->figures();
    const Figure::Labels labels = {{"path", path_}};
    for (const FlashFigure& each : kCounters) {
      sink->Counter(each.name, each.help, labels, static_cast<double>(figures.*each.value));
    }
    for (const FlashFigure& each : kGauges) {
      sink->Gauge(each.name, each.help, labels, static_cast<double>(figures.*each.value));
    }
    for (const char* const state : {"recovering", "open", "off"}) {
      sink->Gauge("bloom_lfs_flash_state", "1 for the state that the tier is in.",
                  {{"path", path_}, {"state", state}}, strcmp(state, figures.state) == 0 ? 1 : 0);
    }
  }

 private:
  const std::string path_;
  const lss::PageStore* const store_;
  const RegisteredFigures registered_{this};
};

}  // namespace

std::unique_ptr<FigureSource> RegisterFlashFigures(const std::string& path,
                                                   const lss::PageStore* store) {
  return std::make_unique<FlashFigures>(path, store);
}

}  // namespace bloom_lfs
