// When a stream stops waiting for its file, and when it waits again.
#include "lss/second_place/failover_policy.h"

#include <gtest/gtest.h>

namespace lss {
namespace {

constexpr FailoverLimits kLimits = {100, 25, 1000};

TEST(FailoverPolicyTest, ASyncIsPatientUntilTheLimit) {
  const FailoverPolicy policy(kLimits);
  EXPECT_FALSE(policy.failed_over());
  EXPECT_EQ(policy.PatientUntil(5000), 5100);
}

TEST(FailoverPolicyTest, AfterLostPatienceNobodyWaits) {
  FailoverPolicy policy(kLimits);
  policy.OnPatienceLost(200);
  EXPECT_TRUE(policy.failed_over());
  EXPECT_EQ(policy.PatientUntil(5000), 5000);
  policy.OnPatienceLost(210);
  EXPECT_EQ(policy.switches(), 1U) << "it was lost already";
}

TEST(FailoverPolicyTest, QuickSyncsForLongEnoughBringItBack) {
  FailoverPolicy policy(kLimits);
  policy.OnPatienceLost(200);
  policy.OnFileSynced(300, 310);
  policy.OnFileSynced(1290, 1299);
  EXPECT_TRUE(policy.failed_over()) << "a moment too early";
  policy.OnFileSynced(1299, 1300);
  EXPECT_FALSE(policy.failed_over());
  EXPECT_EQ(policy.switches(), 2U);
  EXPECT_EQ(policy.FailedOverFor(9999), 1100);
}

TEST(FailoverPolicyTest, ASlowSyncBeginsTheWaitAnew) {
  FailoverPolicy policy(kLimits);
  policy.OnPatienceLost(0);
  policy.OnFileSynced(100, 110);
  policy.OnFileSynced(500, 525);
  policy.OnFileSynced(600, 610);
  policy.OnFileSynced(1200, 1210);
  EXPECT_TRUE(policy.failed_over()) << "quick since 600 only";
  policy.OnFileSynced(1599, 1600);
  EXPECT_FALSE(policy.failed_over());
}

TEST(FailoverPolicyTest, SyncsOfAFileThatIsWaitedForChangeNothing) {
  FailoverPolicy policy(kLimits);
  policy.OnFileSynced(0, 5000);
  EXPECT_FALSE(policy.failed_over());
  EXPECT_EQ(policy.switches(), 0U);
}

TEST(FailoverPolicyTest, TimeIsCountedWhileItGoesOn) {
  FailoverPolicy policy(kLimits);
  policy.OnPatienceLost(1000);
  EXPECT_EQ(policy.FailedOverFor(1500), 500);
}

}  // namespace
}  // namespace lss
