// START HERE. The FileSystem: WALs through the log-structured store, everything else untouched.
//
// Which bytes are on disk is RocksDB's business and stays so; this class only decides who carries
// them. Every override is one of: create a WAL on a store; read a WAL that may still be written; or
// bring a WAL's file to its exact bytes before somebody else changes or links it.
//
// Thread safety: as FileSystem: every method from any thread. Handles may outlive this object.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/plugin_options.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

class BlobTier;

class BloomLfsFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // `target` may be null: PrepareOptions then takes the default FileSystem.
  explicit BloomLfsFileSystem(std::shared_ptr<rocksdb::FileSystem> target = nullptr,
                              const PluginOptions& options = {});

  static const char* kClassName() { return "bloom_lfs"; }
  const char* Name() const override { return kClassName(); }
  rocksdb::Status PrepareOptions(const rocksdb::ConfigOptions& options) override;
  rocksdb::Status ValidateOptions(const rocksdb::DBOptions& db_options,
                                  const rocksdb::ColumnFamilyOptions& cf_options) const override;

  // Figures of this process so far, by Prometheus's names: `name{label="value"}`. README.md lists
  // them. Waits for no device.
  static std::map<std::string, double> GetFigures();

  // --- creating ---
  // Tells logs that RocksDB is going to write from copies of logs (log_writer_intent.h).
  rocksdb::FileOptions OptimizeForLogWrite(const rocksdb::FileOptions& options,
                                           const rocksdb::DBOptions& db_options) const override;
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus NewMemoryMappedFileBuffer(
      const std::string& path, std::unique_ptr<rocksdb::MemoryMappedFileBuffer>* result) override;

  // RocksDB's LOG, which ends with one line about what the plugin has done.
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* result,
                              rocksdb::IODebugContext* dbg) override;

  // --- reading ---
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options,
                                uint64_t* size, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus GetFileModificationTime(const std::string& path,
                                            const rocksdb::IOOptions& options, uint64_t* seconds,
                                            rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus GetChildren(const std::string& directory, const rocksdb::IOOptions& options,
                                std::vector<std::string>* names,
                                rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus GetChildrenFileAttributes(const std::string& directory,
                                              const rocksdb::IOOptions& options,
                                              std::vector<rocksdb::FileAttributes>* attributes,
                                              rocksdb::IODebugContext* dbg) override;

  // --- who is here ---
  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus UnlockFile(rocksdb::FileLock* lock, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override;

  // --- changing names and sizes ---
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus DeleteDir(const std::string& directory, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t size,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override;

#if BLOOM_LFS_HAS_SYNC_FILE
  // Makes durable what was appended to the file, also what its ring holds.
  rocksdb::IOStatus SyncFile(const std::string& path, const rocksdb::FileOptions& file_options,
                             const rocksdb::IOOptions& options, bool use_fsync,
                             rocksdb::IODebugContext* dbg) override;
#endif

 private:
  // Whether this path is a WAL or a blob file that may have a ring: not if the target is no plain
  // local FileSystem.
  bool Carries(const std::string& path) const;
  // Before the file at `path` changes. A numbered file above those of a dead owner says that
  // somebody has gone on without its rings, so what they hold goes to the files first.
  rocksdb::IOStatus BeforeChanging(const std::string& path) const;
  // The same before a file is made there, or gets that name; notes its number.
  rocksdb::IOStatus BeforeMaking(const std::string& path) const;
  // Before somebody else changes the file, if it is one that we carry: recovers the directory,
  // settles a store that writes it.
  rocksdb::IOStatus BringToFile(const std::string& path) const;
  // What was appended to a log is where whoever reads it looks for it.
  static rocksdb::IOStatus Show(const std::string& path);
  // The second half of that.
  static rocksdb::IOStatus SettleLive(const std::string& path);

  // The process's figures go to the file that the options name. Not in the constructor: a program's
  // static initialisers may call that, and it may fork afterwards.
  void KeepFigures() const;

  PluginOptions options_;
  bool target_is_local_ = false;
  std::shared_ptr<BlobTier> blob_tier_;  // never null
};

}  // namespace bloom_lfs
