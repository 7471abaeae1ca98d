// Which exports can be opened, and what is said of those that cannot.
#include "lss/nbd/nbd_session.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/unique_fd.h"
#include "tests/support/nbd_server.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using std::chrono::milliseconds;
using test::MakeCertificates;
using test::NbdServer;

class NbdSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::WhyNoNbdServer(true); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
  Status Connect(const std::string& text, milliseconds timeout = milliseconds(10000)) {
    NbdUri uri;
    Status status = ParseNbdUri(text, &uri);
    return status.ok() ? NbdSession::Connect(uri, {timeout, milliseconds(10000)}, &session_)
                       : status;
  }
  // That the error names the address, the cause and the remedy.
  void ExpectError(const std::string& text, Status::Code code, const std::string& cause,
                   const std::string& remedy) {
    const Status status = Connect(text);
    EXPECT_EQ(status.code(), code) << status.ToString();
    for (const std::string& part : {text, cause, remedy}) {
      EXPECT_NE(status.message().find(part), std::string::npos)
          << "no '" << part << "' in: " << status.message();
    }
    EXPECT_EQ(session_, nullptr);
  }

  bloom_lfs::test::TempDir directory_;
  std::unique_ptr<NbdSession> session_;
};

TEST_F(NbdSessionTest, TellsWhatTheExportIs) {
  NbdServer server({"memory", "10M"});
  ASSERT_TRUE(Connect(server.uri()).ok());
  EXPECT_TRUE(session_->alive());
  EXPECT_EQ(session_->facts().size, 10U << 20);
  EXPECT_EQ(session_->facts().alignment, 1U);
  EXPECT_EQ(session_->facts().largest_request, 32U << 20);
  EXPECT_TRUE(session_->facts().fua);
  EXPECT_TRUE(session_->facts().flush);
}

TEST_F(NbdSessionTest, TellsWhatTheServersLimitsAre) {
  NbdServer server({"--filter=blocksize-policy", "--filter=fua", "memory", "10M",
                    "blocksize-minimum=512", "blocksize-maximum=65536"});
  ASSERT_TRUE(Connect(server.uri()).ok());
  EXPECT_EQ(session_->facts().alignment, 512U);
  EXPECT_EQ(session_->facts().largest_request, 65536U);
  EXPECT_FALSE(session_->facts().fua);
  EXPECT_TRUE(session_->facts().flush);
}

TEST_F(NbdSessionTest, NoServer) {
  NbdServer unix_server({"memory", "1M"});
  NbdServer tcp_server({"memory", "1M"}, NbdServer::On::kLocalhost);
  unix_server.Kill();
  tcp_server.Kill();
  ExpectError(unix_server.uri(), Status::Code::kIoError, "Connection refused", "start the server");
  ExpectError(tcp_server.uri(), Status::Code::kIoError, "Connection refused", "start the server");
  ExpectError("nbd+unix:///?socket=" + directory_ / "none", Status::Code::kIoError, "No such file",
              "start the server");
  ExpectError("nbd+unix:///", Status::Code::kInvalidArgument, "socket",
              "nbd+unix:///export?socket");
}

TEST_F(NbdSessionTest, AServerThatDoesNotAnswerIsGivenUpInTime) {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string uri = "nbd://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  const auto begin = std::chrono::steady_clock::now();
  const Status status = Connect(uri, milliseconds(300));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(3000));
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_NE(status.message().find("no answer within 300 ms"), std::string::npos)
      << status.message();
}

TEST_F(NbdSessionTest, ExportsThatCannotBeUsed) {
  NbdServer strict(
      {"--filter=exportname", "memory", "1M", "exportname=a", "exportname-strict=true"});
  ExpectError(strict.uri("b"), Status::Code::kInvalidArgument, "no export named 'b'",
              "nbdinfo --list");
  EXPECT_TRUE(Connect(strict.uri("a")).ok());
  session_.reset();
  NbdServer read_only({"-r", "memory", "1M"});
  ExpectError(read_only.uri(), Status::Code::kPermissionDenied, "read-only", "nbdkit -r");
  NbdServer small({"memory", "8191"});
  ExpectError(small.uri(), Status::Code::kInvalidArgument, "8191 bytes", "make it larger");
  NbdServer large_blocks({"--filter=blocksize-policy", "memory", "1M", "blocksize-minimum=8192",
                          "blocksize-preferred=8192"});
  ExpectError(large_blocks.uri(), Status::Code::kNotSupported, "8192", "block size");
}

TEST_F(NbdSessionTest, AServerThatCannotMakeAnythingDurable) {
  NbdServer server({"eval", "get_size=echo 1048576", "can_write=exit 0", "can_flush=exit 3",
                    "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null"});
  ExpectError(server.uri(), Status::Code::kNotSupported, "neither flush nor FUA", "use one");
}

TEST_F(NbdSessionTest, TlsWithTheRightCertificate) {
  MakeCertificates(directory_ / "pki", "localhost");
  NbdServer server({"--tls=require", "--tls-certificates=" + directory_ / "pki", "memory", "1M"},
                   NbdServer::On::kLocalhost);
  const Status status = Connect(server.tls_uri(directory_ / "pki"));
  EXPECT_TRUE(status.ok()) << status.ToString();
  session_.reset();
  ExpectError(server.uri(), Status::Code::kPermissionDenied, "TLS", "nbds://");
}

TEST_F(NbdSessionTest, TlsRefusesACertificateOfAnotherNameOrAuthority) {
  MakeCertificates(directory_ / "pki", "localhost");
  MakeCertificates(directory_ / "other", "elsewhere");
  NbdServer server({"--tls=require", "--tls-certificates=" + directory_ / "pki", "memory", "1M"},
                   NbdServer::On::kLocalhost);
  ExpectError(server.tls_uri(directory_ / "other"), Status::Code::kPermissionDenied, "certificate",
              "signed by the authority");
  NbdServer elsewhere(
      {"--tls=require", "--tls-certificates=" + directory_ / "other", "memory", "1M"},
      NbdServer::On::kLocalhost);
  ExpectError(elsewhere.tls_uri(directory_ / "other"), Status::Code::kPermissionDenied,
              "certificate", "for the host's name");
}

// libnbd itself goes on without an authority, and then takes any certificate.
TEST_F(NbdSessionTest, TlsWithoutAnAuthorityIsRefused) {
  MakeCertificates(directory_ / "pki", "localhost");
  NbdServer server({"--tls=require", "--tls-certificates=" + directory_ / "pki", "memory", "1M"},
                   NbdServer::On::kLocalhost);
  ExpectError(server.tls_uri(directory_ / "none"), Status::Code::kPermissionDenied,
              directory_ / "none/ca-cert.pem", "put the certificate of the authority there");
}

TEST_F(NbdSessionTest, AServerWithoutTls) {
  MakeCertificates(directory_ / "pki", "localhost");
  NbdServer server({"memory", "1M"}, NbdServer::On::kLocalhost);
  ExpectError(server.tls_uri(directory_ / "pki"), Status::Code::kPermissionDenied,
              "server refused TLS", "start the server with TLS");
}

}  // namespace
}  // namespace lss
