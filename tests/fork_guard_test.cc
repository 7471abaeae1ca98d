#include "lss/base/fork_guard.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lss {
namespace {

// What a forked child says: 1 for true.
int InChild(const ForkGuard& guard) {
  const pid_t child = fork();
  if (child == 0) {
    const ForkGuard own;
    _exit((guard.InForkedChild() ? 1 : 0) + (own.InForkedChild() ? 2 : 0));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ForkGuard, ACopyInAForkedChildIsToldFromTheOriginal) {
  const ForkGuard guard;
  EXPECT_FALSE(guard.InForkedChild());
  EXPECT_EQ(InChild(guard), 1) << "the copy knows, and a guard of the child's own does not mind";
  EXPECT_FALSE(guard.InForkedChild()) << "the parent stays what it was";
}

TEST(ForkGuard, AGrandchildIsAForkedChildToo) {
  const ForkGuard guard;
  const pid_t child = fork();
  if (child == 0) {
    _exit(InChild(guard));
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

}  // namespace
}  // namespace lss
