// The document that keeps the latest figures: one section for each set of flags, RocksDB and file
// system that was measured.
//
// Markdown, written by the program and never by hand. Its last line holds a checksum of all above
// it, so that a file of somebody else, or one that was edited, is told from our own and left alone.
//
// Thread safety: none. Two programs that write the same file at the same moment may lose a section
// of one of them; the file is whole at any time.
#pragma once

#include <string>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

struct ResultsSection {
  // What was measured, on what, with which flags; one line without backquotes. Two sections with
  // the same heading are the same section.
  std::string heading;
  // Markdown below the heading, without headings of its own.
  std::string body;
};

// Adds the section, or puts it in the place of the one with the same heading. All other sections
// stay as they are. The new file is made beside the old one and takes its name when it is complete.
//
// It is an error if the file cannot be read or made, or if it is not a file of ours as we left it.
// Then nothing has changed, and the message names the file and the cause.
Failure WriteResultsSection(const std::string& path, const ResultsSection& section);

// The error that WriteResultsSection would meet now with a section of this heading, to be asked
// before a long measurement.
Failure CheckResultsFile(const std::string& path, const std::string& heading);

}  // namespace bloom_lfs::bench
