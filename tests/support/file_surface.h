// FileSystem calls for twin tests: every call writes down its answer, so that a scenario reads as a
// list of calls.

#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "tests/support/twin.h"

namespace bloom_lfs::test {

// A kind of file that RocksDB writes in the way in which it opens it.
struct FileKind {
  const char* name;
  const char* suffix;
  bool direct_writes;

  std::string Name(int number) const { return "00000" + std::to_string(number) + suffix; }
};
inline void PrintTo(const FileKind& kind, std::ostream* out) { *out << kind.name; }

inline constexpr FileKind kLog = {"Log", ".log", false};
inline constexpr FileKind kBlob = {"Blob", ".blob", false};
inline constexpr FileKind kDirectBlob = {"DirectBlob", ".blob", true};

// What callers act upon: the code, not the words behind it.
std::string CodeOf(const rocksdb::IOStatus& status);

// Writes as RocksDB does: as the bytes come or, if the handle wants direct I/O, in whole pages that
// are written again with what follows, and cut to size at the end.
class SurfaceWriter {
 public:
  SurfaceWriter(TwinSide* side, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
      : side_(side), name_(std::move(name)), file_(std::move(file)) {}

  rocksdb::FSWritableFile* handle() const { return file_.get(); }
  void Append(const std::string& bytes);
  void Flush();
  void Sync();
  void Fsync();
  // Says the size that the handle knows, but for direct writes, whose size counts padding.
  void SaySize();
  void Close();

 private:
  void Say(const std::string& call, const rocksdb::IOStatus& status);
  rocksdb::IOStatus AppendPages(const std::string& bytes);

  TwinSide* const side_;
  const std::string name_;
  std::unique_ptr<rocksdb::FSWritableFile> file_;
  uint64_t size_ = 0;      // what was appended
  std::string last_page_;  // of direct writes: what lies behind the last whole page
};

// The files of one side.
class Surface {
 public:
  Surface(TwinSide* side, const FileKind& kind);

  rocksdb::FileSystem* fs() const { return fs_.get(); }
  TwinSide& side() const { return *side_; }
  // This kind's file number n, as a name in this side's directory.
  std::string Name(int n) const { return kind_.Name(n); }
  std::string Path(const std::string& name) const { return *side_ / name; }

  // Throws if it cannot be created; TryCreate says what happened, and is null then.
  SurfaceWriter Create(const std::string& name);
  std::unique_ptr<rocksdb::FSWritableFile> TryCreate(const std::string& name);
  // A closed file of `size` bytes that follow from seed.
  void Make(const std::string& name, uint64_t seed, size_t size);
  rocksdb::FileOptions WriteOptions() const;

  void CreateDir(const std::string& name);
  void Delete(const std::string& name);
  void Rename(const std::string& from, const std::string& to);
  void Link(const std::string& from, const std::string& to);
  void Truncate(const std::string& name, size_t size);

  void SaySize(const std::string& name);
  void SayExists(const std::string& name);
  // Size, and contents by a sequential and by a random-access handle.
  void SayBytes(const std::string& name);
  // What GetChildren and GetChildrenFileAttributes list, in order, with sizes.
  void SayList(const std::string& directory);
  void SayLinks(const std::string& name);
  void SaySame(const std::string& a, const std::string& b);

  std::unique_ptr<rocksdb::FSSequentialFile> OpenToRead(const std::string& name);
  std::unique_ptr<rocksdb::FSRandomAccessFile> OpenRandom(
      const std::string& name, const rocksdb::FileOptions& options = rocksdb::FileOptions());
  // Reads on to the end as it is now.
  void SayRest(const std::string& question, rocksdb::FSSequentialFile* file);
  void SayRange(const std::string& question, rocksdb::FSRandomAccessFile* file, uint64_t offset,
                size_t length);

 private:
  void Say(const std::string& call, const rocksdb::IOStatus& status);

  TwinSide* const side_;
  const FileKind kind_;
  const std::shared_ptr<rocksdb::FileSystem> fs_;
};

}  // namespace bloom_lfs::test
