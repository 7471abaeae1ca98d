#include "tests/field/host/command.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace field {

Command::Command(const std::string& line) {
  std::istringstream stream(line);
  std::string word;
  while (stream >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      words_.push_back(word);
    } else {
      settings_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
}

const std::string& Command::Word(size_t at) const {
  if (at + 1 >= words_.size()) throw std::runtime_error(name() + " needs more words");
  return words_[at + 1];
}

bool Command::Has(const std::string& word) const {
  return std::find(words_.begin(), words_.end(), word) != words_.end();
}

std::string Command::Text(const std::string& setting, const std::string& otherwise) const {
  const auto found = settings_.find(setting);
  return found == settings_.end() ? otherwise : found->second;
}

int64_t Command::Number(const std::string& setting, int64_t otherwise) const {
  const std::string text = Text(setting);
  return text.empty() ? otherwise : std::stoll(text);
}

}  // namespace field
