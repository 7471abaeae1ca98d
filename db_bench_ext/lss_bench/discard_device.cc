#include "db_bench_ext/lss_bench/discard_device.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace bloom_lfs::bench {

lss::Status DiscardDevice::Identify(lss::StreamId* id, uint64_t* size) {
  std::random_device random;
  const auto draw = [&random] { return uint64_t{random()} << 32 | random(); };
  *id = lss::StreamId::Named({draw(), draw()});
  *size = 0;
  return lss::Status::Ok();
}

lss::Status DiscardDevice::Write(const std::vector<iovec>& pieces, lss::Address offset,
                                 lss::WriteKind /*kind*/) {
  lss::Address at = offset;
  for (const iovec& piece : pieces) {
    if (at < discarded_->first_page.size()) {
      std::memcpy(discarded_->first_page.data() + at, piece.iov_base,
                  std::min<uint64_t>(piece.iov_len, discarded_->first_page.size() - at));
    }
    at += piece.iov_len;
  }
  discarded_->bytes.fetch_add(at - offset, std::memory_order_relaxed);
  // One thread at a time writes to a stream.
  discarded_->end.store(std::max(at, discarded_->end.load(std::memory_order_relaxed)),
                        std::memory_order_relaxed);
  return lss::Status::Ok();
}

lss::Status DiscardDevice::OpenAside(std::unique_ptr<lss::Device>* aside) {
  *aside = std::make_unique<DiscardDevice>(std::make_shared<Discarded>());
  return lss::Status::Ok();
}

}  // namespace bloom_lfs::bench
