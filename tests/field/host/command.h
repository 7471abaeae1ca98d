// One line of a host's script: words, and settings written name=value.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace field {

class Command {
 public:
  explicit Command(const std::string& line);

  bool empty() const { return words_.empty(); }
  const std::string& name() const { return words_[0]; }

  // Word number `at` behind the name. Throws std::runtime_error if there are fewer.
  const std::string& Word(size_t at) const;
  bool Has(const std::string& word) const;

  // The value of a setting, or the default.
  std::string Text(const std::string& setting, const std::string& otherwise = "") const;
  int64_t Number(const std::string& setting, int64_t otherwise) const;

  const std::map<std::string, std::string>& settings() const { return settings_; }

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::string> settings_;
};

}  // namespace field
