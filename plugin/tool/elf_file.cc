#include "plugin/tool/elf_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "lss/base/page_buffer.h"
#include "lss/base/posix_file.h"

// The linker's name for the header of this program.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;  // NOLINT: as it is called

namespace bloom_lfs::tool {
namespace {

using lss::Status;

constexpr size_t kScanBytes = 1 << 20;

// The string at `at` of a table that need not end with a zero.
std::string StringAt(const Elf_Data& table, uint64_t at) {
  if (at >= table.d_size) {
    return "";
  }
  const auto* const begin = static_cast<const char*>(table.d_buf) + at;
  return {begin, strnlen(begin, table.d_size - at)};
}

std::vector<std::string> SplitPaths(const std::string& list) {
  std::vector<std::string> paths;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(':', at), list.size());
    if (end > at) {
      paths.push_back(list.substr(at, end - at));
    }
    at = end + 1;
  }
  return paths;
}

}  // namespace

void ElfFile::Close::operator()(Elf* elf) const { elf_end(elf); }

ElfFile::~ElfFile() = default;

Status ElfFile::Damaged(const char* what) const {
  return Status::InvalidArgument(path_ + ": a damaged ELF file (" + what + ")");
}

Status ElfFile::Open(const std::string& path, std::unique_ptr<ElfFile>* result) {
  std::unique_ptr<ElfFile> file(new ElfFile(path));
  // A FIFO would wait for a writer.
  file->fd_ = lss::UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat st = {};
  if (!file->fd_.valid() || fstat(file->fd_.get(), &st) != 0) {
    return Status::FromErrno("open", path, -1, errno);
  }
  if (!S_ISREG(st.st_mode)) {
    return Status::InvalidArgument(path + " is no program");
  }
  elf_version(EV_CURRENT);
  // Read, not mapped: a file that is cut short meanwhile is an error, and no signal.
  file->elf_.reset(elf_begin(file->fd_.get(), ELF_C_READ, nullptr));
  if (file->elf_ == nullptr || elf_kind(file->elf_.get()) != ELF_K_ELF) {
    char begin[2] = {};
    const bool is_script = pread(file->fd_.get(), begin, sizeof(begin), 0) == sizeof(begin) &&
                           begin[0] == '#' && begin[1] == '!';
    return Status::InvalidArgument(
        path + (is_script ? " is a script: name the program it starts" : " is no ELF program"));
  }
  Status status = file->ReadHeaders();
  if (status.ok()) {
    *result = std::move(file);
  }
  return status;
}

bool ElfFile::fits_this_process() const {
  GElf_Ehdr header;
  return gelf_getehdr(elf_.get(), &header) != nullptr &&
         header.e_machine == __ehdr_start.e_machine &&
         header.e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
         header.e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA];
}

Status ElfFile::ReadHeaders() {
  GElf_Ehdr header;
  size_t count = 0;
  if (gelf_getehdr(elf_.get(), &header) == nullptr || elf_getphdrnum(elf_.get(), &count) != 0) {
    return Damaged("its header");
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return Status::InvalidArgument(path_ + " is an ELF file, but no program or library");
  }
  Status status = count > 0 ? Status::Ok() : Damaged("no program headers");
  for (size_t i = 0; i < count && status.ok(); ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_.get(), static_cast<int>(i), &segment) == nullptr) {
      return Damaged("its program headers");
    }
    if (segment.p_type == PT_INTERP) {
      status = ReadInterpreter(segment.p_offset, segment.p_filesz);
    } else if (segment.p_type == PT_DYNAMIC) {
      status = ReadDynamic(segment.p_offset, segment.p_filesz);
    }
  }
  return status;
}

Status ElfFile::ReadInterpreter(uint64_t offset, uint64_t bytes) {
  char text[PATH_MAX] = {};
  size_t read = 0;
  if (bytes == 0 || bytes >= sizeof(text) || offset > INT64_MAX - sizeof(text) ||
      !lss::ReadFully(fd_.get(), path_, offset, bytes, text, &read).ok() || read != bytes) {
    return Damaged("its interpreter");
  }
  interpreter_ = text;
  return interpreter_.empty() ? Damaged("its interpreter") : Status::Ok();
}

