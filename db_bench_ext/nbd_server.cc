#include "db_bench_ext/nbd_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "db_bench_ext/descriptor.h"

namespace bloom_lfs::bench {
namespace {

sockaddr_in Localhost(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor MakeSocket() { return Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// One that nobody listens on now.
Result<int> FreePort() {
  const Descriptor listener = MakeSocket();
  sockaddr_in address = Localhost(0);
  socklen_t length = sizeof(address);
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return Error{std::string("no free port on 127.0.0.1: ") + std::strerror(errno)};
  }
  return ntohs(address.sin_port);
}

bool Answers(int port) {
  const Descriptor connection = MakeSocket();
  const sockaddr_in address = Localhost(port);
  return connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
         0;
}

Failure MakeFile(const std::string& path, uint64_t bytes) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() >= 0 && ftruncate(file.get(), static_cast<off_t>(bytes)) == 0) {
    return std::nullopt;
  }
  return Error{"cannot make " + path + ": " + std::strerror(errno)};
}

}  // namespace

Result<NbdServer> NbdServer::Start(const std::string& nbdkit, const std::string& file,
                                   uint64_t bytes) {
  if (Failure failure = MakeFile(file, bytes)) return *failure;
  const Result<int> port = FreePort();
  if (!port.ok()) return port.error();
  Result<ChildProcess> child =
      ChildProcess::Start({{nbdkit, "--exit-with-parent", "-f", "-i", "127.0.0.1", "-p",
                            std::to_string(port.value()), "file", file},
                           "",
                           ""});
  if (!child.ok()) return child.error();
  NbdServer server(std::move(child.value()), file, port.value());
  if (Failure failure = server.AwaitAnswer()) return *failure;
  return server;
}

Failure NbdServer::AwaitAnswer() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!Answers(port_)) {
    if (!nbdkit_.IsRunning()) return Error{"nbdkit ended:\n" + nbdkit_.LastWords()};
    if (SignalsAsResults::Interrupted()) return Error{"interrupted while nbdkit was starting"};
    if (std::chrono::steady_clock::now() > give_up) return Error{"nbdkit does not answer"};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::nullopt;
}

Failure NbdServer::CheckItWasWritten() const {
  struct stat info {};
  if (stat(file_.c_str(), &info) == 0 && info.st_blocks > 0) return std::nullopt;
  return Error{"nothing was written to " + uri() + ": is its file not the second place?"};
}

}  // namespace bloom_lfs::bench
