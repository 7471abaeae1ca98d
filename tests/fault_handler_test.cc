// Whose SIGBUS is whose: ours are dealt with whatever other handlers there are, and everybody
// else's fare as they would without us. Each case is a process of its own.

#include "lss/ring/fault_handler.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/types.h"
#include "lss/base/unique_fd.h"
#include "lss/ring/shared_mapping.h"
#include "tests/support/child_check.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/page_faults.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;
using test::Require;

constexpr int kDiedOfBusError = 128 + SIGBUS;

// --- in the child
// ---------------------------------------------------------------------------------

std::string g_directory;
volatile std::sig_atomic_t g_calls = 0;
volatile std::sig_atomic_t g_other_calls = 0;
struct sigaction g_saved;
sigjmp_buf g_way_out;

std::string MakeFile(const std::string& name) {
  std::string path = g_directory + "/" + name;
  WriteFile(path, std::string(2 * kPageBytes, 'a'));
  return path;
}

// A mapping of ours whose file has been cut short.
std::unique_ptr<SharedMapping> BrokenMapping(const std::string& name) {
  const std::string path = MakeFile(name);
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  std::unique_ptr<SharedMapping> mapping;
  test::RequireOk(SharedMapping::Map(fd.get(), path, 2 * kPageBytes,
                                     SharedMapping::Access::kReadWrite, &mapping),
                  "mapping " + path);
  test::CutShort(path);
  return mapping;
}

void RequireOursSurvives(SharedMapping* mapping) {
  mapping->data()[kPageBytes] = 'x';
  Require(mapping->failed() && mapping->data()[kPageBytes] == 'x', "our fault is dealt with");
}

// Somebody else's mapping of such a file.
volatile char* ForeignPage() {
  const std::string path = MakeFile("foreign");
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* mapping = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  Require(mapping != MAP_FAILED, "a foreign mapping");
  test::CutShort(path);
  return static_cast<volatile char*>(mapping);
}

