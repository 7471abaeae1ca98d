#include "db_bench_ext/results_file.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>

#include "db_bench_ext/whole_file.h"

namespace bloom_lfs::bench {
namespace {

// The file is: header, sections, an empty line, the line that vouches for them. A section is an
// empty line, a heading, an empty line, and a body that ends its last line.
constexpr std::string_view kHeader =
    "# Results\n"
    "\n"
    "Written by `db_bench_ext`; not to be edited. A run replaces the section of its RocksDB,\n"
    "file system and flags, and leaves the others as they are:\n"
    "\n"
    "    db_bench_ext/run --set=default --results_file=db_bench_ext/RESULTS.md\n"
    "    db_bench_ext/run --set=logs --results_file=db_bench_ext/RESULTS.md\n"
    "    db_bench_ext/run --set=features --results_file=db_bench_ext/RESULTS.md\n"
    "\n"
    "What rows, columns and flags mean: `db_bench_ext/README.md`. Figures of one section belong\n"
    "together; two sections may be of different days.\n";
constexpr std::string_view kHeadingStart = "\n## `";
constexpr std::string_view kHeadingEnd = "`\n\n";
constexpr std::string_view kVouchStart = "<!-- checksum of all above: ";
constexpr std::string_view kVouchEnd = " -->\n";

using Sections = std::map<std::string, std::string>;  // bodies by heading

// FNV-1a. Meant for slips of the hand, not for forgers.
uint64_t Checksum(std::string_view text) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return sum;
}

std::string VouchFor(std::string_view text) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(Checksum(text)));
  return std::string(kVouchStart) + digits + std::string(kVouchEnd);
}

std::string Render(const Sections& sections) {
  std::string text(kHeader);
  for (const auto& [heading, body] : sections) {
    text.append(kHeadingStart).append(heading).append(kHeadingEnd).append(body);
  }
  text += '\n';
  return text + VouchFor(text);
}

// Nothing if the text is none of ours, or not as we left it.
std::optional<Sections> Parse(std::string_view text) {
  const size_t vouch = text.rfind(kVouchStart);
  if (vouch == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(0, vouch);
  if (rest.empty() || text.substr(vouch) != VouchFor(rest)) return std::nullopt;
  rest.remove_suffix(1);  // the empty line
  Sections sections;
  size_t heading = rest.find(kHeadingStart);
  while (heading != std::string_view::npos) {
    rest.remove_prefix(heading + kHeadingStart.size());
    const size_t end = rest.find(kHeadingEnd);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string title(rest.substr(0, end));
    rest.remove_prefix(end + kHeadingEnd.size());
    heading = rest.find(kHeadingStart);
    sections[title] = rest.substr(0, heading);
  }
  return sections;
}

// What Parse could not read back as one section must not be written.
Failure CheckSection(const ResultsSection& section) {
  if (section.heading.empty() || section.heading.find_first_of("`\n") != std::string::npos) {
    return Error{"what has a backquote or a line break cannot head a section of results (" +
                 section.heading + "); leave --results_file out"};
  }
  if (("\n" + section.body).find(kHeadingStart) != std::string::npos) {
    return Error{"the results of " + section.heading + " contain a heading of their own"};
  }
  return std::nullopt;
}

Error CannotWrite(const std::string& path, int error) {
  return Error{"cannot write the results to " + path + ": " + std::strerror(error) +
               "; pass --results_file=<a file in a directory you may write to>"};
}

// Empty if there is no such file yet.
Result<std::string> ReadText(const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::symlink_status(path, error).type();
  if (type == std::filesystem::file_type::not_found) return std::string();
  if (type != std::filesystem::file_type::regular) {
    return Error{"cannot write the results to " + path + ": it is not a regular file; pass " +
                 "--results_file=<a file of its own>"};
  }
  return ReadWholeText(path);
}

Result<Sections> ReadSections(const std::string& path) {
  const Result<std::string> text = ReadText(path);
  if (!text.ok()) return text.error();
  if (text.value().empty()) return Sections();
  const std::optional<Sections> sections = Parse(text.value());
  if (!sections.has_value()) {
    return Error{path + " was not written by db_bench_ext, or was changed since: its last line " +
                 "does not hold the checksum of what is above it. It is left as it is; restore " +
                 "it or move it away, and run again"};
  }
  return *sections;
}

}  // namespace

Failure WriteResultsSection(const std::string& path, const ResultsSection& section) {
  if (Failure failure = CheckSection(section)) return failure;
  Result<Sections> sections = ReadSections(path);
  if (!sections.ok()) return sections.error();
  std::string body = section.body;
  if (body.empty() || body.back() != '\n') body += '\n';
  sections.value()[section.heading] = body;

  const int error = ReplaceFile(path, Render(sections.value()));
  if (error != 0) return CannotWrite(path, error);
  return std::nullopt;
}

Failure CheckResultsFile(const std::string& path, const std::string& heading) {
  if (Failure failure = CheckSection({heading, ""})) return failure;
  const Result<Sections> sections = ReadSections(path);
  if (!sections.ok()) return sections.error();
  const int error = CheckReplaceable(path);
  if (error != 0) return CannotWrite(path, error);
  return std::nullopt;
}

}  // namespace bloom_lfs::bench
