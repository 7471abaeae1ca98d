// What a command found, for people or, with --json, for programs.
//
// Thread safety: none.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lss/base/status.h"

namespace bloom_lfs::tool {

using Json = nlohmann::ordered_json;

inline Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

// What a command ends with.
enum ExitCode {
  kFine = 0,
  kFound = 1,  // something that is not as it should be, or not done
  kUsage = 2,  // of the command, or of its surroundings: nothing was looked at
};

class Report {
 public:
  // A line for people.
  void Line(std::string text) { lines_.push_back(std::move(text)); }
  // A table for them: the first row is its head; every row has as many cells.
  void Table(const std::vector<std::vector<std::string>>& rows);
  // For programs. The command's README section is its schema.
  Json& json() { return json_; }

  // Notes an error for both, and gives `code`.
  ExitCode Fail(const lss::Status& status, ExitCode code = kUsage);
  ExitCode Fail(const std::string& message, ExitCode code = kUsage);

  // To standard output; errors for people to standard error. False: not all could be written.
  bool Print(bool as_json) const;

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> errors_;
  Json json_ = Json::object();
};

// What was printed to standard output so far is written. False: not all could be; errno says why,
// or is 0 if that was told earlier.
bool FlushOutput();

}  // namespace bloom_lfs::tool
