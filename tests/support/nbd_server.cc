#include "tests/support/nbd_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "lss/base/unique_fd.h"
#include "tests/support/files.h"

namespace lss::test {
namespace {

bool IsInstalled(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

sockaddr_in Localhost(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Localhost(0);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return ntohs(address.sin_port);
}

void Certtool(const std::string& directory, const std::string& arguments) {
  const std::string command =
      "cd '" + directory + "' && certtool " + arguments + " >certtool.log 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0)
      << bloom_lfs::test::ReadFile(directory + "/certtool.log");
}

}  // namespace

std::string WhyNoNbdServer(bool certtool) {
  if (!IsInstalled("nbdkit")) {
    return "nbdkit is not installed (Debian: nbdkit)";
  }
  return certtool && !IsInstalled("certtool") ? "certtool is not installed (Debian: gnutls-bin)"
                                              : "";
}

NbdServer::NbdServer(std::vector<std::string> arguments, On on)
    : arguments_(std::move(arguments)), port_(on == On::kLocalhost ? FreePort() : 0) {
  char name[] = "/tmp/bloom_lfs_nbd_XXXXXX";
  EXPECT_NE(mkdtemp(name), nullptr);
  directory_ = name;
  Start();
}

NbdServer::~NbdServer() {
  Kill();
  unlink((directory_ + "/socket").c_str());
  unlink((directory_ + "/errors").c_str());
  rmdir(directory_.c_str());
}

void NbdServer::Start(std::vector<std::string> arguments) {
  arguments_ = std::move(arguments);
  Start();
}

void NbdServer::Start() {
  std::vector<std::string> words = {"nbdkit", "--exit-with-parent", "-f"};
  if (port_ == 0) {
    unlink((directory_ + "/socket").c_str());  // nbdkit leaves it behind
    words.insert(words.end(), {"-U", directory_ + "/socket"});
  } else {
    words.insert(words.end(), {"-i", "127.0.0.1", "-p", std::to_string(port_)});
  }
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const std::string errors = directory_ + "/errors";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int error = posix_spawnp(&pid_, "nbdkit", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ASSERT_EQ(error, 0) << std::strerror(error);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!Answers()) {
    const bool ended = waitpid(pid_, nullptr, WNOHANG) != 0;
    pid_ = ended ? -1 : pid_;
    ASSERT_TRUE(!ended && std::chrono::steady_clock::now() < deadline)
        << "nbdkit does not come up: " << bloom_lfs::test::ReadFile(errors);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool NbdServer::Answers() const {
  const UniqueFd fd(socket(port_ == 0 ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (port_ != 0) {
    const sockaddr_in address = Localhost(port_);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (directory_ + "/socket").c_str(), sizeof(address.sun_path) - 1);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

void NbdServer::Kill() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

void NbdServer::Signal(int signal) const {
  kill(pid_, signal);
  if (signal == SIGSTOP) {
    waitpid(pid_, nullptr, WUNTRACED);
  }
}

std::string NbdServer::uri(const std::string& name) const {
  return port_ == 0 ? "nbd+unix:///" + name + "?socket=" + directory_ + "/socket"
                    : "nbd://127.0.0.1:" + std::to_string(port_) + "/" + name;
}

std::string NbdServer::tls_uri(const std::string& certificates) const {
  return "nbds://localhost:" + std::to_string(port_) + "/?tls-certificates=" + certificates;
}

void MakeCertificates(const std::string& directory, const std::string& host) {
  using bloom_lfs::test::WriteFile;
  ASSERT_EQ(mkdir(directory.c_str(), 0755), 0);
  WriteFile(directory + "/ca.info", "cn = \"tests\"\nca\ncert_signing_key\nexpiration_days = 2\n");
  WriteFile(directory + "/server.info",
            "cn = \"" + host + "\"\ndns_name = \"" + host +
                "\"\ntls_www_server\nsigning_key\nencryption_key\nexpiration_days = 2\n");
  Certtool(directory, "--generate-privkey --key-type=ecdsa --outfile ca-key.pem");
  Certtool(directory,
           "--generate-self-signed --load-privkey ca-key.pem --template ca.info "
           "--outfile ca-cert.pem");
  Certtool(directory, "--generate-privkey --key-type=ecdsa --outfile server-key.pem");
  Certtool(directory,
           "--generate-certificate --load-ca-certificate ca-cert.pem --load-ca-privkey ca-key.pem "
           "--load-privkey server-key.pem --template server.info --outfile server-cert.pem");
}

}  // namespace lss::test
