// What a run found out, as plain data: the JSON document and the HTML report are made of it, and a
// baseline is one of an earlier day.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/arm_report.h"
#include "db_bench_ext/comparison.h"
#include "db_bench_ext/report.h"

namespace bloom_lfs::bench {

struct DocumentRow {
  std::string name;
  std::string title;
  Metric metric = Metric::kOpsPerS;
  bool beside_fio = false;  // another program wrote and synced on the same disk
  std::vector<PairSample> pairs;
  std::optional<Summary> summary;  // nothing without pairs
  Difference difference = Difference::kUnknown;
  std::string verdict;  // as in the table
  std::optional<std::string> failure;
  std::optional<std::string> skipped;
  std::vector<ArmSummary> further;  // arms beyond stock and plugin
  std::vector<AbsentArm> absent;

  // What a row that failed said before is no result.
  bool HasResult() const { return summary.has_value() && !failure.has_value(); }
};

// A run; or one of its sections, which have rows, facts and the numbers of pairs of their own.
struct ResultsDocument {
  std::string measured;  // program, file system and flags, in one line
  std::vector<std::pair<std::string, std::string>> facts;
  bool self_check = false;  // both arms were stock
  bool interrupted = false;
  int pairs_planned = 0;  // of all rows together
  std::vector<DocumentRow> rows;
  // With --file_systems: one for each of them, and no rows beside them.
  std::vector<ResultsDocument> sections;
  std::string file_system;             // of a section: its name
  std::optional<std::string> skipped;  // why a section has not been measured

  int PairsMeasured() const;
};

// `pairs_per_row` is what was planned, whatever became of it.
ResultsDocument MakeDocument(const std::vector<Comparison>& comparisons, int pairs_per_row,
                             bool self_check = false);

// Null if there is none.
const ResultsDocument* FindSection(const ResultsDocument& document, const std::string& file_system);

// "interrupted after 3 of 40 pairs"; empty if it was not.
std::string DescribeInterruption(const ResultsDocument& document);

// The document as JSON; the README gives its schema. An error in a build without the JSON library.
Result<std::string> RenderJson(const ResultsDocument& document);

// What RenderJson made. It is an error, that begins with `name` and says what to do, if the text is
// something else, is damaged, or is of a version that this program does not know.
Result<ResultsDocument> ParseJson(const std::string& text, const std::string& name);

}  // namespace bloom_lfs::bench
