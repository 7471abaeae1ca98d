// The parts of a store over a device in memory, for tests of one of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/store_parts.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {

using test::DeviceCall;
using test::FirstDifference;
using test::Lines;
using test::StoreParts;
using test::StreamBytes;
using test::Survivors;

class StorePartsTest : public testing::Test {
 protected:
  explicit StorePartsTest(const StoreOptions& options)
      : parts_(StoreParts::Make(directory_.path(), options)) {}

  bloom_lfs::test::TempDir directory_;
  std::shared_ptr<StoreParts> parts_;
};

}  // namespace lss
