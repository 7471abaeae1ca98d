#include "tests/support/files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "lss/base/crc32c.h"

namespace bloom_lfs::test {
namespace fs = std::filesystem;

namespace {

bool IsLogName(const std::string& name) {
  const size_t dot = name.find('.');
  return dot > 0 && dot != std::string::npos && name.substr(dot) == ".log" &&
         name.find_first_not_of("0123456789") == dot;
}

// Nothing if the file is gone: somebody else may delete it after its name was listed.
std::optional<FileFacts> Facts(const std::string& path) try {
  const std::string contents = ReadFile(path);
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) throw std::runtime_error("cannot stat " + path);
  FileFacts facts;
  facts.size = static_cast<uint64_t>(st.st_size);
  facts.crc = lss::Crc32c(0, contents.data(), contents.size());
  facts.modified_ns = int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
  return facts;
} catch (const std::runtime_error&) {
  if (!fs::exists(path)) return std::nullopt;
  throw;
}

}  // namespace

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::string contents;
  std::string piece(1 << 20, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    contents.append(piece, 0, static_cast<size_t>(in.gcount()));
  }
  if (in.bad()) throw std::runtime_error("cannot read " + path);
  return contents;
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path);
}

void CopyTree(const std::string& from, const std::string& to) {
  fs::create_directories(to);
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

Tree ListTree(const std::string& dir) {
  Tree tree;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(dir)) {
    const std::string name = fs::relative(entry.path(), dir).string();
    const std::optional<FileFacts> facts =
        entry.is_directory() ? FileFacts{} : Facts(entry.path().string());
    if (facts) tree[name] = *facts;
  }
  return tree;
}

std::string Difference(const Tree& before, const Tree& after) {
  std::ostringstream out;
  for (const auto& [name, facts] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      out << "gone: " << name << "\n";
    } else if (!(found->second == facts)) {
      out << "changed: " << name << " (" << facts.size << " bytes, then " << found->second.size
          << (facts.crc == found->second.crc ? ", same contents" : ", other contents")
          << (facts.modified_ns == found->second.modified_ns ? "" : ", modified since") << ")\n";
    }
  }
  for (const auto& [name, facts] : after) {
    if (before.count(name) == 0) out << "new: " << name << " (" << facts.size << " bytes)\n";
  }
  return out.str();
}

std::vector<std::string> LogFiles(const std::string& dir) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file() && IsLogName(entry.path().filename().string())) {
      names.push_back(fs::relative(entry.path(), dir).string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string NewestLog(const std::string& dir) {
  std::string newest;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir)) {
    const std::string name = entry.path().filename().string();
    // RocksDB pads the numbers to six digits: the order of names is the order of numbers.
    if (IsLogName(name) && name > newest) newest = name;
  }
  return newest.empty() ? newest : dir + "/" + newest;
}

}  // namespace bloom_lfs::test
