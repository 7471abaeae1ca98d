#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {
namespace {

DocumentRow RowOf(const Comparison& comparison) {
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
  if (row.pairs.empty()) {
    row.verdict = row.failure.has_value()   ? "FAILED"
                  : row.skipped.has_value() ? "skipped"
                                            : "not run";
    return row;
  }
  row.summary = Summarize(comparison);
  row.difference = FindDifference(row.metric, row.summary->interval);
  row.verdict = row.failure.has_value() ? "FAILED"
                : comparison.workload.own.has_value()
                    ? DescribeDifference(row.difference)
                    : DescribeVerdict(Judge(comparison.workload, *row.summary), row.difference);
  return row;
}

}  // namespace

int ResultsDocument::PairsMeasured() const {
  int pairs = 0;
  for (const DocumentRow& row : rows) pairs += static_cast<int>(row.pairs.size());
  for (const ResultsDocument& section : sections) pairs += section.PairsMeasured();
  return pairs;
}

ResultsDocument MakeDocument(const std::vector<Comparison>& comparisons, int pairs_per_row) {
  ResultsDocument document;
  document.pairs_planned = pairs_per_row * static_cast<int>(comparisons.size());
  for (const Comparison& comparison : comparisons) document.rows.push_back(RowOf(comparison));
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