// What a runtime with mappings of its own does: puts memory where the fault was.
void Repair(siginfo_t* info) {
  const auto page = reinterpret_cast<uintptr_t>(info->si_addr) & ~uintptr_t{kPageBytes - 1};
  mmap(reinterpret_cast<void*>(page), kPageBytes, PROT_READ | PROT_WRITE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void RepairingHandler(int /*signal*/, siginfo_t* info, void* /*context*/) {
  g_calls = g_calls + 1;
  Repair(info);
}

void JumpingHandler(int /*signal*/) {
  g_calls = g_calls + 1;
  siglongjmp(g_way_out, 1);
}

void HandOn(int signal, siginfo_t* info, void* context) {
  if ((g_saved.sa_flags & SA_SIGINFO) != 0) {
    g_saved.sa_sigaction(signal, info, context);
  }
}

// As a Java VM: looks at the fault first, and hands on what it does not know.
void ChainingHandler(int signal, siginfo_t* info, void* context) {
  g_calls = g_calls + 1;
  HandOn(signal, info, context);
}

void Install(void (*handler)(int, siginfo_t*, void*), int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(SIGBUS, &action, &g_saved);
}

void NothingBeforeTheFirstMapping() {
  struct sigaction current = {};
  sigaction(SIGBUS, nullptr, &current);
  Require(current.sa_handler == SIG_DFL, "no handler at the start");
  const auto ours = BrokenMapping("ours");
  Require(fault_handler::Installed(), "ours with the first mapping");
}

void ForeignFaultKills() {
  const auto ours = BrokenMapping("ours");
  RequireOursSurvives(ours.get());
  *ForeignPage() = 'x';
}

void IgnoredFaultKills() {
  std::signal(SIGBUS, SIG_IGN);
  const auto ours = BrokenMapping("ours");
  *ForeignPage() = 'x';
}

void SentSignalKills() {
  const auto ours = BrokenMapping("ours");
  kill(getpid(), SIGBUS);
}

void IgnoredSentSignalIsIgnored() {
  std::signal(SIGBUS, SIG_IGN);
  const auto ours = BrokenMapping("ours");
  kill(getpid(), SIGBUS);
  RequireOursSurvives(ours.get());
}

void EarlierHandlerGetsItsFaults() {
  Install(&RepairingHandler);
  const auto ours = BrokenMapping("ours");
  volatile char* foreign = ForeignPage();
  *foreign = 'x';
  Require(g_calls == 1 && *foreign == 'x', "the earlier handler has repaired its page");
  RequireOursSurvives(ours.get());
  Require(g_calls == 1, "it was not asked about ours");
}

// It jumps out of the signal instead of returning, from different depths, again and again.
void JumpOnce(volatile char* foreign, int depth) {
  volatile char pad[512];
  pad[0] = static_cast<char>(depth);
  if (depth > 0) {
    JumpOnce(foreign, depth - 1);
    pad[1] = pad[0];
    return;
  }
  *foreign = 'x';
}

// Nothing that the jump could leave half done lives in this frame.
[[gnu::noinline]] void FaultAndJumpOut(volatile char* foreign, int depth) {
  if (sigsetjmp(g_way_out, 1) == 0) {
    JumpOnce(foreign, depth);
    Require(false, "not reached");
  }
}

void EarlierHandlerMayJumpOut() {
  struct sigaction action = {};
  action.sa_handler = &JumpingHandler;
  sigaction(SIGBUS, &action, nullptr);
  const auto ours = BrokenMapping("ours");
  volatile char* foreign = ForeignPage();
  int tried = 0;
  for (const int depth : {0, 5, 1, 9, 9, 0, 3, 20}) {
    FaultAndJumpOut(foreign, depth);
    ++tried;
    Require(g_calls == tried, "it gets each fault");
  }
  RequireOursSurvives(ours.get());
}

void HandlersMaskIsKept() {
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  sigaddset(&action.sa_mask, SIGUSR1);
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    g_calls = sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGBUS) == 1 ? 1 : -1;
    Repair(info);
  };
  sigaction(SIGBUS, &action, nullptr);
  const auto ours = BrokenMapping("ours");
  *ForeignPage() = 'x';
  Require(g_calls == 1, "its mask and the signal itself are blocked");
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  Require(sigismember(&now, SIGUSR1) == 0 && sigismember(&now, SIGBUS) == 0, "and free again");
}

void LaterHandlerHandsOn() {
  const auto ours = BrokenMapping("ours");
  Install(&ChainingHandler);
  RequireOursSurvives(ours.get());
  Require(g_calls == 1, "it was asked first");
}

void LaterHandlerHandsOnNothing() {
  const auto first = BrokenMapping("first");
  Install(&RepairingHandler);
  const auto second = BrokenMapping("second");
  Require(fault_handler::Installed(), "on top again");
  RequireOursSurvives(first.get());
  RequireOursSurvives(second.get());
  Require(g_calls == 0, "ours do not reach it");
  *ForeignPage() = 'x';
  Require(g_calls == 1, "its own do");
}

// Ours over it, it over ours: an own fault is dealt with, a foreign one ends the process and does
// not go round for ever.
void TwoThatHandOnToEachOther() {
  const auto first = BrokenMapping("first");
  Install(&ChainingHandler);
  const auto second = BrokenMapping("second");
  RequireOursSurvives(first.get());
  RequireOursSurvives(second.get());
  Require(g_calls == 0, "ours come to us first");
  *ForeignPage() = 'x';
}

void OldestHandlerIsReachedThroughBoth() {
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    g_other_calls = g_other_calls + 1;
    Repair(info);
  };
  sigaction(SIGBUS, &action, nullptr);
  const auto first = BrokenMapping("first");
  Install(&ChainingHandler);
  const auto second = BrokenMapping("second");
  volatile char* foreign = ForeignPage();
  *foreign = 'x';
  Require(g_calls == 1 && g_other_calls == 1, "each of the others was asked once");
  Require(*foreign == 'x', "the fault is repaired");
}

