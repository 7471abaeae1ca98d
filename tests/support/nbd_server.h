// nbdkit as a child process: the server of the tests of lss/nbd.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace lss::test {

// Why tests with a server cannot run here; empty if they can. `certtool` too?
std::string WhyNoNbdServer(bool certtool = false);

// Ends with the test, or with the thread that has started it. Restarting it keeps its address.
class NbdServer {
 public:
  enum class On { kUnixSocket, kLocalhost };

  // `arguments`: nbdkit's, without those that say where it listens.
  explicit NbdServer(std::vector<std::string> arguments, On on = On::kUnixSocket);
  ~NbdServer();
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;

  // Returns when it can be connected to. Fails the test if it does not come up.
  void Start();
  void Start(std::vector<std::string> arguments);
  // SIGKILL, and gone.
  void Kill();
  // Returns when it has stopped, if it is SIGSTOP.
  void Signal(int signal) const;

  // nbd:// or nbd+unix://, for the given export.
  std::string uri(const std::string& name = "") const;
  // nbds:// to localhost, with this directory of certificates.
  std::string tls_uri(const std::string& certificates) const;

 private:
  bool Answers() const;

  std::vector<std::string> arguments_;
  std::string directory_;  // short: a socket's path may have 107 characters
  int port_ = 0;           // 0: Unix socket
  pid_t pid_ = -1;
};

// An authority, and the certificate that it gives to the server `host`, in a new directory. Works
// for nbdkit's --tls-certificates and for an address's.
void MakeCertificates(const std::string& directory, const std::string& host);

}  // namespace lss::test
