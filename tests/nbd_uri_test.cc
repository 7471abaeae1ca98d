#include "lss/nbd/nbd_uri.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

TEST(NbdUriTest, OrdinaryAddressesAreLeftAsTheyAre) {
  for (const std::string text : {"nbd://host/export", "nbd://host:10809/", "nbd://[::1]:1/x?a=b&c",
                                 "nbd+unix:///export?socket=/tmp/s"}) {
    NbdUri uri;
    ASSERT_TRUE(ParseNbdUri(text, &uri).ok()) << text;
    EXPECT_EQ(uri.text, text);
    EXPECT_EQ(uri.for_libnbd, text);
    EXPECT_FALSE(uri.tls);
  }
}

TEST(NbdUriTest, TheDirectoryOfCertificatesIsTakenOut) {
  NbdUri uri;
  ASSERT_TRUE(ParseNbdUri("nbds://host/e?a=b&tls-certificates=/etc/my%20pki&c=d", &uri).ok());
  EXPECT_TRUE(uri.tls);
  EXPECT_EQ(uri.certificates, "/etc/my pki");
  EXPECT_EQ(uri.for_libnbd, "nbds://host/e?a=b&c=d");
  ASSERT_TRUE(ParseNbdUri("nbds://host/e?tls%2dcertificates=pki", &uri).ok());
  EXPECT_EQ(uri.certificates, "pki");
  EXPECT_EQ(uri.for_libnbd, "nbds://host/e");
}

TEST(NbdUriTest, WhatIsNotSafeOrNotKnownIsRefused) {
  const std::pair<const char*, const char*> refused[] = {
      {"http://host/", "begins with nbd://"},
      {"nbds+unix:///?socket=/s", "begins with nbd://"},
      {"nbds://host/export", "tls-certificates=DIR"},
      {"nbds://host/export?tls-certificates=", "tls-certificates=DIR"},
      {"nbds://host/?tls-certificates=/d&tls-verify-peer=false", "tls-verify-peer"},
      {"nbds://host/?tls-certificates=/d&tls-verify%2Dpeer=0", "tls-verify-peer"},
      {"nbd://host/?tls-certificates=/d", "nbds://"}};
  for (const auto& [text, remedy] : refused) {
    NbdUri uri;
    const Status status = ParseNbdUri(text, &uri);
    EXPECT_EQ(status.code(), Status::Code::kInvalidArgument) << text;
    EXPECT_NE(status.message().find(remedy), std::string::npos) << status.message();
  }
}

TEST(NbdUriTest, TheAuthoritysCertificateMustBeReadable) {
  const bloom_lfs::test::TempDir directory;
  NbdUri uri;
  ASSERT_TRUE(ParseNbdUri("nbds://host/?tls-certificates=" + directory.path(), &uri).ok());
  const Status status = CheckCertificates(uri);
  EXPECT_EQ(status.code(), Status::Code::kPermissionDenied);
  EXPECT_NE(status.message().find(directory / "ca-cert.pem"), std::string::npos);
  bloom_lfs::test::WriteFile(directory / "ca-cert.pem", "");
  EXPECT_TRUE(CheckCertificates(uri).ok());
}

}  // namespace
}  // namespace lss
