// The HTML report: one well-formed page that loads nothing, with nothing unescaped in it.

#include "db_bench_ext/html_report.h"

#include <gtest/gtest.h>

#ifdef BLOOM_LFS_LIBXML2
#include <libxml/parser.h>
#endif

#include <string>
#include <vector>

#include "db_bench_ext/html_text.h"
#include "db_bench_ext/ratio_rows.h"
#include "db_bench_ext/svg_plot.h"
#include "db_bench_ext/svg_time_plot.h"
#include "tests/support/results_document.h"

namespace bloom_lfs::bench {
namespace {

using sample::Row;
using sample::SomeDocument;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// That every element is closed, in order. Attributes hold no ">": they are escaped.
void ExpectTagsMatch(const std::string& html) {
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    if (tag[0] == '!' || tag.back() == '/') continue;
    const std::string name = tag.substr(tag[0] == '/' ? 1 : 0, tag.find(' '));
    if (tag[0] != '/') {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << tag;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

void ExpectWellFormed(const std::string& html) {
  ExpectTagsMatch(html);
#ifdef BLOOM_LFS_LIBXML2
  const xmlDocPtr document =
      xmlReadMemory(html.data(), static_cast<int>(html.size()), "report.html", nullptr,
                    XML_PARSE_NONET | XML_PARSE_NOERROR);
  const xmlErrorPtr error = xmlGetLastError();
  EXPECT_NE(document, nullptr) << (error != nullptr ? error->message : "");
  xmlFreeDoc(document);
#endif
}

TEST(HtmlReportTest, ItIsWellFormedWithRowsOfEveryKindAndWithNone) {
  ExpectWellFormed(RenderHtml(SomeDocument(), std::nullopt));
  ExpectWellFormed(RenderHtml(SomeDocument(), SomeDocument()));
  ExpectWellFormed(RenderHtml(ResultsDocument(), std::nullopt));
  ExpectWellFormed(RenderHtml(sample::DocumentOfFileSystems(), sample::DocumentOfFileSystems()));
}

TEST(HtmlReportTest, FurtherArmsHaveASection) {
  EXPECT_FALSE(Contains(RenderHtml(SomeDocument(), std::nullopt), "Further arms"));
  const std::string html =
      RenderHtml(MakeDocument({sample::RowWithArms("better")}, 5), std::nullopt);
  EXPECT_TRUE(Contains(html, "Further arms, each beside stock"));
  EXPECT_TRUE(Contains(html, "plugin{a=&lt;1&gt;}</td>"));
  EXPECT_TRUE(Contains(html, "200 ops/s"));
  EXPECT_TRUE(Contains(html, "no-wal: without a log there is nothing to sync"));
}

TEST(HtmlReportTest, FurtherArmsAreInEveryOtherSection) {
  const std::string with =
      RenderHtml(MakeDocument({sample::RowWithArms("better")}, 5), std::nullopt);
  const std::string without =
      RenderHtml(MakeDocument({Row("better", Metric::kOpsPerS,
                                   {{100, 150}, {100, 160}, {110, 150}, {100, 150}, {100, 150}})},
                              5),
                 std::nullopt);
  for (const char* heading :
       {"How long an operation takes", "Over the time of a run", "What it costs"}) {
    const std::string begin = "<h2>" + std::string(heading) + "</h2>";
    const auto section = [&](const std::string& html) {
      const size_t at = html.find(begin);
      return at == std::string::npos ? "" : html.substr(at, html.find("<h2>", at + 1) - at);
    };
    EXPECT_TRUE(Contains(section(with), "<td>plugin{a=&lt;1&gt;}</td>")) << heading;
    EXPECT_EQ(CountOf(section(with), "<tr>"), CountOf(section(without), "<tr>") + 1) << heading;
    EXPECT_FALSE(Contains(section(without), "a=")) << heading;
  }
  EXPECT_EQ(CountOf(with, "class=\"stall plugin\""), CountOf(without, "class=\"stall plugin\"") * 2)
      << "a plot of its own over time";
  ExpectWellFormed(with);
}

TEST(HtmlReportTest, EachFileSystemHasASection) {
  const std::string html = RenderHtml(sample::DocumentOfFileSystems(), std::nullopt);
  EXPECT_EQ(CountOf(html, "<h2>All rows</h2>"), 2U);
  for (const char* part :
       {">On ext4<", ">On xfs<", ">On btrfs<", "On xfs: Of 1 row the plugin is better in 1",
        "On btrfs: skipped.", "Skipped: mkfs.btrfs does not run"}) {
    EXPECT_TRUE(Contains(html, part)) << part;
  }
}

TEST(HtmlReportTest, ItRunsAndLoadsNothing) {
  const std::string html = RenderHtml(SomeDocument(), SomeDocument());
  for (const char* part :
       {"<script", "<link", "<img", "<iframe", "@import", "url(", "src=", "href="}) {
    EXPECT_FALSE(Contains(html, part)) << part;
  }
  EXPECT_EQ(CountOf(html, "http"), CountOf(html, "http://www.w3.org/"))
      << "names of XML, not links";
  EXPECT_TRUE(Contains(html, "prefers-color-scheme: dark"));
  EXPECT_TRUE(Contains(html, "@media print"));
  EXPECT_TRUE(Contains(html, "width=device-width"));
}

TEST(HtmlReportTest, WhatComesFromOutsideIsEscapedEverywhere) {
  const std::string evil = "</style><script>alert('x')</script>&\"\xff\x01";
  ResultsDocument document = SomeDocument();
  document.measured = evil;
  document.facts.emplace_back(evil, evil);
  document.rows[5].failure = evil;
  document.rows[6].skipped = evil;
  for (DocumentRow& row : document.rows) row.title = row.verdict = evil;
  ResultsDocument baseline = document;
  baseline.facts[1].second = evil;
  const std::string html = RenderHtml(document, baseline);
  EXPECT_FALSE(Contains(html, "<script"));
  EXPECT_EQ(CountOf(html, "</style>"), 1U);
  EXPECT_TRUE(Contains(html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
  ExpectWellFormed(html);
}

TEST(HtmlReportTest, TheVerdictIsInWords) {
  EXPECT_EQ(DescribeResults(SomeDocument()),
            "Of 5 rows the plugin is better in 2 and worse in 1; 1 shows no difference. 1 has too "
            "few pairs to tell. 1 row FAILED. 1 row was skipped. Best: faster, 100 B, 2.22 times "
            "as good as stock. Worst: three, "
            "100 B, 0.92 times as good as stock.");
  EXPECT_EQ(DescribeResults(ResultsDocument()), "Nothing was measured.");
  EXPECT_EQ(DescribeResults(MakeDocument({Row("row", Metric::kOpsPerS, {{1, 2}})}, 1)),
            "1 row was measured, with too few pairs to tell a difference.");
}

TEST(HtmlReportTest, ARowThatFailedIsNoResultHoweverManyPairsItHas) {
  Comparison failed = Row("failing", Metric::kOpsPerS,
                          {{100, 900}, {100, 900}, {100, 900}, {100, 900}, {100, 900}});
  failed.failure = Error{"plugin: the child exited with 1"};
  const Comparison none = Row("unreached", Metric::kOpsPerS, {});
  const ResultsDocument document = MakeDocument({failed, none}, 6);
  EXPECT_EQ(DescribeResults(document),
            "Nothing was measured. 1 row FAILED. 1 row was not reached.");
  const std::string html = RenderHtml(document, document);
  EXPECT_TRUE(Contains(html, "<div class=\"panel alarm\">"));
  EXPECT_FALSE(Contains(html, "How many times as good"));
  EXPECT_FALSE(Contains(RenderHtml(MakeDocument({none}, 6), std::nullopt), "panel alarm"));
}

TEST(HtmlReportTest, LongNamesOfArmsStayOnAPhone) {
  Comparison comparison = sample::RowWithArms("better");
  const std::string arm = "plugin{" + std::string(80, 'x') + "}";
  for (PairSample& pair : comparison.pairs) pair.further[0].arm = arm;
  const std::string html = RenderHtml(MakeDocument({comparison}, 5), std::nullopt);
  EXPECT_EQ(CountOf(html, ">plugin{" + std::string(49, 'x') + "…</text>"), 2U) << html;
  EXPECT_TRUE(Contains(html, "<td>" + arm + "</td>")) << "the tables have all of it";
}

TEST(HtmlReportTest, APartialOneSaysHowMuchOfItThereIs) {
  ResultsDocument document = SomeDocument();
  EXPECT_FALSE(Contains(RenderHtml(document, std::nullopt), "interrupted"));
  document.interrupted = true;
  const std::string html = RenderHtml(document, std::nullopt);
  EXPECT_TRUE(Contains(html, "interrupted after 21 of 35 pairs")) << html;
  ExpectWellFormed(html);
  document = MakeDocument({Row("row", Metric::kOpsPerS, {})}, 5);
  document.interrupted = true;
  EXPECT_TRUE(Contains(RenderHtml(document, std::nullopt), "interrupted after 0 of 5 pairs"));
}

TEST(HtmlReportTest, FailuresAndLatenciesAndCostsAreInIt) {
  const std::string html = RenderHtml(SomeDocument(), std::nullopt);
  EXPECT_TRUE(Contains(html, "stock: the child exited with 1"));
  EXPECT_TRUE(Contains(html, "skipped: needs root"));
  EXPECT_TRUE(Contains(html, "<td class=\"n\">9,000 µs</td>"));
  EXPECT_TRUE(Contains(
      html, "<td class=\"n\">30 MiB</td><td class=\"n\">2.50</td><td class=\"n\">3.50</td>"));
  EXPECT_EQ(CountOf(html, "<svg"), 3U + 5U) << "and one for each measured row's time";
}

TEST(HtmlReportTest, StallsAreCountedAndMarkedInBothArms) {
  const std::string html =
      RenderHtml(MakeDocument({Row("row", Metric::kOpsPerS, {{1, 2}, {1, 2}})}, 2), std::nullopt);
  EXPECT_TRUE(Contains(html,
                       "<td>plugin</td><td class=\"n\">1.0</td><td class=\"n\">200 ms</td>"
                       "<td class=\"n\">40.0 %</td><td class=\"n\">123 ms</td>"))
      << html;
  EXPECT_EQ(CountOf(html, "class=\"stall stock\""), 1U);
  EXPECT_EQ(CountOf(html, "class=\"stall plugin\""), 1U);
  ExpectWellFormed(html);
}

TEST(HtmlReportTest, TheNoisyNeighbourStandsAloneWithItsDevice) {
  const std::string html = RenderHtml(SomeDocument(), std::nullopt);
  const size_t at = html.find("<h2>Beside a noisy neighbour</h2>");
  ASSERT_NE(at, std::string::npos);
  const std::string section = html.substr(at, html.find("<h2>", at + 1) - at);
  EXPECT_TRUE(Contains(section,
                       "<td>device</td><td class=\"n\">50 µs</td><td class=\"n\">60 µs</td>"
                       "<td class=\"n\">900 µs</td><td class=\"n\">1,000 µs</td>"))
      << section;
  EXPECT_EQ(CountOf(section, "<tr>"), 4U) << "a head and one row's three lines";
  EXPECT_FALSE(Contains(html.substr(0, at), "<td>faster, 100 B</td>"));
}

TEST(HtmlReportTest, WithoutTheFiguresThereIsNoSection) {
  ResultsDocument document = SomeDocument();
  for (DocumentRow& row : document.rows) {
    row.beside_fio = false;
    for (PairSample& pair : row.pairs) pair.plugin.over_time.reset();
  }
  const std::string html = RenderHtml(document, std::nullopt);
  EXPECT_FALSE(Contains(html, "noisy neighbour"));
  EXPECT_FALSE(Contains(html, "Over the time"));
}

TEST(RatioPictureTest, FileSystemsStandBesideTheirRows) {
  ResultsDocument document;
  for (const char* file_system : {"ext4", "xfs"}) {
    document.sections.push_back(MakeDocument({Row("row", Metric::kOpsPerS, {{1, 2}})}, 1));
    document.sections.back().file_system = file_system;
  }
  const Result<std::string> picture = RenderRatioPicture(document);
  ASSERT_TRUE(picture.ok());
  EXPECT_TRUE(Contains(picture.value(), ">row, 100 B, ext4</text>"));
  EXPECT_TRUE(Contains(picture.value(), ">row, 100 B, xfs</text>"));
}

TEST(RatioPictureTest, ItHoldsItsColoursAndWordsAndNothingFromOutsideUnescaped) {
  ResultsDocument document = SomeDocument();
  document.measured = "<script>&";
  document.rows[0].title = "</svg>";
  const Result<std::string> picture = RenderRatioPicture(document);
  ASSERT_TRUE(picture.ok());
  ExpectWellFormed(picture.value());
  EXPECT_TRUE(Contains(picture.value(), "&lt;script&gt;&amp;; 2 × processor; 2026-01-31"));
  EXPECT_TRUE(Contains(picture.value(), "prefers-color-scheme: dark"));
  EXPECT_FALSE(Contains(picture.value(), "var("));
  EXPECT_EQ(CountOf(picture.value(), "class=\"figure\""), 5U);
  EXPECT_FALSE(RenderRatioPicture(ResultsDocument()).ok());
}

TEST(EscapeHtmlTest, TextOfAllKindsStaysTextAndAllElseIsReplaced) {
  EXPECT_EQ(EscapeHtml("1.5× – ≥ µs 漢 😀\n"), "1.5× – ≥ µs 漢 😀\n");
  EXPECT_EQ(EscapeHtml("<a b='c' d=\"e\">&"), "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;");
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(EscapeHtml(std::string("a\0b", 3)), "a" + replaced + "b");
  EXPECT_EQ(EscapeHtml("\xff"), replaced);
  EXPECT_EQ(EscapeHtml("\xC3"), replaced) << "cut short";
  EXPECT_EQ(EscapeHtml("\xC0\xBC"), replaced + replaced) << "an overlong <";
  EXPECT_EQ(EscapeHtml("\xED\xA0\x80"), replaced + replaced + replaced) << "half a surrogate pair";
  EXPECT_EQ(EscapeHtml("\x1b[31m"), replaced + "[31m");
}

TEST(ForestPlotTest, IntervalsOfNothingStayInThePicture) {
  for (const double low : {0.0, 1e-300, -1.0}) {
    const std::string svg = RenderForestPlot("t", {{"a", "", 1, Interval{low, 1e300}}});
    ExpectTagsMatch(svg);
    EXPECT_LT(svg.size(), 20000U);
    for (const char* part : {"nan", "inf"}) EXPECT_FALSE(Contains(svg, part)) << svg;
  }
}

TEST(ForestPlotTest, ExtremeFactorsStayInThePicture) {
  EXPECT_EQ(RenderForestPlot("t", {}), "");
  const std::string svg = RenderForestPlot(
      "t", {{"a", "", 1e-9, Interval{1e-12, 1}, Tone::kWorse}, {"b", "", 1e9, {}, Tone::kBetter}});
  ExpectTagsMatch(svg);
  for (const char* part : {"nan", "inf", "\"-"}) EXPECT_FALSE(Contains(svg, part)) << svg;
}

TEST(TimePlotTest, ExtremeRatesStayInThePicture) {
  for (const RateSeries& series :
       {RateSeries{1e-9, {0}}, RateSeries{1e6, {0, 1e12, 1}}, RateSeries{0.02, {}}}) {
    const std::string svg = RenderTimePlot("t", "<row>", series, {0.5, {1, 2, 3}});
    ExpectTagsMatch(svg);
    for (const char* part : {"nan", "inf", "\"-", "<row>"})
      EXPECT_FALSE(Contains(svg, part)) << svg;
  }
}

TEST(LatencyPlotTest, LatenciesOfZeroStayInThePicture) {
  const std::string svg =
      RenderLatencyPlot("t", {{"a", {{{0, 0, 0, 0}, "stock"}, {{0, 1, 2, 3}, "plugin"}}}});
  ExpectTagsMatch(svg);
  for (const char* part : {"nan", "inf", "\"-"}) EXPECT_FALSE(Contains(svg, part)) << svg;
}

}  // namespace
}  // namespace bloom_lfs::bench
