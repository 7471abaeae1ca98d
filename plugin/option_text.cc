#include "plugin/option_text.h"

#include <algorithm>
#include <cctype>

namespace bloom_lfs {
namespace {

unsigned ShiftOf(char unit) {
  switch (std::tolower(static_cast<unsigned char>(unit))) {
    case 'k':
      return 10;
    case 'm':
      return 20;
    case 'g':
      return 30;
    case 't':
      return 40;
    default:
      return 0;
  }
}

bool ParseSize(const std::string& text, uint64_t* value) {
  uint64_t result = 0;
  size_t i = 0;
  for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i) {
    if (result > (UINT64_MAX - 9) / 10) {
      return false;
    }
    result = result * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i == 0 || i + 1 < text.size()) {
    return false;
  }
  const unsigned shift = i == text.size() ? 0 : ShiftOf(text[i]);
  if (i < text.size() && shift == 0) {
    return false;
  }
  *value = result << shift;
  return *value >> shift == result;
}

std::string Trimmed(const std::string& text) {
  constexpr char kBlanks[] = " \t\n";
  const size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos
             ? std::string()
             : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The next semicolon that is not in braces.
size_t EndOfItem(const std::string& text, size_t begin) {
  int depth = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
    if (text[at] == ';' && depth <= 0) {
      return at;
    }
  }
  return text.size();
}

}  // namespace

std::string WithoutBraces(const std::string& value) {
  const bool braced = value.size() >= 2 && value.front() == '{' && value.back() == '}';
  return braced ? Trimmed(value.substr(1, value.size() - 2)) : value;
}

bool InRange(uint64_t value, const Range& range) {
  return value >= range.min && value <= range.max && value % range.multiple == 0;
}

rocksdb::Status NotAllowed(const std::string& name, const std::string& value,
                           const std::string& what) {
  return rocksdb::Status::InvalidArgument("bloom_lfs option " + name + " = " + value +
                                          " is not allowed; allowed: " + what);
}

rocksdb::Status OutOfRange(const std::string& name, const std::string& value, const Range& range) {
  std::string allowed =
      std::to_string(range.min) + " to " + std::to_string(range.max) + " " + range.unit;
  if (range.multiple > 1) {
    allowed += ", a multiple of " + std::to_string(range.multiple);
  }
  return NotAllowed(name, value, allowed);
}

rocksdb::Status ParseRanged(const Range& range, const std::string& name, const std::string& text,
                            uint64_t* value) {
  uint64_t parsed = 0;
  if (!ParseSize(text, &parsed) || !InRange(parsed, range)) {
    return OutOfRange(name, text, range);
  }
  *value = parsed;
  return rocksdb::Status::OK();
}

rocksdb::Status ParseBoolean(const std::string& name, const std::string& text, bool* value) {
  if (text != "true" && text != "false" && text != "1" && text != "0") {
    return NotAllowed(name, text, "true, false");
  }
  *value = text == "true" || text == "1";
  return rocksdb::Status::OK();
}

rocksdb::Status CheckWord(const std::string& name, const std::string& value,
                          const std::vector<std::string>& words) {
  std::string allowed;
  for (const std::string& word : words) {
    if (word == value) {
      return rocksdb::Status::OK();
    }
    allowed += (allowed.empty() ? "" : ", ") + word;
  }
  return words.empty() ? rocksdb::Status::OK() : NotAllowed(name, value, allowed);
}

rocksdb::Status ForEachOption(
    const std::string& text,
    const std::function<rocksdb::Status(const std::string&, const std::string&)>& set) {
  rocksdb::Status status;
  for (size_t begin = 0; begin < text.size() && status.ok();) {
    const size_t end = EndOfItem(text, begin);
    const std::string assignment = Trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (assignment.empty()) {
      continue;
    }
    const size_t equals = assignment.find('=');
    status = equals == std::string::npos
                 ? rocksdb::Status::InvalidArgument("\"" + assignment + "\" is not name=value")
                 : set(Trimmed(assignment.substr(0, equals)),
                       WithoutBraces(Trimmed(assignment.substr(equals + 1))));
  }
  return status;
}

}  // namespace bloom_lfs