// Where in the file what is at `address` of the process lies.
bool ElfFile::FindOffset(uint64_t address, uint64_t* offset) const {
  size_t count = 0;
  (void)elf_getphdrnum(elf_.get(), &count);
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_.get(), static_cast<int>(i), &segment) != nullptr &&
        segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      *offset = segment.p_offset + (address - segment.p_vaddr);
      return true;
    }
  }
  return false;
}

Status ElfFile::ReadDynamic(uint64_t offset, uint64_t bytes) {
  Elf_Data* const entries =
      elf_getdata_rawchunk(elf_.get(), static_cast<int64_t>(offset), bytes, ELF_T_DYN);
  if (entries == nullptr) {
    return Damaged("its dynamic section");
  }
  has_dynamic_section_ = true;
  std::vector<GElf_Dyn> wanted;
  uint64_t table_address = 0;
  uint64_t table_bytes = 0;
  GElf_Dyn entry;
  for (int i = 0; gelf_getdyn(entries, i, &entry) != nullptr && entry.d_tag != DT_NULL; ++i) {
    if (entry.d_tag == DT_STRTAB) {
      table_address = entry.d_un.d_ptr;
    } else if (entry.d_tag == DT_STRSZ) {
      table_bytes = entry.d_un.d_val;
    } else if (entry.d_tag == DT_NEEDED || entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH) {
      wanted.push_back(entry);
    }
  }
  if (wanted.empty()) {
    return Status::Ok();
  }
  uint64_t table_offset = 0;
  Elf_Data* const table = FindOffset(table_address, &table_offset)
                              ? elf_getdata_rawchunk(elf_.get(), static_cast<int64_t>(table_offset),
                                                     table_bytes, ELF_T_BYTE)
                              : nullptr;
  if (table == nullptr || table->d_buf == nullptr) {
    return Damaged("its dynamic strings");
  }
  for (const GElf_Dyn& each : wanted) {
    const std::string text = StringAt(*table, each.d_un.d_val);
    if (each.d_tag == DT_NEEDED) {
      needed_.push_back(text);
    } else {
      (each.d_tag == DT_RPATH ? search_paths_.rpath : search_paths_.runpath) = SplitPaths(text);
    }
  }
  return Status::Ok();
}

bool ElfFile::Defines(const std::string& symbol, bool dynamic) const {
  for (Elf_Scn* section = elf_nextscn(elf_.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf_.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr ||
        header.sh_type != static_cast<GElf_Word>(dynamic ? SHT_DYNSYM : SHT_SYMTAB)) {
      continue;
    }
    Elf_Data* const symbols = elf_getdata(section, nullptr);
    GElf_Sym each;
    for (int i = 0; symbols != nullptr && gelf_getsym(symbols, i, &each) != nullptr; ++i) {
      if (each.st_shndx == SHN_UNDEF) {
        continue;
      }
      const char* const name = elf_strptr(elf_.get(), header.sh_link, each.st_name);
      if (name != nullptr && symbol == name) {
        return true;
      }
    }
  }
  return false;
}

bool ElfFile::HasBytes(const std::string& bytes) const {
  const lss::PageBuffer buffer(kScanBytes);
  if (buffer.data() == nullptr || bytes.empty()) {
    return false;
  }
  for (lss::Address at = 0;; at += kScanBytes - bytes.size()) {
    size_t read = 0;
    if (!lss::ReadFully(fd_.get(), path_, at, kScanBytes, buffer.data(), &read).ok()) {
      return false;
    }
    if (memmem(buffer.data(), read, bytes.data(), bytes.size()) != nullptr) {
      return true;
    }
    if (read < kScanBytes) {
      return false;
    }
  }
}

}  // namespace bloom_lfs::tool
