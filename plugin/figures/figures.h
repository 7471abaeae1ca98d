// Figures of this process while it runs: who has some registers as a source, who wants them asks
// all sources. Names and units are Prometheus's: seconds, bytes, `_total` for what only grows.
//
// Thread safety: every function from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lss/base/latency_histogram.h"

namespace bloom_lfs {

// Of one figure; `help` is the same for all of one name.
struct Figure {
  enum class Kind { kCounter, kGauge, kHistogram };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  std::string name;
  std::string help;
  Kind kind = Kind::kCounter;
  Labels labels;
  std::string suffix;  // of a histogram's parts: _bucket, _sum, _count
  double value = 0;

  // name_suffix{label="value",…}
  std::string FullName() const;
};

class FigureSink {
 public:
  void Counter(const char* name, const char* help, const Figure::Labels& labels, double value);
  void Gauge(const char* name, const char* help, const Figure::Labels& labels, double value);
  // In seconds.
  void Histogram(const char* name, const char* help, const Figure::Labels& labels,
                 const lss::LatencyHistogram& histogram);
  std::vector<Figure> Take() { return std::move(figures_); }

 private:
  std::vector<Figure> figures_;
};

class FigureSource {
 public:
  virtual ~FigureSource() = default;
  // Must not wait for a device, nor make or unmake sources.
  virtual void Collect(FigureSink* sink) const = 0;
  // Its part of the line that ends RocksDB's LOG; empty: none. As Collect.
  virtual std::string Summary() const { return {}; }
};

// Collect is called only while this is there.
class RegisteredFigures {
 public:
  explicit RegisteredFigures(const FigureSource* source);
  ~RegisteredFigures();
  RegisteredFigures(const RegisteredFigures&) = delete;
  RegisteredFigures& operator=(const RegisteredFigures&) = delete;

 private:
  const FigureSource* const source_;
};

// Those of one name lie together.
std::vector<Figure> CollectFigures();
// Those that are not empty, and what sources that are gone have left.
std::vector<std::string> CollectSummaries();
// For a source that goes before RocksDB's LOG is closed: its last summary, instead of what another
// one of this name has left. Empty: nothing is left.
void LeaveSummary(const std::string& name, std::string summary);
// A figure's value as everybody writes it.
std::string NumberText(double value);
// As Prometheus's textfile collector reads them.
std::string PrometheusText(const std::vector<Figure>& figures);

}  // namespace bloom_lfs
