// What is mapped into this process, asked of the dynamic linker.
//
// Nothing here keeps a lock of ours while the dynamic linker is asked: its own lock is held around
// the static initialisers of libraries, and those may call us.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bloom_lfs::loader {

// A program or library in this process. Valid while it stays loaded.
class Object {
 public:
  // The object that `address` lies in.
  static Object Of(const void* address);

  bool IsProgram() const { return path_[0] == '\0'; }
  // "the program" or the library's file.
  const char* Name() const;
  bool Contains(uintptr_t address) const { return address >= begin_ && address < end_; }
  // Of everything that is mapped for it.
  uintptr_t begin() const { return begin_; }
  uintptr_t end() const { return end_; }

  // What this object means by `symbol`: its own definition or that of a library it is linked to.
  // The program means the first of the whole process.
  void* Find(const char* symbol) const;

 private:
  const char* path_ = "";  // owned by the dynamic linker; empty for the program
  uintptr_t begin_ = 0;
  uintptr_t end_ = 0;
};

// What the library with this soname or path, if it is loaded already, means by `symbol`.
void* FindInLoaded(const char* soname, const char* symbol);

// Whether a library whose file has this name is loaded. Unlike FindInLoaded, which goes through all
// library directories to make sure that it is not, this costs no system call.
bool IsLoaded(const char* file);

// The first definition in the process that is not a loader's. Does not see libraries that were
// loaded privately (dlopen with RTLD_LOCAL).
void* FindElsewhere(const char* symbol);

// The same, or what the RocksDB means by it that the plugin is linked to, however that was loaded.
void* FindRocksDBsOwn(const char* symbol);

// Keeps the library that `address` lies in from being unloaded, as the program never is. False if
// that cannot be.
bool KeepLoaded(const void* address);

// Whether `address` is in this library.
bool IsOurs(const void* address);

// Writes the absolute path of `file` in this library's own directory. False if it is too long, or
// this library's file is gone. Call RememberDirectory() first, before anybody changes directory.
bool PathBesideUs(const char* file, char* path, size_t path_bytes);
void RememberDirectory();

}  // namespace bloom_lfs::loader
