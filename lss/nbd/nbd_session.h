// One connection to an NBD server, from the address until it is lost. The only unit that knows
// libnbd.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/nbd/nbd_uri.h"

struct nbd_handle;

namespace lss {

class NbdSession;

// What a server says of an export when one connects.
struct NbdExport {
  uint64_t size = 0;
  uint64_t largest_request = 0;  // in bytes; a multiple of 4096
  uint64_t alignment = 1;        // offsets and lengths are multiples of it; at most 4096
  bool fua = false;              // single writes can be made durable
  bool flush = false;            // everything written before can be
};

// One read, write or flush, small enough for the server. Its owner keeps it, and the memory it
// names, from Begin until it is handed out by TakeAnswered.
struct NbdRequest {
  enum class Kind { kRead, kWrite, kFlush };
  static constexpr int kLost = -1;

  Kind kind = Kind::kWrite;
  bool fua = false;
  char* data = nullptr;  // only read from if it is a write
  size_t length = 0;
  Address offset = 0;
  int error = 0;  // the server's errno; kLost: the connection went before the answer
  NbdSession* session = nullptr;
};

// Thread safety: none; its owner holds a lock around every call. Connect blocks, the others do not.
class NbdSession {
 public:
  struct Limits {
    std::chrono::milliseconds connect;
    std::chrono::milliseconds dead_peer;
    const std::atomic<bool>* give_up = nullptr;  // set by another thread: no more interest
  };
  // Errors as OpenRemoteDevice says. Also checks that the export can be used as a device at all.
  static Status Connect(const NbdUri& uri, const Limits& limits,
                        std::unique_ptr<NbdSession>* session);
  // As Close.
  ~NbdSession();
  NbdSession(const NbdSession&) = delete;
  NbdSession& operator=(const NbdSession&) = delete;

  const NbdExport& facts() const { return facts_; }
  // False once the connection is lost, or the server has said that it is going to end.
  bool alive() const;
  // Why it is not alive.
  const std::string& cause() const { return cause_; }

  // Every request comes back by TakeAnswered, also one that could not be sent.
  void Begin(NbdRequest* request);
  std::vector<NbdRequest*> TakeAnswered();
  bool has_answered() const { return !answered_.empty(); }
  // The connection is lost as soon as the thread that polls looks at it again, for this reason.
  void HangUp(const std::string& cause);
  // Answers all that are under way with kLost.
  void Close();

  // --- for the thread that polls ---

  int fd() const;
  short events() const;  // NOLINT(google-runtime-int): poll's type
  void Notify(int events);
  // Whether that thread has to look again because of what Begin has done.
  bool WantsAttention() const;

 private:
  explicit NbdSession(nbd_handle* handle) : handle_(handle) {}
  Status Negotiate(const NbdUri& uri, const Limits& limits);
  Status Examine(const NbdUri& uri);
  void DetectDeadPeer(std::chrono::milliseconds after) const;
  static int OnAnswer(void* request, int* error);
  void NoteFailure();

  nbd_handle* handle_;
  NbdExport facts_;
  std::vector<NbdRequest*> answered_;
  std::string cause_;
  bool server_ends_ = false;
};

// The error of an attempt to connect, from what libnbd says. Pure.
Status NbdConnectError(const std::string& uri, const std::string& text, int error_number);

}  // namespace lss
