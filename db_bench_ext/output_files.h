#pragma once

#include <optional>
#include <string>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// Where the JSON document, the HTML report and the picture of its ratios go; empty: not written.
struct OutputFiles {
  std::string json;
  std::string html;
  std::string picture;
};

// The HTML file that goes with a run. `flag` is what the user said: a file, "none", or empty for
// one beside the JSON document, or in `directory` where there is none.
std::string HtmlFileFor(const std::string& flag, const std::string& json_file,
                        const std::string& directory);

// The error that WriteOutputFiles would meet now, to be asked before a long measurement.
Failure CheckOutputFiles(const OutputFiles& files);

// Each file is replaced as a whole, or left as it was. The first error, after all were tried.
Failure WriteOutputFiles(const OutputFiles& files, const ResultsDocument& document,
                         const std::optional<ResultsDocument>& baseline);

// Makes `files` of a document that --json_file wrote, and of `baseline`, another one, unless that
// is empty. Measures nothing.
Failure RenderAgain(const std::string& saved, const std::string& baseline,
                    const OutputFiles& files);

}  // namespace bloom_lfs::bench
