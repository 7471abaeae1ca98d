#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// nbdkit, serving a new file to this machine alone. Stopped when the object goes away.
class NbdServer {
 public:
  // Makes `file` with that many bytes, none of them written, and returns when the server answers.
  static Result<NbdServer> Start(const std::string& nbdkit, const std::string& file,
                                 uint64_t bytes);

  // "nbd://127.0.0.1:10809/"
  std::string uri() const { return "nbd://127.0.0.1:" + std::to_string(port_) + "/"; }

  // An error if nobody has written to the file: the run then measured something else.
  Failure CheckItWasWritten() const;

 private:
  NbdServer(ChildProcess nbdkit, std::string file, int port)
      : nbdkit_(std::move(nbdkit)), file_(std::move(file)), port_(port) {}
  Failure AwaitAnswer();

  ChildProcess nbdkit_;
  std::string file_;
  int port_;
};

}  // namespace bloom_lfs::bench
