#include "tests/support/faulty_file_system.h"

#include <utility>

namespace bloom_lfs::test {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// What can fail about one kind of file.
struct Places {
  FaultAt creation = FaultAt::kNowhere;
  FaultAt append = FaultAt::kNowhere;
  FaultAt half_append = FaultAt::kNowhere;
  FaultAt flush = FaultAt::kNowhere;
  FaultAt sync = FaultAt::kNowhere;
  FaultAt close = FaultAt::kNowhere;
};

Places PlacesOf(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const auto ends_with = [&](const std::string& end) {
    return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
  };
  Places places;
  if (ends_with(".log")) {
    places = {FaultAt::kLogCreation, FaultAt::kLogAppend, FaultAt::kLogAppendHalfDone,
              FaultAt::kLogFlush,    FaultAt::kLogSync,   FaultAt::kLogClose};
  } else if (ends_with(".sst")) {
    places.creation = FaultAt::kTableCreation;
    places.append = FaultAt::kTableAppend;
    places.sync = FaultAt::kTableSync;
  } else if (name.rfind("MANIFEST-", 0) == 0) {
    places.append = FaultAt::kManifestAppend;
    places.sync = FaultAt::kManifestSync;
  }
  return places;
}

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<FSWritableFile> file, const Places& places,
             std::shared_ptr<Faults> faults)
      : FSWritableFileOwnerWrapper(std::move(file)), places_(places), faults_(std::move(faults)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    if (IOStatus error = faults_->Take(places_.append); !error.ok()) return error;
    if (IOStatus error = faults_->Take(places_.half_append); !error.ok()) {
      const IOStatus half = target()->Append(Slice(data.data(), data.size() / 2), options, dbg);
      return half.ok() ? error : half;
    }
    return target()->Append(data, options, dbg);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* dbg) override {
    const IOStatus error = faults_->Take(places_.flush);
    return error.ok() ? target()->Flush(options, dbg) : error;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    const IOStatus error = faults_->Take(places_.sync);
    return error.ok() ? target()->Sync(options, dbg) : error;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    const IOStatus error = faults_->Take(places_.sync);
    return error.ok() ? target()->Fsync(options, dbg) : error;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    const IOStatus closed = target()->Close(options, dbg);
    const IOStatus error = faults_->Take(places_.close);
    return error.ok() ? closed : error;
  }

 private:
  const Places places_;
  const std::shared_ptr<Faults> faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultyFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target,
                   std::shared_ptr<Faults> faults)
      : FileSystemWrapper(target), faults_(std::move(faults)) {}

  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext* dbg) override {
    const Places places = PlacesOf(path);
    if (IOStatus error = faults_->Take(places.creation); !error.ok()) return error;
    IOStatus status = target()->NewWritableFile(path, options, result, dbg);
    if (status.ok()) {
      *result = std::make_unique<FaultyFile>(std::move(*result), places, faults_);
    }
    return status;
  }

 private:
  const std::shared_ptr<Faults> faults_;
};

}  // namespace

void Faults::FailNext(FaultAt where, const IOStatus& error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  where_ = where;
  error_ = error;
}

IOStatus Faults::Take(FaultAt where) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (where == FaultAt::kNowhere || where != where_) return IOStatus::OK();
  where_ = FaultAt::kNowhere;
  return error_;
}

bool Faults::Happened() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return where_ == FaultAt::kNowhere;
}

std::shared_ptr<rocksdb::FileSystem> NewFaultyFileSystem(
    const std::shared_ptr<rocksdb::FileSystem>& target, const std::shared_ptr<Faults>& faults) {
  return std::make_shared<FaultyFileSystem>(target, faults);
}

}  // namespace bloom_lfs::test
