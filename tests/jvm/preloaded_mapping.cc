// Preloaded into a Java VM: mappings of ours in trouble, beside the VM's own. MAPPING_AT says when
// they are made: "start" (before the VM has its handlers), "later", or "both". Waits for the file
// GO in MAPPING_DIRECTORY, uses the mappings, leaves the verdict in the file "verdict" there.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/unique_fd.h"
#include "lss/ring/shared_mapping.h"

namespace {

constexpr uint64_t kBytes = 8192;

std::string Directory() { return std::getenv("MAPPING_DIRECTORY"); }

std::unique_ptr<lss::SharedMapping> Make(const std::string& name) {
  const std::string path = Directory() + "/" + name;
  const lss::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  std::unique_ptr<lss::SharedMapping> mapping;
  if (ftruncate(fd.get(), kBytes) != 0 ||
      !lss::SharedMapping::Map(fd.get(), path, kBytes, lss::SharedMapping::Access::kReadWrite,
                               &mapping)
           .ok() ||
      ftruncate(fd.get(), 0) != 0) {
    _exit(3);
  }
  return mapping;
}

std::vector<std::unique_ptr<lss::SharedMapping>>* g_mappings;

void* Use(void* /*unused*/) {
  while (access((Directory() + "/GO").c_str(), F_OK) != 0) {
    usleep(10000);
  }
  if (std::strcmp(std::getenv("MAPPING_AT"), "start") != 0) {
    g_mappings->push_back(Make("later"));
  }
  bool survived = true;
  for (const auto& mapping : *g_mappings) {
    mapping->data()[kBytes / 2] = 'x';
    survived = survived && mapping->failed();
  }
  const lss::UniqueFd fd(
      open((Directory() + "/verdict").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  (void)!write(fd.get(), survived ? "survived" : "unnoticed", survived ? 8 : 9);
  return nullptr;
}

[[gnu::constructor]] void Begin() {
  if (std::getenv("MAPPING_AT") == nullptr) {
    return;
  }
  g_mappings = new std::vector<std::unique_ptr<lss::SharedMapping>>;
  if (std::strcmp(std::getenv("MAPPING_AT"), "later") != 0) {
    g_mappings->push_back(Make("start"));
  }
  pthread_t thread;
  pthread_create(&thread, nullptr, &Use, nullptr);
  pthread_detach(thread);
}

}  // namespace
