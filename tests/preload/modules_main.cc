// A program whose modules come and go, each with a RocksDB of its own, so that one lies where
// another was.
//
//   modules MODULE MODULE...
#include <dlfcn.h>

#include <cstdio>

int main(int argc, char** argv) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 1; i < argc; ++i) {
      void* const module = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
      if (module == nullptr) {
        std::fprintf(stderr, "modules: %s\n", dlerror());
        return 2;
      }
      const auto call = reinterpret_cast<int (*)()>(dlsym(module, "CallOnceMore"));
      if (call == nullptr || call() != 1) {
        std::fprintf(stderr, "modules: %s did not call its own function\n", argv[i]);
        return 1;
      }
      dlclose(module);
    }
  }
  return 0;
}
