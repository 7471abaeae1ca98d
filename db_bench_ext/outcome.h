// What a run found out, and where it goes: the terminal, and the files that were asked for.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/comparison.h"
#include "db_bench_ext/output_files.h"
#include "db_bench_ext/report.h"
#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// What was measured in one place.
struct MeasuredPart {
  std::string file_system;             // with --file_systems: its name
  std::optional<std::string> skipped;  // why it was not measured
  std::string heading;                 // what was measured, on what; for --results_file
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<Comparison> comparisons;
};

struct Destination {
  OutputFiles files;
  std::string results_file;  // empty: none
  std::optional<ResultsDocument> baseline;
};

struct Outcome {
  std::string measured;  // program, file system and flags, in one line
  std::vector<MeasuredPart> parts;
  int pairs_per_row = 0;
  int rows = 0;  // of each part, as planned
  bool interrupted = false;
};

// The document of an outcome; with --file_systems it has a section for each part.
ResultsDocument DocumentOf(const Outcome& outcome, bool self_check);

// Prints the tables, and keeps them where it was asked for. Returns the exit status.
int Deliver(const Outcome& outcome, const ReportOptions& options, const Destination& destination);

}  // namespace bloom_lfs::bench
