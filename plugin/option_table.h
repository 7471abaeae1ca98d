// One list of options of a struct, and all that is made of it: reading text, checking, what RocksDB
// wants to know.
//
// Thread safety: immutable after it is made.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugin/option_text.h"
#include "rocksdb/status.h"
#include "rocksdb/utilities/options_type.h"

namespace bloom_lfs {

template <typename Struct>
class OptionTable {
 public:
  // Has one of the three members.
  struct Option {
    const char* name;
    uint64_t Struct::*size = nullptr;
    Range range = {};
    bool Struct::*on = nullptr;
    std::string Struct::*text = nullptr;
    std::vector<std::string> words = {};  // allowed for `text`; none: anything

    Option(const char* name_in, uint64_t Struct::*member, const Range& range_in)
        : name(name_in), size(member), range(range_in) {}
    Option(const char* name_in, bool Struct::*member) : name(name_in), on(member) {}
    Option(const char* name_in, std::string Struct::*member, std::vector<std::string> words_in = {})
        : name(name_in), text(member), words(std::move(words_in)) {}

    rocksdb::Status Parse(const std::string& value, Struct* options) const;
    rocksdb::Status Check(const Struct& options) const;
    rocksdb::OptionTypeInfo TypeInfo() const;
  };

  // `owner`: whose options they are, for messages.
  OptionTable(const char* owner, std::vector<Option> options)
      : owner_(owner), options_(std::move(options)) {}

  // InvalidArgument that names the first option that is out of range, and what is allowed.
  rocksdb::Status Check(const Struct& options) const;
  // "name=value;name=value", perhaps with "id=<owner>".
  rocksdb::Status Parse(const std::string& text, Struct* options) const;
  std::unordered_map<std::string, rocksdb::OptionTypeInfo> TypeInfos() const;

 private:
  rocksdb::Status Set(const std::string& name, const std::string& value, Struct* options) const;

  const char* const owner_;
  const std::vector<Option> options_;
};

// --- one option ---

template <typename Struct>
rocksdb::Status OptionTable<Struct>::Option::Parse(const std::string& value,
                                                   Struct* options) const {
  if (size != nullptr) {
    return ParseRanged(range, name, value, &(options->*size));
  }
  if (on != nullptr) {
    return ParseBoolean(name, value, &(options->*on));
  }
  options->*text = WithoutBraces(value);
  return Check(*options);
}

template <typename Struct>
rocksdb::Status OptionTable<Struct>::Option::Check(const Struct& options) const {
  if (size != nullptr) {
    return InRange(options.*size, range) ? rocksdb::Status::OK()
                                         : OutOfRange(name, std::to_string(options.*size), range);
  }
  return text != nullptr ? CheckWord(name, options.*text, words) : rocksdb::Status::OK();
}

// RocksDB wants an address within the struct.
template <typename Struct>
rocksdb::OptionTypeInfo OptionTable<Struct>::Option::TypeInfo() const {
  const Struct some;
  const void* const member = size != nullptr ? static_cast<const void*>(&(some.*size))
                             : on != nullptr ? static_cast<const void*>(&(some.*on))
                                             : static_cast<const void*>(&(some.*text));
  const auto offset = static_cast<const char*>(member) - reinterpret_cast<const char*>(&some);
  const rocksdb::OptionType type = size != nullptr ? rocksdb::OptionType::kUInt64T
                                   : on != nullptr ? rocksdb::OptionType::kBoolean
                                                   : rocksdb::OptionType::kString;
  rocksdb::OptionTypeInfo info(static_cast<int>(offset), type,
                               rocksdb::OptionVerificationType::kNormal,
                               rocksdb::OptionTypeFlags::kNone);
  info.SetParseFunc([option = *this, offset](const rocksdb::ConfigOptions&, const std::string&,
                                             const std::string& value, void* address) {
    return option.Parse(value, reinterpret_cast<Struct*>(static_cast<char*>(address) - offset));
  });
  if (text != nullptr) {
    // A text with options in it would be taken for options beside it.
    info.SetSerializeFunc([](const rocksdb::ConfigOptions&, const std::string&, const void* address,
                             std::string* value) {
      *value = "{" + *static_cast<const std::string*>(address) + "}";
      return rocksdb::Status::OK();
    });
  }
  return info;
}

// --- all of them ---

template <typename Struct>
rocksdb::Status OptionTable<Struct>::Check(const Struct& options) const {
  for (const Option& option : options_) {
    if (rocksdb::Status status = option.Check(options); !status.ok()) {
      return status;
    }
  }
  return rocksdb::Status::OK();
}

template <typename Struct>
rocksdb::Status OptionTable<Struct>::Set(const std::string& name, const std::string& value,
                                         Struct* options) const {
  std::string names;
  for (const Option& option : options_) {
    if (name == option.name) {
      return option.Parse(value, options);
    }
    names += (names.empty() ? "" : ", ") + std::string(option.name);
  }
  if (name == "id" && value == owner_) {
    return rocksdb::Status::OK();
  }
  return rocksdb::Status::InvalidArgument(std::string(owner_) + " has no option \"" + name + "\"",
                                          "there are " + names);
}

template <typename Struct>
rocksdb::Status OptionTable<Struct>::Parse(const std::string& text, Struct* options) const {
  return ForEachOption(text, [&](const std::string& name, const std::string& value) {
    return Set(name, value, options);
  });
}

template <typename Struct>
std::unordered_map<std::string, rocksdb::OptionTypeInfo> OptionTable<Struct>::TypeInfos() const {
  std::unordered_map<std::string, rocksdb::OptionTypeInfo> infos;
  for (const Option& option : options_) {
    infos.emplace(option.name, option.TypeInfo());
  }
  return infos;
}

}  // namespace bloom_lfs
