// bloom_lfs doctor, as an operator calls it: exit codes, JSON, and that nothing is left behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tool.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

using Outcome = ToolOutcome;

Outcome RunDoctor(const TempDir& dir, const std::string& words, const std::string& before = "") {
  return ToolAlone(dir, "doctor " + words, before);
}

bool Has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

bool AnyHas(const Json& sentences, const std::string& words) {
  for (const Json& each : sentences) {
    if (Has(each.get<std::string>(), words)) {
      return true;
    }
  }
  return false;
}

// Exit code 2, one line that says why, and nothing else.
void ExpectRefused(const Outcome& outcome, const std::string& words) {
  EXPECT_EQ(outcome.code, 2) << outcome.output << outcome.errors;
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome.errors;
  EXPECT_TRUE(Has(outcome.errors, words)) << outcome.errors;
}

bool IsMemory(const std::string& path) {
  struct statfs facts = {};
  return statfs(path.c_str(), &facts) == 0 && facts.f_type == TMPFS_MAGIC;
}

class DoctorToolTest : public testing::Test {
 protected:
  DoctorToolTest() { fs::create_directory(place_); }
  ~DoctorToolTest() override { EXPECT_TRUE(fs::is_empty(place_)) << "something is left behind"; }

  TempDir dir_;
  const std::string place_ = dir_ / "place";
};

// Quick, because nothing waits for a disk.
class DoctorInMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!IsMemory("/dev/shm") || mkdtemp(place_.data()) == nullptr) {
      GTEST_SKIP() << "no tmpfs at /dev/shm";
    }
  }
  void TearDown() override {
    if (!IsSkipped()) {
      EXPECT_TRUE(fs::remove(place_)) << "something is left behind";
    }
  }

  TempDir dir_;
  std::string place_ = "/dev/shm/doctor_tool_test.XXXXXX";
};

TEST_F(DoctorToolTest, MeasuresTheBuildsDisk) {
  const Outcome outcome = RunDoctor(dir_, "--json --quick " + place_);
  ASSERT_TRUE(outcome.code == 0 || outcome.code == 1) << outcome.output << outcome.errors;
  const Json json = outcome.json();
  EXPECT_EQ(json["directory"], place_);
  EXPECT_EQ(json["quick"], true);
  EXPECT_EQ(json["exit_code"], outcome.code);
  for (const char* cost : {"append_128_fdatasync", "append_4k_fdatasync", "overwrite_4k_fdatasync",
                           "durable_overwrite_4k", "durable_unwritten_4k"}) {
    const Json& each = json["costs"][cost];
    EXPECT_GE(each["count"], 24) << cost;
    EXPECT_GT(each["median_us"], 0) << cost;
    EXPECT_GE(each["p99_us"], each["median_us"]) << cost;
  }
  EXPECT_GT(json["costs"]["sequential_mib_per_s"], 0);
  EXPECT_GE(json["costs"]["rounds"], 3);
  EXPECT_FALSE(json["file_system"]["type"].get<std::string>().empty());
  EXPECT_EQ(json["file_system"]["posix_locks"], true);
  EXPECT_EQ(json["file_system"]["shared_mapping"], true);
  EXPECT_EQ(json["rocksdb"]["soname"], BLOOM_LFS_ROCKSDB_SONAME);
  const Json& verdict = json["verdict"];
  const bool fine =
      verdict["outlook"] == "gain" && verdict["options"].empty() && verdict["to_change"].empty();
  EXPECT_EQ(outcome.code, fine ? 0 : 1);
  EXPECT_LE(verdict["synced_ratio"]["low"], verdict["synced_ratio"]["expected"]);
  EXPECT_GE(verdict["synced_ratio"]["high"], verdict["synced_ratio"]["expected"]);
}

TEST_F(DoctorInMemoryTest, SaysDoNot) {
  const Outcome outcome = RunDoctor(dir_, "--json --quick " + place_);
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  const Json json = outcome.json();
  EXPECT_EQ(json["file_system"]["in_memory"], true);
  EXPECT_EQ(json["file_system"]["type"], "tmpfs");
  EXPECT_EQ(json["device"], nullptr);
  EXPECT_EQ(json["verdict"]["outlook"], "no gain");
  EXPECT_TRUE(Has(json["verdict"]["headline"], "don't: nothing to gain here"));
}

TEST_F(DoctorInMemoryTest, SaysItInWordsToo) {
  const Outcome outcome = RunDoctor(dir_, "--quick " + place_);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.errors, "");
  for (const char* words : {"don't: nothing to gain here", "in memory", "io_uring", "O_DIRECT",
                            "append 4 KiB, fdatasync", "CRC-32C", "Writes without sync"}) {
    EXPECT_TRUE(Has(outcome.output, words)) << words << "\n" << outcome.output;
  }
}

