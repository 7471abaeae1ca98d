// The figures of a flash tier, by name.
#pragma once

#include <memory>
#include <string>

#include "lss/pages/page_store.h"
#include "plugin/figures/figures.h"

namespace bloom_lfs {

// Each of them as a line "    name: value", with the tier's state.
std::string FlashFigureLines(const lss::PageFigures& figures);

// As long as the result is there; `store` outlives it.
std::unique_ptr<FigureSource> RegisterFlashFigures(const std::string& path,
                                                   const lss::PageStore* store);

}  // namespace bloom_lfs
