#include "plugin/log_succession.h"

#include <cerrno>

#include "lss/base/posix_file.h"
#include "plugin/file_kind.h"
#include "plugin/live_stores.h"

namespace bloom_lfs {

LogSuccession::LogSuccession(const std::string& path)
    : path_(path), number_(WalNumber(path)), directory_(DirectoryId::Of(lss::DirectoryOf(path))) {}

lss::Pace LogSuccession::TakeOver() const {
  lss::Pace pace;
  for (const StorePtr& older : LiveStores::OlderWals(directory_, number_)) {
    if (older->size() > 0) {
      pace = older->pace();
    }
    older->Retire();
  }
  return pace;
}

lss::Status LogSuccession::SettleOlder(bool durable) const {
  // Without knowing the directory nothing can be said about its logs.
  const DirectoryId directory =
      directory_.known() ? directory_ : DirectoryId::Of(lss::DirectoryOf(path_));
  if (!directory.known()) {
    return lss::Status::FromErrno("stat the directory of", path_, -1, EIO);
  }
  for (const StorePtr& older : LiveStores::OlderWals(directory, number_)) {
    if (older->closed()) {
      continue;
    }
    older->Retire();
    lss::Status status = durable ? older->Sync() : older->Settle();
    // Closed meanwhile: then its file has everything.
    if (!status.ok() && status.code() != lss::Status::Code::kClosed && !older->failed()) {
      return status;
    }
  }
  return lss::Status::Ok();
}

bool LogSuccession::HasSuccessor() const { return LiveStores::HasNewerWal(directory_, number_); }

}  // namespace bloom_lfs