TEST_F(DoctorToolTest, WhereNothingCanBeWritten) {
  WriteFile(dir_ / "file", "x");
  ExpectRefused(RunDoctor(dir_, dir_ / "missing"), "missing");
  ExpectRefused(RunDoctor(dir_, dir_ / "file"), dir_ / "file");
  ExpectRefused(RunDoctor(dir_, "''"), "not found");
  ExpectRefused(RunDoctor(dir_, "/proc"), "/proc");
  ExpectRefused(RunDoctor(dir_, ""), "usage");
  ExpectRefused(RunDoctor(dir_, place_ + " " + place_), "usage");
  ExpectRefused(RunDoctor(dir_, "--quack " + place_), "--quack");
}

// What comes behind it runs in a mount namespace of its own, after `commands`.
std::string InNamespace(const std::string& commands) {
  return "unshare --mount sh -ec '" + commands + " exec \"$@\"' sh";
}

bool CanMount(const TempDir& dir) {
  return std::system(
             ("unshare --mount mount -t tmpfs none " + dir.path() + " 2>/dev/null").c_str()) == 0;
}

TEST_F(DoctorToolTest, ReadOnlyAndFullFileSystems) {
  if (!CanMount(dir_)) {
    GTEST_SKIP() << "nothing can be mounted here";
  }
  const auto in = [&](const std::string& options) {
    return InNamespace("mount -t tmpfs -o " + options + " none " + place_ + ";");
  };
  ExpectRefused(RunDoctor(dir_, place_, in("ro")), "ead-only");
  ExpectRefused(RunDoctor(dir_, place_, in("size=1M")), "are free");
  // Full to the last block.
  ExpectRefused(RunDoctor(dir_, place_,
                          InNamespace("mount -t tmpfs -o size=64k none " + place_ +
                                      "; head -c 65536 /dev/zero >" + place_ + "/full;")),
                "no space");
  const Outcome small = RunDoctor(dir_, "--quick --json " + place_, in("size=8M"));
  EXPECT_EQ(small.code, 1) << small.errors;
  EXPECT_TRUE(AnyHas(small.json()["verdict"]["to_change"], "MiB are free"));
}

TEST_F(DoctorToolTest, NoPermission) {
  if (geteuid() != 0 || std::system("setpriv --reuid=65534 true 2>/dev/null") != 0 ||
      std::system(("setpriv --reuid=65534 " BLOOM_LFS_TOOL " --version >/dev/null 2>&1")) != 0) {
    GTEST_SKIP() << "needs root, setpriv, and a build that others may read";
  }
  fs::permissions(place_, fs::perms::owner_all);
  ExpectRefused(RunDoctor(dir_, place_, "setpriv --reuid=65534 --clear-groups"), "denied");
}

TEST_F(DoctorInMemoryTest, SmallLimitOfFileSizes) {
  // In blocks of 512 bytes.
  const Outcome outcome = RunDoctor(dir_, "--quick --json " + place_, "ulimit -f 512;");
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  EXPECT_EQ(outcome.json()["process"]["file_size_max_bytes"], 262144);
  EXPECT_TRUE(AnyHas(outcome.json()["verdict"]["to_change"], "ulimit -f"));
  ExpectRefused(RunDoctor(dir_, place_, "ulimit -f 8;"), "ulimit -f");
}

// The kernel ends a process by a signal there, unless it has asked for an error.
TEST_F(DoctorInMemoryTest, NoFileSizeAtAll) {
  for (const char* limit : {"0", "1", "7"}) {
    const ToolOutcome outcome = RunLine("sh -c 'ulimit -f " + std::string(limit) + "; exec " +
                                        BLOOM_LFS_TOOL + " doctor " + place_ + "' 2>&1");
    EXPECT_EQ(outcome.code, 2) << limit << ": " << outcome.output;
    EXPECT_NE(outcome.output.find("ulimit -f"), std::string::npos) << outcome.output;
  }
}

TEST_F(DoctorInMemoryTest, SmallLimitOfOpenFiles) {
  const Outcome outcome = RunDoctor(dir_, "--quick --json " + place_, "ulimit -n 40;");
  EXPECT_EQ(outcome.code, 1) << outcome.errors;
  EXPECT_EQ(outcome.json()["process"]["open_files_max"], 40);
  EXPECT_TRUE(AnyHas(outcome.json()["verdict"]["to_change"], "ulimit -n"));
  ExpectRefused(RunDoctor(dir_, place_, "ulimit -n 7;"), "ulimit -n");
}

