#include "plugin/figures/figures.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "lss/base/mutex.h"
#include "lss/base/per_process.h"

namespace bloom_lfs {
namespace {

constexpr double kNanosPerSecond = 1e9;
constexpr double kMicrosPerSecond = 1e6;

struct Sources {
  lss::Mutex mutex;
  std::set<const FigureSource*> all LSS_GUARDED_BY(mutex);
  std::map<std::string, std::string> left LSS_GUARDED_BY(mutex);  // summaries, by name
};

lss::PerProcess<Sources> g_sources;

std::string Escaped(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      escaped += '\\';
    }
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

const char* TypeOf(Figure::Kind kind) {
  switch (kind) {
    case Figure::Kind::kCounter:
      return "counter";
    case Figure::Kind::kGauge:
      return "gauge";
    case Figure::Kind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

std::string NumberText(double value) {
  char text[40];
  if (std::abs(value) < 9e15 && value == std::floor(value)) {
    snprintf(text, sizeof(text), "%" PRId64, static_cast<int64_t>(value));
  } else {
    snprintf(text, sizeof(text), "%.9g", value);
  }
  return text;
}

std::string Figure::FullName() const {
  std::string text = name + suffix;
  char before = '{';
  for (const auto& [label, value_text] : labels) {
    text += before + label + "=\"" + Escaped(value_text) + "\"";
    before = ',';
  }
  return labels.empty() ? text : text + "}";
}

void FigureSink::Counter(const char* name, const char* help, const Figure::Labels& labels,
                         double value) {
  figures_.push_back({name, help, Figure::Kind::kCounter, labels, "", value});
}

void FigureSink::Gauge(const char* name, const char* help, const Figure::Labels& labels,
                       double value) {
  figures_.push_back({name, help, Figure::Kind::kGauge, labels, "", value});
}

void FigureSink::Histogram(const char* name, const char* help, const Figure::Labels& labels,
                           const lss::LatencyHistogram& histogram) {
  uint64_t below = 0;
  for (size_t each = 0; each < lss::LatencyHistogram::kClasses; ++each) {
    below += histogram.count(each);
    const bool is_last = each == lss::LatencyHistogram::kUpToMicros.size();
    Figure::Labels with_end = labels;
    with_end.emplace_back(
        "le", is_last ? "+Inf"
                      : NumberText(static_cast<double>(lss::LatencyHistogram::kUpToMicros[each]) /
                                   kMicrosPerSecond));
    figures_.push_back(
        {name, help, Figure::Kind::kHistogram, with_end, "_bucket", static_cast<double>(below)});
  }
  figures_.push_back({name, help, Figure::Kind::kHistogram, labels, "_sum",
                      static_cast<double>(histogram.nanos()) / kNanosPerSecond});
  figures_.push_back(
      {name, help, Figure::Kind::kHistogram, labels, "_count", static_cast<double>(below)});
}

RegisteredFigures::RegisteredFigures(const FigureSource* source) : source_(source) {
  Sources* const sources = g_sources.Get();
  const lss::MutexLock lock(&sources->mutex);
  sources->all.insert(source_);
}

RegisteredFigures::~RegisteredFigures() {
  Sources* const sources = g_sources.Get();
  const lss::MutexLock lock(&sources->mutex);
  sources->all.erase(source_);
}

std::vector<Figure> CollectFigures() {
  FigureSink sink;
  if (Sources* const sources = g_sources.Peek(); sources != nullptr) {
    const lss::MutexLock lock(&sources->mutex);
    for (const FigureSource* source : sources->all) {
      source->Collect(&sink);
    }
  }
  std::vector<Figure> figures = sink.Take();
  std::stable_sort(figures.begin(), figures.end(),
                   [](const Figure& a, const Figure& b) { return a.name < b.name; });
  return figures;
}

std::vector<std::string> CollectSummaries() {
  std::vector<std::string> summaries;
  if (Sources* const sources = g_sources.Peek(); sources != nullptr) {
    const lss::MutexLock lock(&sources->mutex);
    for (const FigureSource* source : sources->all) {
      if (std::string summary = source->Summary(); !summary.empty()) {
        summaries.push_back(std::move(summary));
      }
    }
    for (const auto& [name, summary] : sources->left) {
      summaries.push_back(summary);
    }
  }
  return summaries;
}

void LeaveSummary(const std::string& name, std::string summary) {
  Sources* const sources = g_sources.Get();
  const lss::MutexLock lock(&sources->mutex);
  if (summary.empty()) {
    sources->left.erase(name);
  } else {
    sources->left[name] = std::move(summary);
  }
}

std::string PrometheusText(const std::vector<Figure>& figures) {
  std::string text;
  const std::string* last = nullptr;
  for (const Figure& figure : figures) {
    if (last == nullptr || *last != figure.name) {
      text += "# HELP " + figure.name + " " + figure.help + "\n# TYPE " + figure.name + " " +
              TypeOf(figure.kind) + "\n";
      last = &figure.name;
    }
    text += figure.FullName() + " " + NumberText(figure.value) + "\n";
  }
  return text;
}

}  // namespace bloom_lfs
