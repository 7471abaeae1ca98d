// main() of the test programs that start children: GoogleTest, unless told to be a child.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/child_process.h"

int main(int argc, char** argv) {
  // A child that died early must show as a failed check, not end the test by SIGPIPE.
  ::signal(SIGPIPE, SIG_IGN);
  int exit_code = 0;
  if (bloom_lfs::test::RunAsChild(argc, argv, &exit_code)) return exit_code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
