#include "tests/support/file_surface.h"

#include <algorithm>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/log_options.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {

using rocksdb::FileOptions;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

constexpr size_t kPage = 4096;

}  // namespace

std::string CodeOf(const IOStatus& status) {
  const std::string text = status.ToString();
  return text.substr(0, text.find(':')) + "/" + std::to_string(static_cast<int>(status.subcode()));
}

// --- SurfaceWriter -------------------------------------------------------------------------------

void SurfaceWriter::Say(const std::string& call, const IOStatus& status) {
  side_->Say(call + " " + name_, CodeOf(status));
}

void SurfaceWriter::Append(const std::string& bytes) {
  const IOStatus status =
      file_->use_direct_io() ? AppendPages(bytes) : file_->Append(bytes, IOOptions(), nullptr);
  if (status.ok()) size_ += bytes.size();
  Say("append " + std::to_string(bytes.size()), status);
}

IOStatus SurfaceWriter::AppendPages(const std::string& bytes) {
  std::string pages = last_page_ + bytes;
  const uint64_t offset = size_ - last_page_.size();
  last_page_ = pages.substr(pages.size() / kPage * kPage);
  pages.resize((pages.size() + kPage - 1) / kPage * kPage);
  const lss::test::AlignedMemory aligned(pages);
  return file_->PositionedAppend(Slice(aligned.data(), pages.size()), offset, IOOptions(), nullptr);
}

void SurfaceWriter::Flush() { Say("flush", file_->Flush(IOOptions(), nullptr)); }
void SurfaceWriter::Sync() { Say("sync", file_->Sync(IOOptions(), nullptr)); }
void SurfaceWriter::Fsync() { Say("fsync", file_->Fsync(IOOptions(), nullptr)); }

void SurfaceWriter::SaySize() {
  if (!file_->use_direct_io()) {
    side_->Say("handle's size of " + name_, file_->GetFileSize(IOOptions(), nullptr));
  }
}

void SurfaceWriter::Close() {
  if (file_->use_direct_io()) {
    Require(file_->Truncate(size_, IOOptions(), nullptr));
    Require(file_->Fsync(IOOptions(), nullptr));
  }
  Say("close", file_->Close(IOOptions(), nullptr));
}

// --- Surface -------------------------------------------------------------------------------------

Surface::Surface(TwinSide* side, const FileKind& kind)
    : side_(side), kind_(kind), fs_(side->env()->GetFileSystem()) {}

void Surface::Say(const std::string& call, const IOStatus& status) {
  side_->Say(call, CodeOf(status));
}

FileOptions Surface::WriteOptions() const {
  FileOptions options;
  options.use_direct_writes = kind_.direct_writes;
  return options;
}

std::unique_ptr<rocksdb::FSWritableFile> Surface::TryCreate(const std::string& name) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  Say("create " + name,
      fs_->NewWritableFile(Path(name), OptionsFor(name, *fs_, WriteOptions()), &file, nullptr));
  return file;
}

SurfaceWriter Surface::Create(const std::string& name) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  Require(fs_->NewWritableFile(Path(name), OptionsFor(name, *fs_, WriteOptions()), &file, nullptr));
  return {side_, name, std::move(file)};
}

void Surface::Make(const std::string& name, uint64_t seed, size_t size) {
  SurfaceWriter writer = Create(name);
  writer.Append(MakeValue(seed, size));
  writer.Close();
}

void Surface::CreateDir(const std::string& name) {
  Say("create directory " + name, fs_->CreateDir(Path(name), IOOptions(), nullptr));
}

void Surface::Delete(const std::string& name) {
  Say("delete " + name, fs_->DeleteFile(Path(name), IOOptions(), nullptr));
}

void Surface::Rename(const std::string& from, const std::string& to) {
  Say("rename " + from + " to " + to, fs_->RenameFile(Path(from), Path(to), IOOptions(), nullptr));
}

void Surface::Link(const std::string& from, const std::string& to) {
  Say("link " + from + " as " + to, fs_->LinkFile(Path(from), Path(to), IOOptions(), nullptr));
}

void Surface::Truncate(const std::string& name, size_t size) {
  Say("truncate " + name + " to " + std::to_string(size),
      fs_->Truncate(Path(name), size, IOOptions(), nullptr));
}

