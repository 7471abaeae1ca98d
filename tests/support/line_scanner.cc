#include "tests/support/line_scanner.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

namespace lss::test {
namespace {

bool IsText(char c) { return c == '\n' || std::isprint(static_cast<unsigned char>(c)) != 0; }

// What a random stream does not do.
bool BeginsLikeText(const std::string& bytes) {
  constexpr size_t kEnough = 32;
  const std::string beginning = bytes.substr(0, std::min(kEnough, bytes.find('\0')));
  return std::all_of(beginning.begin(), beginning.end(), IsText);
}

uint64_t NumberOf(const std::string& line) {
  return std::isdigit(static_cast<unsigned char>(line[0])) != 0
             ? std::strtoull(line.c_str(), nullptr, 10)
             : 0;
}

// Whether a line that ends at `end` counts behind one with the number `last`.
bool Follows(uint64_t number, uint64_t last, Address end, const ScanRule& rule) {
  if (end <= rule.judged_above) {
    return true;
  }
  const bool lenient = end <= rule.gaps_below;
  if (number == 0) {
    return lenient;
  }
  return number > last && (lenient || (last > 0 && number == last + 1));
}

}  // namespace

Status ScanLines(const StreamReader& read, const std::string& name, Address size,
                 const ScanRule& rule, ScannedTail* tail) {
  *tail = {};
  tail->description = "lines of " + name;
  tail->in_succession = true;
  std::string bytes(size, '\0');
  size_t got = 0;
  if (Status status = read(0, size, bytes.data(), &got); !status.ok()) {
    return status;
  }
  bytes.resize(got);
  tail->known = BeginsLikeText(bytes);
  if (!tail->known) {
    tail->end = size;
    return Status::Ok();
  }
  for (size_t at = 0; at < bytes.size();) {
    size_t end = at;
    while (end < bytes.size() && IsText(bytes[end]) && bytes[end] != '\n') {
      ++end;
    }
    tail->stop = at;
    tail->stop_end = end + 1;
    if (end == bytes.size()) {
      return Status::Ok();  // a line that is cut off
    }
    const uint64_t number = NumberOf(bytes.substr(at, end - at));
    if (bytes[end] != '\n' || !Follows(number, tail->last_number, end + 1, rule)) {
      tail->whole = false;
      return Status::Ok();
    }
    tail->last_number = number > 0 ? number : tail->last_number;
    at = end + 1;
    tail->end = tail->stop = tail->stop_end = at;
  }
  return Status::Ok();
}

}  // namespace lss::test
