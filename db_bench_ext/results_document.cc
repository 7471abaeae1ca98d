#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {
namespace {

DocumentRow RowOf(const Comparison& comparison, bool self_check) {
  DocumentRow row;
  row.name = comparison.workload.name;
  row.title = comparison.workload.title;
  row.metric = comparison.workload.metric;
  row.beside_fio = comparison.workload.beside_fio;
  row.pairs = comparison.pairs;
  row.skipped = comparison.skipped;
  row.further = SummarizeFurtherArms(row.pairs, row.metric);
  row.absent = comparison.absent;
  if (comparison.failure.has_value()) row.failure = comparison.failure->message;
  if (!row.pairs.empty()) {
    row.summary = Summarize(comparison);
    row.difference = FindDifference(row.metric, row.summary->interval);
  }
  row.verdict =
      VerdictOf(comparison, row.summary.has_value() ? &*row.summary : nullptr, self_check);
  return row;
}

}  // namespace

int ResultsDocument::PairsMeasured() const {
  int pairs = 0;
  for (const DocumentRow& row : rows) pairs += static_cast<int>(row.pairs.size());
  for (const ResultsDocument& section : sections) pairs += section.PairsMeasured();
  return pairs;
}

ResultsDocument MakeDocument(const std::vector<Comparison>& comparisons, int pairs_per_row,
                             bool self_check) {
  ResultsDocument document;
  document.self_check = self_check;
  document.pairs_planned = pairs_per_row * static_cast<int>(comparisons.size());
  for (const Comparison& comparison : comparisons) {
    document.rows.push_back(RowOf(comparison, self_check));
  }
  return document;
}

const ResultsDocument* FindSection(const ResultsDocument& document,
                                   const std::string& file_system) {
  for (const ResultsDocument& section : document.sections) {
    if (section.file_system == file_system) return &section;
  }
  return nullptr;
}

std::string DescribeInterruption(const ResultsDocument& document) {
  if (!document.interrupted) return "";
  return "interrupted after " + std::to_string(document.PairsMeasured()) + " of " +
         std::to_string(document.pairs_planned) + " pairs";
}

}  // namespace bloom_lfs::bench
