// A program that loads RocksDB late and privately, as interpreters and Java do, from another
// working directory than it was started in, and asks from many threads at once.
//
//   late_service LIBRARY ARGUMENTS...     as service.h says
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

// True if all threads see the same FileSystem.
bool AskFromManyThreads(const char* (*name)()) {
  constexpr int kThreads = 16;
  std::atomic<int> waiting{kThreads};
  std::vector<const char*> names(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      waiting.fetch_sub(1);
      while (waiting.load() > 0) {
      }
      names[i] = name();
    });
  }
  bool same = true;
  for (int i = 0; i < kThreads; ++i) {
    threads[i].join();
    same = same && std::strcmp(names[i], names[0]) == 0;
  }
  return same;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || chdir("/") != 0) return 2;
  void* const library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "late_service: %s\n", dlerror());
    return 2;
  }
  const auto name = reinterpret_cast<const char* (*)()>(dlsym(library, "DefaultFileSystemName"));
  const auto main_function = reinterpret_cast<int (*)(int, char**)>(dlsym(library, "ServiceMain"));
  if (!AskFromManyThreads(name)) {
    std::fprintf(stderr, "late_service: threads see different FileSystems\n");
    return 3;
  }
  return main_function(argc - 1, argv + 1);
}
