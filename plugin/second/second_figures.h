// The figures of a database with a second place; those of the place itself are its own.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lss/second_place/failover_stream.h"
#include "plugin/figures/figures.h"

namespace bloom_lfs {

// What mode a database is in, and where its syncs go.
class DatabaseFigures final : public FigureSource {
 public:
  DatabaseFigures(std::string directory, std::string mode,
                  std::shared_ptr<lss::SharedFailoverPolicy> policy)
      : directory_(std::move(directory)), mode_(std::move(mode)), policy_(std::move(policy)) {}

  void Collect(FigureSink* sink) const override;

 private:
  const std::string directory_;
  const std::string mode_;
  const std::shared_ptr<lss::SharedFailoverPolicy> policy_;  // null: the mode has none
  const RegisteredFigures registered_{this};
};

}  // namespace bloom_lfs
