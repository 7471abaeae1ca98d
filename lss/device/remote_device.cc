#include "lss/device/remote_device.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>

#include "lss/device/remote_module.h"

namespace lss {
namespace {

constexpr const char* kSchemes[] = {"nbd://", "nbds://", "nbd+unix://"};

// Any address in this library.
const char kHere = 0;

// The module in the directory of this code; empty if there is none.
std::string FileBesideUs() {
  Dl_info info = {};
  if (dladdr(&kHere, &info) == 0 || info.dli_fname == nullptr) {
    return "";
  }
  const std::string self = info.dli_fname;
  const size_t slash = self.rfind('/');
  const std::string file =
      (slash == std::string::npos ? "./" : self.substr(0, slash + 1)) + kRemoteModuleFile;
  return access(file.c_str(), F_OK) == 0 ? file : "";
}

bool Has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

Status CannotLoad(const std::string& uri, const std::string& file, const std::string& error) {
  return Status::NotSupported("open " + uri + ": cannot load " + file + ": " + error + "; " +
                              RemedyOfModuleError(error, file));
}

Status FindEntry(const std::string& uri, const RemoteOptions& options, std::string* file,
                 RemoteModuleEntry* entry) {
  *file = options.module_file.empty() ? FileBesideUs() : options.module_file;
  if (file->empty()) {
    *file = kRemoteModuleFile;
  }
  // Never unloaded: its threads and TLS libraries do not come apart in a living process.
  void* const handle = dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* const error = dlerror();
    return CannotLoad(uri, *file, error != nullptr ? error : "unknown error");
  }
  *entry = reinterpret_cast<RemoteModuleEntry>(dlsym(handle, kRemoteModuleEntry));
  return *entry != nullptr
             ? Status::Ok()
             : CannotLoad(uri, *file, std::string("it has no function ") + kRemoteModuleEntry);
}

}  // namespace

bool IsRemotePlace(const std::string& place) {
  for (const char* const scheme : kSchemes) {
    if (place.compare(0, std::strlen(scheme), scheme) == 0) {
      return true;
    }
  }
  return false;
}

const char* RemedyOfModuleError(const std::string& error, const std::string& file) {
  if (Has(error, "libnbd.so")) {
    return "install libnbd (Debian: the package libnbd0)";
  }
  if (Has(error, "Permission denied")) {
    return "let the user that this process runs as read that file and search its directory";
  }
  if (Has(error, (file + ": cannot open shared object file").c_str())) {
    return "build bloom_lfs where libnbd is installed (Debian: the package libnbd-dev) and put "
           "libbloom_lfs_nbd.so beside libbloom_lfs_plugin.so, as cmake --install does, or name "
           "its directory in LD_LIBRARY_PATH";
  }
  if (Has(error, "cannot open shared object file")) {
    return "install the library that it needs, or name its directory in LD_LIBRARY_PATH";
  }
  return "install libbloom_lfs_nbd.so from the same build of bloom_lfs, made on this system";
}

Status OpenRemoteDevice(const std::string& uri, const RemoteOptions& options,
                        std::unique_ptr<Device>* device) {
  if (!IsRemotePlace(uri)) {
    return Status::InvalidArgument("open " + uri +
                                   ": not an address that is known here; give one that begins "
                                   "with nbd://, nbds:// or nbd+unix://");
  }
  std::string file;
  RemoteModuleEntry entry = nullptr;
  Status status = FindEntry(uri, options, &file, &entry);
  if (!status.ok() || entry == nullptr) {
    return status;
  }
  Device* opened = nullptr;
  const uint32_t version = entry(kRemoteModuleVersion, uri.c_str(), &options, &opened, &status);
  if (version != kRemoteModuleVersion) {
    return CannotLoad(uri, file,
                      "it is of version " + std::to_string(version) + ", and version " +
                          std::to_string(kRemoteModuleVersion) + " is needed");
  }
  if (status.ok()) {
    device->reset(opened);
  }
  return status;
}

}  // namespace lss