void Surface::SaySize(const std::string& name) {
  uint64_t size = 0;
  const IOStatus status = fs_->GetFileSize(Path(name), IOOptions(), &size, nullptr);
  side_->Say("size of " + name, status.ok() ? std::to_string(size) : CodeOf(status));
}

void Surface::SayExists(const std::string& name) {
  Say("exists " + name, fs_->FileExists(Path(name), IOOptions(), nullptr));
}

void Surface::SayBytes(const std::string& name) {
  SaySize(name);
  const auto sequential = OpenToRead(name);
  if (sequential != nullptr) SayRest("sequentially", sequential.get());
  const auto random = OpenRandom(name);
  uint64_t size = 0;
  if (random != nullptr && fs_->GetFileSize(Path(name), IOOptions(), &size, nullptr).ok()) {
    SayRange("at random", random.get(), 0, size + 100);
  }
}

void Surface::SayBytesForOthers(const std::string& name) {
  side_->SayBytes("for others " + name, ReadFile(Path(name)));
}

void Surface::SayList(const std::string& directory) {
  std::vector<std::string> names = {"stale"};
  Say("children of " + directory, fs_->GetChildren(Path(directory), IOOptions(), &names, nullptr));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) side_->Say("child", name);
  std::vector<rocksdb::FileAttributes> attributes;
  Say("attributes in " + directory,
      fs_->GetChildrenFileAttributes(Path(directory), IOOptions(), &attributes, nullptr));
  std::sort(attributes.begin(), attributes.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const rocksdb::FileAttributes& entry : attributes) {
    bool is_directory = false;  // their sizes are the file system's affair
    Require(
        fs_->IsDirectory(Path(directory) + "/" + entry.name, IOOptions(), &is_directory, nullptr));
    if (!is_directory) side_->Say("size of child " + entry.name, entry.size_bytes);
  }
}

void Surface::SayLinks(const std::string& name) {
  uint64_t links = 0;
  const IOStatus status = fs_->NumFileLinks(Path(name), IOOptions(), &links, nullptr);
  side_->Say("links of " + name, status.ok() ? std::to_string(links) : CodeOf(status));
}

void Surface::SaySame(const std::string& a, const std::string& b) {
  bool same = false;
  const IOStatus status = fs_->AreFilesSame(Path(a), Path(b), IOOptions(), &same, nullptr);
  side_->Say(a + " is " + b, status.ok() ? std::to_string(same) : CodeOf(status));
}

std::unique_ptr<rocksdb::FSSequentialFile> Surface::OpenToRead(const std::string& name) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  Say("open " + name, fs_->NewSequentialFile(Path(name), FileOptions(), &file, nullptr));
  return file;
}

std::unique_ptr<rocksdb::FSRandomAccessFile> Surface::OpenRandom(const std::string& name,
                                                                 const FileOptions& options) {
  std::unique_ptr<rocksdb::FSRandomAccessFile> file;
  Say("open to read at random " + name,
      fs_->NewRandomAccessFile(Path(name), options, &file, nullptr));
  return file;
}

void Surface::SayRest(const std::string& question, rocksdb::FSSequentialFile* file) {
  std::string bytes;
  std::string scratch(32768, '\0');
  for (;;) {
    Slice piece;
    const IOStatus status =
        file->Read(scratch.size(), IOOptions(), &piece, scratch.data(), nullptr);
    if (!status.ok()) {
      side_->Say(question, CodeOf(status));
      return;
    }
    bytes.append(scratch, 0, piece.size());  // RocksDB takes it from scratch, too
    if (piece.size() < scratch.size()) break;
  }
  side_->SayBytes(question, bytes);
}

void Surface::SayRange(const std::string& question, rocksdb::FSRandomAccessFile* file,
                       uint64_t offset, size_t length) {
  std::string scratch(length, '\0');
  Slice piece;
  const IOStatus status = file->Read(offset, length, IOOptions(), &piece, scratch.data(), nullptr);
  if (status.ok()) {
    side_->SayBytes(question, piece.ToString());
  } else {
    side_->Say(question, CodeOf(status));
  }
}

}  // namespace bloom_lfs::test
