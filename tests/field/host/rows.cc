#include "tests/field/host/rows.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace field {
namespace {

// A count in a file that outlives whoever raises it.
class Acknowledged {
 public:
  explicit Acknowledged(const std::string& path) {
    if (path.empty()) return;
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, kBytes) != 0) throw std::runtime_error("no " + path);
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + path);
    count_ = static_cast<volatile int64_t*>(memory);
  }
  ~Acknowledged() {
    if (count_ != nullptr) munmap(const_cast<int64_t*>(count_), kBytes);
  }
  Acknowledged(const Acknowledged&) = delete;
  Acknowledged& operator=(const Acknowledged&) = delete;

  void Raise(int64_t count) {
    if (count_ != nullptr) *count_ = count;
  }
  int64_t count() const { return count_ == nullptr ? 0 : *count_; }

 private:
  static constexpr size_t kBytes = 4096;
  volatile int64_t* count_ = nullptr;
};

std::string Key(int64_t row) {
  const std::string digits = std::to_string(row);
  return "row" + std::string(10 - std::min<size_t>(10, digits.size()), '0') + digits;
}

std::string Value(int64_t row, const std::string& tag, size_t bytes) {
  std::string value = tag + ":" + std::to_string(row) + ":";
  if (value.size() < bytes) value.append(bytes - value.size(), static_cast<char>('a' + row % 26));
  return value;
}

int64_t MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start)
      .count();
}

// What a run of puts came to.
struct Outcome {
  int64_t rows = 0;
  rocksdb::Status status;
  int64_t total_ms = 0;
  int64_t longest_ms = 0;
};

Outcome PutRows(const Databases& databases, const Command& command, int64_t count) {
  rocksdb::DB* const db = databases.Get(command);
  rocksdb::ColumnFamilyHandle* const family = databases.Family(command);
  const int64_t from = command.Number("from", 0);
  const auto bytes = static_cast<size_t>(command.Number("bytes", 100));
  const auto pause_us = static_cast<useconds_t>(command.Number("pause_us", 0));
  const std::string tag = command.Text("tag", "v");
  Acknowledged acknowledged(command.Text("ack"));
  rocksdb::WriteOptions write;
  write.sync = command.Has("sync");

  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  for (; outcome.rows < count; ++outcome.rows) {
    const int64_t row = from + (command.Has("down") ? count - 1 - outcome.rows : outcome.rows);
    const auto before = std::chrono::steady_clock::now();
    outcome.status = db->Put(write, family, Key(row), Value(row, tag, bytes));
    outcome.longest_ms = std::max(outcome.longest_ms, MillisecondsSince(before));
    if (!outcome.status.ok()) break;
    acknowledged.Raise(row + 1);
    if (pause_us != 0) usleep(pause_us);
  }
  outcome.total_ms = MillisecondsSince(start);
  return outcome;
}

}  // namespace

std::string Put(const Databases& databases, const Command& command) {
  const Outcome outcome = PutRows(databases, command, std::stoll(command.Word(1)));
  Require(outcome.status, "after " + std::to_string(outcome.rows) + " rows: ");
  std::string answer = std::to_string(outcome.rows) + " rows";
  if (command.Has("timed")) {
    answer += " in " + std::to_string(outcome.total_ms) + " ms, longest " +
              std::to_string(outcome.longest_ms) + " ms";
  }
  return answer;
}

std::string Fill(const Databases& databases, const Command& command) {
  return Words(PutRows(databases, command, INT64_MAX / 2).status);
}

std::string Check(const Databases& databases, const Command& command) {
  rocksdb::DB* const db = databases.Get(command);
  rocksdb::ColumnFamilyHandle* const family = databases.Family(command);
  const std::string ack = command.Text("ack");
  const int64_t rows = ack.empty() ? std::stoll(command.Word(1)) : Acknowledged(ack).count();
  const int64_t from = command.Number("from", 0);
  const std::string tag = command.Text("tag", "v");
  int64_t missing = 0;
  int64_t wrong = 0;
  int64_t first = -1;
  for (int64_t row = from; row < from + rows; ++row) {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), family, Key(row), &value);
    const bool right = status.ok() && value == Value(row, tag, value.size());
    missing += status.ok() ? 0 : 1;
    wrong += status.ok() && !right ? 1 : 0;
    if (!right && first < 0) first = row;
  }
  std::string answer = std::to_string(missing) + " missing";
  if (wrong != 0) answer += ", " + std::to_string(wrong) + " wrong";
  if (first >= 0) {
    throw std::runtime_error(answer + " of " + std::to_string(rows) + ", first " +
                             std::to_string(first));
  }
  return answer;
}

std::string GetOne(const Databases& databases, const Command& command) {
  std::string value;
  const rocksdb::Status status =
      databases.Get(command)->Get(rocksdb::ReadOptions(), command.Word(1), &value);
  return status.IsNotFound() ? "nothing" : status.ok() ? value : Words(status);
}

std::string SetOne(const Databases& databases, const Command& command) {
  rocksdb::WriteOptions write;
  write.sync = command.Has("sync");
  Require(databases.Get(command)->Put(write, command.Word(1), command.Word(2)));
  return "set";
}

}  // namespace field
