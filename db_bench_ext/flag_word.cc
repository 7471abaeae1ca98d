#include "db_bench_ext/flag_word.h"

#include <algorithm>

namespace bloom_lfs::bench {

std::optional<FlagWord> SplitFlag(const std::string& word) {
  const size_t begin = word.find_first_not_of('-');
  if (begin == 0 || begin == std::string::npos || begin > 2) return std::nullopt;
  const size_t equals = word.find('=');
  FlagWord flag;
  flag.name = word.substr(begin, equals == std::string::npos ? equals : equals - begin);
  std::replace(flag.name.begin(), flag.name.end(), '-', '_');
  if (equals != std::string::npos) flag.value = word.substr(equals + 1);
  return flag;
}

}  // namespace bloom_lfs::bench
