#include "db_bench_ext/outcome.h"

#include <algorithm>
#include <cstdio>

#include "db_bench_ext/baseline.h"
#include "db_bench_ext/results_file.h"
#include "db_bench_ext/standard_streams.h"

namespace bloom_lfs::bench {
namespace {

constexpr int kExitInterrupted = 130;
constexpr int kExitNothingRun = 2;

bool Failed(const MeasuredPart& part) {
  return std::any_of(part.comparisons.begin(), part.comparisons.end(),
                     [](const Comparison& comparison) { return comparison.failure.has_value(); });
}

std::string RenderPart(const MeasuredPart& part, const ReportOptions& options) {
  std::string text;
  if (!part.file_system.empty()) text = "\n== " + part.file_system + ", on a loop device\n\n";
  if (part.skipped.has_value()) return text + "skipped: " + *part.skipped + "\n";
  return text + RenderReport(part.comparisons, part.facts, options);
}

// A section for each part that could be measured.
Failure KeepTables(const Outcome& outcome, ReportOptions options, const std::string& file) {
  const bool failed = std::any_of(outcome.parts.begin(), outcome.parts.end(), Failed);
  if (failed || outcome.interrupted) {
    return Error{file + " is left as it is: not every row could be measured"};
  }
  options.style = TableStyle::kMarkdown;
  for (const MeasuredPart& part : outcome.parts) {
    if (part.skipped.has_value()) continue;
    if (Failure failure = WriteResultsSection(
            file, {part.heading, RenderReport(part.comparisons, part.facts, options)})) {
      return failure;
    }
  }
  return std::nullopt;
}

// Writes the documents, and says where they are. An interrupted run has them too.
Failure WriteDocuments(const Destination& destination, const ResultsDocument& document) {
  if (destination.baseline.has_value()) {
    std::fputs(RenderBaseline(document, *destination.baseline).c_str(), stdout);
  }
  if (Failure failure = WriteOutputFiles(destination.files, document, destination.baseline)) {
    return failure;
  }
  const OutputFiles& files = destination.files;
  if (!files.json.empty()) std::printf("\nfigures: %s\n", files.json.c_str());
  if (!files.picture.empty()) std::printf("\npicture: %s\n", files.picture.c_str());
  if (!files.html.empty()) std::printf("\nreport: %s\n", files.html.c_str());
  return std::nullopt;
}

}  // namespace

ResultsDocument DocumentOf(const Outcome& outcome, bool self_check) {
  ResultsDocument document;
  for (const MeasuredPart& part : outcome.parts) {
    ResultsDocument made = MakeDocument(part.comparisons, outcome.pairs_per_row, self_check);
    made.pairs_planned = outcome.pairs_per_row * outcome.rows;
    made.facts = part.facts;
    if (part.file_system.empty()) {
      document = std::move(made);
      continue;
    }
    made.file_system = part.file_system;
    made.skipped = part.skipped;
    document.pairs_planned += made.pairs_planned;
    document.sections.push_back(std::move(made));
  }
  document.measured = outcome.measured;
  document.self_check = self_check;
  document.interrupted = outcome.interrupted;
  return document;
}

int Deliver(const Outcome& outcome, const ReportOptions& options, const Destination& destination) {
  std::fputs("\n", stderr);
  for (const MeasuredPart& part : outcome.parts) {
    std::fputs(RenderPart(part, options).c_str(), stdout);
  }
  Failure not_kept;
  if (!destination.results_file.empty()) {
    not_kept = KeepTables(outcome, options, destination.results_file);
  }
  const Failure not_written = WriteDocuments(destination, DocumentOf(outcome, options.self_check));
  const Failure not_printed = FlushStandardOutput();
  bool complete = std::none_of(outcome.parts.begin(), outcome.parts.end(), Failed);
  for (const Failure& failure : {not_kept, not_written, not_printed}) {
    if (!failure.has_value()) continue;
    std::fprintf(stderr, "db_bench_ext: %s\n", failure->message.c_str());
    complete = false;
  }
  if (outcome.interrupted) return kExitInterrupted;
  const bool nothing_run =
      std::all_of(outcome.parts.begin(), outcome.parts.end(),
                  [](const MeasuredPart& part) { return part.skipped.has_value(); });
  if (nothing_run) return kExitNothingRun;
  return complete ? 0 : 1;
}

}  // namespace bloom_lfs::bench