void OnAnAlternateStack() {
  static char memory[1 << 16];
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = sizeof(memory);
  sigaltstack(&stack, nullptr);
  Install(
      [](int, siginfo_t* info, void*) {
        // Not the address of a variable: AddressSanitizer keeps those elsewhere.
        const char* const here = static_cast<const char*>(__builtin_frame_address(0));
        g_calls = here >= memory && here < memory + sizeof(memory) ? 1 : -1;
        Repair(info);
      },
      SA_ONSTACK);
  const auto ours = BrokenMapping("ours");
  *ForeignPage() = 'x';
  Require(g_calls == 1, "it runs on the stack that it has asked for");
  RequireOursSurvives(ours.get());
}

using Case = void (*)();
const std::map<std::string, Case>& Cases() {
  static const std::map<std::string, Case> cases = {
      {"nothing-before", &NothingBeforeTheFirstMapping},
      {"foreign-kills", &ForeignFaultKills},
      {"ignored-kills", &IgnoredFaultKills},
      {"sent-kills", &SentSignalKills},
      {"sent-ignored", &IgnoredSentSignalIsIgnored},
      {"earlier", &EarlierHandlerGetsItsFaults},
      {"jumps", &EarlierHandlerMayJumpOut},
      {"mask", &HandlersMaskIsKept},
      {"later-hands-on", &LaterHandlerHandsOn},
      {"later-hands-nothing", &LaterHandlerHandsOnNothing},
      {"each-other", &TwoThatHandOnToEachOther},
      {"oldest", &OldestHandlerIsReachedThroughBoth},
      {"alternate-stack", &OnAnAlternateStack},
  };
  return cases;
}

int RunCase(const std::vector<std::string>& args) {
  std::signal(SIGBUS, SIG_DFL);  // a sanitizer has its own
  g_directory = args[1];
  Cases().at(args[0])();
  return 0;
}
const RegisterChild kCase("bus-error-case", RunCase);

// --- in the test
// ----------------------------------------------------------------------------------

int Outcome(const std::string& name) {
  const TempDir directory;
  return ChildProcess("bus-error-case", {name, directory.path()}).Wait();
}

TEST(FaultHandlerTest, IsInstalledWithTheFirstMappingAndNotBefore) {
  EXPECT_EQ(Outcome("nothing-before"), 0);
}

TEST(FaultHandlerTest, AForeignFaultEndsTheProcessAsWithoutUs) {
  EXPECT_EQ(Outcome("foreign-kills"), kDiedOfBusError);
  EXPECT_EQ(Outcome("ignored-kills"), kDiedOfBusError);
}

TEST(FaultHandlerTest, ASignalThatSomebodySendsDoesWhatItWouldHaveDone) {
  EXPECT_EQ(Outcome("sent-kills"), kDiedOfBusError);
  EXPECT_EQ(Outcome("sent-ignored"), 0);
}

TEST(FaultHandlerTest, AnEarlierHandlerGetsWhatIsNotOurs) {
  EXPECT_EQ(Outcome("earlier"), 0);
  EXPECT_EQ(Outcome("mask"), 0);
  EXPECT_EQ(Outcome("alternate-stack"), 0);
}

TEST(FaultHandlerTest, AnEarlierHandlerMayJumpOutOfTheSignal) { EXPECT_EQ(Outcome("jumps"), 0); }

TEST(FaultHandlerTest, ALaterHandlerThatHandsOnLeavesOursWorking) {
  EXPECT_EQ(Outcome("later-hands-on"), 0);
}

TEST(FaultHandlerTest, OverALaterHandlerTheNextMappingPutsOursOnTopAgain) {
  EXPECT_EQ(Outcome("later-hands-nothing"), 0);
}

TEST(FaultHandlerTest, HandlersThatHandOnToEachOtherDoNotGoRound) {
  EXPECT_EQ(Outcome("each-other"), kDiedOfBusError);
  EXPECT_EQ(Outcome("oldest"), 0);
}

}  // namespace
}  // namespace lss
