#include "lss/options.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace lss {
namespace {

using Change = std::function<void(StoreOptions*)>;

Status ValidateWith(const Change& change) {
  StoreOptions options;
  change(&options);
  return options.Validate();
}

struct Field {
  const char* name;
  std::function<void(StoreOptions*, uint64_t)> set;
  std::vector<uint64_t> good;
  std::vector<uint64_t> bad;
  const char* limit;  // must be in the message
};

std::vector<Field> Fields() {
  return {
      {"buffer_bytes",
       [](StoreOptions* o, uint64_t v) { o->buffer_bytes = static_cast<uint32_t>(v); },
       {4096, 8192, 65536, 1048576},
       {0, 1, 4095, 4097, 1048577, 1052672, UINT32_MAX},
       "1048576"},
      {"buffer_count",
       [](StoreOptions* o, uint64_t v) { o->buffer_count = static_cast<uint32_t>(v); },
       {2, 3, 4, 256},
       {0, 1, 257, UINT32_MAX},
       "2 to 256"},
      {"frontier_bytes",
       [](StoreOptions* o, uint64_t v) { o->frontier_bytes = v; },
       {0, 4096, 64 << 20},
       {1, 4097, (64 << 20) + 4096, UINT64_MAX},
       "67108864"},
      {"idle_flush_ms",
       [](StoreOptions* o, uint64_t v) { o->idle_flush_ms = static_cast<uint32_t>(v); },
       {1, 500, 60000},
       {0, 60001, UINT32_MAX},
       "1 to 60000"},
      {"allocation_step_bytes",
       [](StoreOptions* o, uint64_t v) { o->allocation_step_bytes = v; },
       {4096, 1 << 20, 1 << 30},
       {0, 100, 4097, (1ULL << 30) + 4096, UINT64_MAX},
       "1073741824"},
  };
}

TEST(OptionsTest, TheSeedsDefaultIsValid) {
  const StoreOptions options;
  EXPECT_TRUE(options.Validate().ok());
  EXPECT_EQ(options.buffer_count, 4U);
  EXPECT_EQ(options.buffer_bytes, 4096U);
}

TEST(OptionsTest, LimitsThemselvesAreAllowed) {
  for (const Field& field : Fields()) {
    for (const uint64_t value : field.good) {
      EXPECT_TRUE(ValidateWith([&](StoreOptions* o) { field.set(o, value); }).ok())
          << field.name << " = " << value;
    }
  }
}

TEST(OptionsTest, AValueOutOfRangeNamesTheOptionTheValueAndTheRange) {
  for (const Field& field : Fields()) {
    for (const uint64_t value : field.bad) {
      const Status status = ValidateWith([&](StoreOptions* o) { field.set(o, value); });
      ASSERT_EQ(status.code(), Status::Code::kInvalidArgument) << field.name << " = " << value;
      EXPECT_EQ(status.message().find(field.name), 0U) << status.message();
      EXPECT_NE(status.message().find(std::to_string(value)), std::string::npos)
          << status.message();
      EXPECT_NE(status.message().find(field.limit), std::string::npos) << status.message();
    }
  }
}

TEST(OptionsTest, BothWriteModesAndNoOther) {
  for (const uint32_t mode : {1U, 2U}) {
    EXPECT_TRUE(
        ValidateWith([&](StoreOptions* o) { o->write_mode = static_cast<WriteMode>(mode); }).ok());
  }
  for (const uint32_t mode : {0U, 3U}) {
    const Status status =
        ValidateWith([&](StoreOptions* o) { o->write_mode = static_cast<WriteMode>(mode); });
    EXPECT_EQ(status.code(), Status::Code::kInvalidArgument);
    EXPECT_NE(status.message().find("write_mode"), std::string::npos);
  }
}

}  // namespace
}  // namespace lss