// --- kernels that refuse; what is refused stays so for the tool ---

// args: what is refused, the directory. Becomes the tool.
int RefusedMain(const std::vector<std::string>& args) {
  using lss::test::RefuseSystemCall;
  if (Has(args.at(0), "io_uring")) {
    RefuseSystemCall(SYS_io_uring_setup, EPERM);
  }
  if (Has(args.at(0), "RWF_DSYNC")) {
    RefuseSystemCall(SYS_pwritev2, ENOSYS);
  }
  if (Has(args.at(0), "O_DIRECT")) {
    lss::test::RefuseFcntlDirect(EINVAL);
  }
  if (Has(args.at(0), "O_TMPFILE")) {
    lss::test::RefuseSystemCallWithBits(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP);
  }
  if (Has(args.at(0), "statx")) {
    RefuseSystemCall(SYS_statx, EPERM);
  }
  execl(BLOOM_LFS_TOOL, "bloom_lfs", "doctor", "--quick", "--json", args.at(1).c_str(), nullptr);
  return 127;
}
const RegisterChild kRefused("refused", RefusedMain);

Json WithRefused(const std::string& what, const std::string& place) {
  ChildProcess child("refused", {what, place});
  std::string output;
  // JSON has no empty lines.
  for (std::string line = child.Hear(); !line.empty(); line = child.Hear()) {
    output += line + "\n";
  }
  const int code = child.Wait();
  EXPECT_TRUE(code == 0 || code == 1) << what << ": " << code << output;
  return Json::parse(output, nullptr, /*allow_exceptions=*/false);
}

TEST_F(DoctorInMemoryTest, NamesWhatAKernelRefuses) {
  Json json = WithRefused("io_uring, RWF_DSYNC", place_);
  EXPECT_EQ(json["process"]["io_uring"], false);
  EXPECT_EQ(json["process"]["seccomp"], 2);
  EXPECT_EQ(json["verdict"]["options"][0]["option"], "io_uring");
  EXPECT_TRUE(Has(json["verdict"]["options"][0]["reason"], "seccomp"));
  EXPECT_EQ(json["file_system"]["rwf_dsync"], false);
  EXPECT_GT(json["costs"]["durable_overwrite_4k"]["median_us"], 0);

  json = WithRefused("O_DIRECT, O_TMPFILE, statx", place_);
  EXPECT_EQ(json["file_system"]["direct_io"]["works"], false);
  EXPECT_EQ(json["verdict"]["options"][0]["option"], "direct_io");
  EXPECT_GT(json["costs"]["durable_overwrite_4k"]["median_us"], 0);
  EXPECT_EQ(json["file_system"]["o_tmpfile"], false);
  EXPECT_EQ(json["file_system"]["birth_times"], false);
  EXPECT_EQ(json["file_system"]["direct_io"]["told_by_statx"], false);
}

// --- programs ---

TEST_F(DoctorToolTest, ProgramsThatAreNone) {
  WriteFile(dir_ / "text", "no program");
  WriteFile(dir_ / "script", "#!/bin/sh\n");
  WriteFile(dir_ / "cut", ReadFile(BLOOM_LFS_TOOL).substr(0, 100));
  ExpectRefused(RunDoctor(dir_, place_ + " --program=" + (dir_ / "missing")), "missing");
  ExpectRefused(RunDoctor(dir_, place_ + " --program=" + (dir_ / "text")), "no ELF program");
  ExpectRefused(RunDoctor(dir_, place_ + " --program=" + (dir_ / "script")), "script");
  ExpectRefused(RunDoctor(dir_, place_ + " --program=" + (dir_ / "cut")), "damaged");
  ExpectRefused(RunDoctor(dir_, place_ + " --program=" + place_), "no program");
}

TEST_F(DoctorInMemoryTest, ProgramsThatPreloadingReachesOrNot) {
  Json json = RunDoctor(dir_, "--quick --json " + place_ + " --program=" BLOOM_LFS_TOOL).json();
  EXPECT_EQ(json["program"]["rocksdb"], "shared");
  EXPECT_TRUE(AnyHas(json["verdict"]["notes"], "Preloading reaches"));
  json = RunDoctor(dir_, "--quick --json " + place_ + " --program=" LINKAGE_STATIC).json();
  EXPECT_EQ(json["program"]["static"], true);
  EXPECT_EQ(json["verdict"]["outlook"], "not reached");
}

}  // namespace
}  // namespace bloom_lfs::test
