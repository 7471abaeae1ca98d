// One scenario, run once on stock RocksDB and once on the plugin: the same answers, the same files.
//
// A scenario writes down what RocksDB tells it (Say) and leaves files in its directory. What may
// rightly differ between two runs of stock RocksDB (times, session ids, ports) must not be said.
// Whoever writes a scenario sees what is said with BLOOM_LFS_TWIN_ANSWERS=1.

#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {

class TwinSide {
 public:
  TwinSide(With with, std::string directory);

  With with() const { return with_; }
  // "stock" or "plugin": for children, which get it as an argument.
  std::string name() const { return Name(with_); }
  rocksdb::Env* env() const { return env_.get(); }
  // Path of `name` in this side's own directory, which is empty at first.
  std::string operator/(const std::string& name) const { return directory_ + "/" + name; }

  // Writes down an answer. This side's directory reads "<dir>" in it.
  void Say(const std::string& question, const std::string& answer);
  void Say(const std::string& question, const rocksdb::Status& answer);
  void Say(const std::string& question, uint64_t answer);
  // Many bytes, by number and checksum.
  void SayBytes(const std::string& question, const std::string& bytes);
  // Every key and value of a column family, by number and checksum.
  void SayContents(const std::string& question, rocksdb::DB* db,
                   rocksdb::ColumnFamilyHandle* family = nullptr);

  const std::vector<std::string>& answers() const { return answers_; }

 private:
  const With with_;
  const std::string directory_;
  TestEnv env_;
  std::vector<std::string> answers_;
};

// Waits until no ring is left below a directory of closed databases: the last steps of a close are
// left to a thread. For scenarios that look at such a directory themselves, or copy it.
void AwaitEndOfRings(const std::string& directory);

// What is compared of the files that a scenario leaves.
enum class Files {
  kBytes,      // names, and of WALs and blob files every byte
  kNamesOnly,  // for writers that race: which of them comes first is chance
  kNone,       // for scenarios that leave what they say rightly differs
};

// Runs `scenario` on both sides and expects the same answers, in order, and afterwards the same
// names in both directories (but for info logs, and with session ids masked), WALs and blob files
// byte for byte, and no ring. Exceptions of the scenario fail the test.
void ExpectTwins(const std::function<void(TwinSide&)>& scenario, Files files = Files::kBytes);

}  // namespace bloom_lfs::test
