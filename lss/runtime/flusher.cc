#include "lss/runtime/flusher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lss/base/check.h"
#include "lss/device/blocking_writer.h"
#include "lss/device/uring_writer.h"

namespace lss {

Flusher::Flusher(bool use_io_uring, WarningSink warn)
    : use_io_uring_(use_io_uring), warn_(warn), starter_(kThreadName, std::move(warn)) {}

Flusher::~Flusher() { Stop(); }

bool Flusher::uses_io_uring() const {
  const MutexLock lock(&mutex_);
  return uses_io_uring_;
}

bool Flusher::HaveThread() {
  if (state_ == State::kRunning || !starter_.MayTry()) {
    return state_ == State::kRunning;
  }
  if (!wake_fd_.valid()) {
    wake_fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  }
  if (!wake_fd_.valid()) {
    starter_.Failed(Status::FromErrno("make", "an eventfd", -1, errno));
    return false;
  }
  if (starter_.Start([this] { Run(); }, &thread_)) {
    state_ = State::kRunning;
  }
  return state_ == State::kRunning;
}

void Flusher::Request(std::shared_ptr<FlushClient> client) {
  bool wake = false;
  {
    const MutexLock lock(&mutex_);
    if (!stop_ && HaveThread()) {
      if (requested_.insert(client.get()).second) {
        requests_.push_back(std::move(client));
      }
      wake = sleeping_;
      sleeping_ = false;
      client = nullptr;
    }
  }
  if (client != nullptr) {
    DrainInline(client.get());
  } else if (wake) {
    Wake();
  }
}

void Flusher::Wake() const {
  const uint64_t one = 1;
  (void)!write(wake_fd_.get(), &one, sizeof(one));
}

void Flusher::BeginStop() {
  const MutexLock lock(&mutex_);
  stop_ = true;
  sleeping_ = false;
  if (state_ == State::kRunning) {
    Wake();
  }
}

bool Flusher::Stop(std::chrono::steady_clock::time_point deadline) {
  BeginStop();
  Thread ended;
  {
    const MutexLock lock(&mutex_);
    LSS_CHECK(!thread_.IsCurrent(), "a thread cannot wait for its own end");
    while (state_ == State::kRunning && std::chrono::steady_clock::now() < deadline) {
      ended_.WaitUntil(&mutex_, deadline);
    }
    if (state_ == State::kRunning) {
      return false;
    }
    ended = std::move(thread_);
  }
  ended.Join();
  return true;
}

void Flusher::MakeWriter(std::unique_ptr<AsyncWriter>* writer) {
  if (use_io_uring_) {
    std::unique_ptr<UringWriter> uring;
    const Status status = UringWriter::Create(wake_fd_.get(), warn_, &uring);
    if (status.ok()) {
      *writer = std::move(uring);
      const MutexLock lock(&mutex_);
      uses_io_uring_ = true;
      return;
    }
    if (warn_) {
      warn_("no io_uring here (" + status.message() +
            "); writing with pwritev2 on one thread (option io_uring=false silences this)");
    }
  }
  *writer = std::make_unique<BlockingWriter>(wake_fd_.get());
}

void Flusher::Run() {
  // Made at the first request: a process that never fills a buffer never pays for an io_uring.
  std::unique_ptr<AsyncWriter> writer;
  const AsyncWriter::Done done = [&](FlushClient* client, const WriteOp& op, const Status& status) {
    client->OnWriteDone(op, status);
    const auto busy = std::find_if(busy_.begin(), busy_.end(),
                                   [&](const Busy& entry) { return entry.client.get() == client; });
    const std::shared_ptr<FlushClient> keep = busy->client;
    if (--busy->writes == 0) {
      busy_.erase(busy);
    }
    Ask(writer.get(), keep);
  };
  for (;;) {
    std::deque<std::shared_ptr<FlushClient>> requests;
    {
      const MutexLock lock(&mutex_);
      requests.swap(requests_);
      requested_.clear();
      sleeping_ = requests.empty();
      if (requests.empty() && stop_ && busy_.empty()) {
        break;
      }
    }
    if (writer == nullptr && !requests.empty()) {
      MakeWriter(&writer);
    }
    for (const std::shared_ptr<FlushClient>& client : requests) {
      Ask(writer.get(), client);
    }
    if (!requests.empty()) {
      continue;  // what came meanwhile goes down before we sleep
    }
    if (writer != nullptr) {
      writer->Reap(done);
    } else {
      uint64_t count = 0;
      (void)!read(wake_fd_.get(), &count, sizeof(count));
    }
  }
  writer.reset();  // drains, before anybody is told
  const MutexLock lock(&mutex_);
  state_ = State::kEnded;
  ended_.NotifyAll();
}

void Flusher::Ask(AsyncWriter* writer, const std::shared_ptr<FlushClient>& client) {
  std::vector<WriteOp> ops;
  client->NextWrites(&ops);
  if (ops.empty()) {
    return;
  }
  const auto busy = std::find_if(busy_.begin(), busy_.end(),
                                 [&](const Busy& entry) { return entry.client == client; });
  if (busy != busy_.end()) {
    busy->writes += ops.size();
  } else {
    busy_.push_back({client, ops.size()});
  }
  client->device()->Submit(writer, client.get(), ops);
}

void Flusher::DrainInline(FlushClient* client) {
  std::vector<WriteOp> ops;
  client->NextWrites(&ops);
  while (!ops.empty()) {
    for (const WriteOp& op : ops) {
      client->OnWriteDone(op, WriteNow(client->device(), op));
    }
    ops.clear();
    client->NextWrites(&ops);
  }
}

}  // namespace lss
