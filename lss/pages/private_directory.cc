#include "lss/pages/private_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace lss {

Status PrivateDirectory::Make(std::unique_ptr<PrivateDirectory>* result) {
  Status status;
  for (const char* const parent : {"/dev/shm", "/tmp"}) {
    std::string path = std::string(parent) + "/bloom_lfs_tier_XXXXXX";
    if (mkdtemp(path.data()) != nullptr) {  // for its owner only
      result->reset(new PrivateDirectory(path));
      return Status::Ok();
    }
    status = Status::FromErrno("make a directory in", parent, -1, errno);
  }
  return status;
}

void PrivateDirectory::Remove() const {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace lss
