// A page store on an export: whose it is, and whether it may be written over.
#include <algorithm>
#include <cerrno>

#include "lss/base/page_buffer.h"
#include "lss/pages/page_file.h"

namespace lss {

Status PageFile::OpenExport(const std::string& uri, const PageFileLayout& layout) {
  Status status = ExportDevice::Open(uri, &export_);
  if (!status.ok()) {
    return status;
  }
  device_ = export_;
  status = CheckExportSize(layout.file_bytes);
  bool recognised = false;
  if (status.ok()) {
    status = RecogniseExport(layout, &recognised);
  }
  if (status.ok() && !recognised) {
    status = WriteSuperblocks(layout);
  }
  return status.ok() ? PrivateDirectory::Make(&private_) : status;
}

Status PageFile::CheckExportSize(uint64_t bytes) const {
  StreamId id;
  uint64_t size = 0;
  Status status = export_->Identify(&id, &size);
  if (status.ok() && size < bytes) {
    status = Status::NoSpace(path() + " has " + std::to_string(size) + " bytes, and the tier " +
                             "would take " + std::to_string(bytes) +
                             "; choose a smaller size, or make the export larger");
  }
  return status;
}

// Nothing of ours lies between the superblocks and the first MiB's end, and what others have there
// (partition tables, file systems, side logs) is theirs.
Status PageFile::RecogniseExport(const PageFileLayout& layout, bool* recognised) {
  PageBuffer bytes;
  if (!bytes.Reserve(kLayoutUnit)) {
    return Status::FromErrno("read", path(), 0, ENOMEM);
  }
  if (Status status = ReadPages(0, kLayoutUnit, bytes.data()); !status.ok()) {
    return status;
  }
  const char* const second = bytes.data() + kPageBytes;
  *recognised =
      (DecodeSuperblock(bytes.data(), &superblock_) || DecodeSuperblock(second, &superblock_)) &&
      superblock_.layout == layout;
  if (HasSuperblockMagic(bytes.data()) || HasSuperblockMagic(second) ||
      std::all_of(bytes.data(), bytes.data() + kLayoutUnit, [](char byte) { return byte == 0; })) {
    return Status::Ok();
  }
  return Status::InvalidArgument(path() +
                                 " holds something that is no flash tier; name another export, or "
                                 "write zeros to its first MiB if it may be overwritten");
}

}  // namespace lss
