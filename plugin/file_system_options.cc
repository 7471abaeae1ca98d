// The FileSystem is made: what it is over, what it was asked for, and what it says of itself.
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/figures/figures.h"
#include "plugin/figures/figures_file.h"
#include "plugin/figures/stream_figures_source.h"
#include "plugin/figures/summary_logger.h"
#include "plugin/flash/blob_tier.h"
#include "plugin/warning.h"

namespace bloom_lfs {

using rocksdb::FileSystem;

namespace {

// The stock local FileSystem and nothing in between: a layer that encrypts, counts or moves files
// must see the WAL's bytes itself, so under any other target WALs pass through.
bool IsPlainLocal(const FileSystem* target) {
  return target != nullptr && target->IsInstanceOf("PosixFileSystem");
}

// A WAL is carried once, with the options of the outermost: where the plugin is the default
// FileSystem already (BLOOM_LFS_DEFAULT=1), one that is asked for by name takes its place.
std::shared_ptr<FileSystem> WithoutPlugin(std::shared_ptr<FileSystem> target) {
  while (target != nullptr && target->IsInstanceOf(BloomLfsFileSystem::kClassName())) {
    FileSystem* const inner = static_cast<rocksdb::FileSystemWrapper*>(target.get())->target();
    target = std::shared_ptr<FileSystem>(target, inner);  // which its wrapper owns
  }
  return target;
}

}  // namespace

BloomLfsFileSystem::BloomLfsFileSystem(std::shared_ptr<FileSystem> target,
                                       const PluginOptions& options)
    : FileSystemWrapper(WithoutPlugin(target)),
      options_(options),
      target_is_local_(IsPlainLocal(this->target())),
      blob_tier_(std::make_shared<BlobTier>()) {
  RegisterOptions(&options_, &PluginOptionTypes());
}

std::map<std::string, double> BloomLfsFileSystem::GetFigures() {
  CountStreams();
  std::map<std::string, double> values;
  for (const Figure& figure : CollectFigures()) {
    values[figure.FullName()] = figure.value;
  }
  return values;
}

void BloomLfsFileSystem::KeepFigures() const {
  if (!options_.stats_file.empty()) {
    CountStreams();
    KeepFiguresFile(options_.stats_file, std::chrono::seconds(options_.stats_interval_s));
  }
}

rocksdb::IOStatus BloomLfsFileSystem::NewLogger(const std::string& path,
                                                const rocksdb::IOOptions& options,
                                                std::shared_ptr<rocksdb::Logger>* result,
                                                rocksdb::IODebugContext* dbg) {
  KeepFigures();
  std::shared_ptr<rocksdb::Logger> logger;
  rocksdb::IOStatus status = target()->NewLogger(path, options, &logger, dbg);
  if (status.ok() && logger != nullptr) {
    *result = WithSummary(std::move(logger));
  }
  return status;
}

rocksdb::Status BloomLfsFileSystem::PrepareOptions(const rocksdb::ConfigOptions& options) {
  rocksdb::Status status = options_.Validate();
  if (status.ok()) {
    status = FileSystemWrapper::PrepareOptions(options);
  }
  if (status.ok()) {
    KeepFigures();
    target_ = WithoutPlugin(target_);
    target_is_local_ = IsPlainLocal(target());
    if (!target_is_local_) {
      WarnOnce(
          std::string("the target FileSystem is ") + target()->Name() +
          ", not the local one; WALs pass through to it unchanged (use bloom_lfs directly over "
          "the default FileSystem to speed them up)");
    }
  }
  return status;
}

rocksdb::Status BloomLfsFileSystem::ValidateOptions(
    const rocksdb::DBOptions& db_options, const rocksdb::ColumnFamilyOptions& cf_options) const {
  rocksdb::Status status = options_.Validate();
  return status.ok() ? FileSystemWrapper::ValidateOptions(db_options, cf_options) : status;
}

}  // namespace bloom_lfs
