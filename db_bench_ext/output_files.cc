#include "db_bench_ext/output_files.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <utility>

#include "db_bench_ext/html_report.h"
#include "db_bench_ext/ratio_rows.h"
#include "db_bench_ext/whole_file.h"

namespace bloom_lfs::bench {
namespace {

Failure CannotWrite(const char* flag, const std::string& path, int error) {
  if (error == 0) return std::nullopt;
  return Error{"cannot write " + path + ": " + std::strerror(error) + "; pass --" + flag +
               "=<a file in a directory you may write to>"};
}

Failure WriteJson(const std::string& path, const ResultsDocument& document) {
  const Result<std::string> json = RenderJson(document);
  if (!json.ok()) return json.error();
  return CannotWrite("json_file", path, ReplaceFile(path, json.value()));
}

Failure WritePicture(const std::string& path, const ResultsDocument& document) {
  const Result<std::string> picture = RenderRatioPicture(document);
  if (!picture.ok()) return picture.error();
  return CannotWrite("picture_file", path, ReplaceFile(path, picture.value()));
}

Result<ResultsDocument> ReadSaved(const std::string& path) {
  const Result<std::string> text = ReadWholeText(path);
  if (!text.ok()) return text.error();
  if (text.value().empty()) {
    return Error{path + " is not there, or is empty; pass a file that --json_file has written"};
  }
  return ParseJson(text.value(), path);
}

}  // namespace

std::string HtmlFileFor(const std::string& flag, const std::string& json_file,
                        const std::string& directory) {
  if (flag == "none") return "";
  if (!flag.empty()) return flag;
  if (json_file.empty()) return directory + "/db_bench_ext.html";
  return std::filesystem::path(json_file).replace_extension(".html").string();
}

Failure CheckOutputFiles(const OutputFiles& files) {
  if (!files.json.empty()) {
    const Result<std::string> json = RenderJson({});
    if (!json.ok()) return json.error();
  }
  const std::array<std::pair<const char*, const std::string&>, 3> named = {
      {{"json_file", files.json}, {"html_file", files.html}, {"picture_file", files.picture}}};
  for (const auto& [flag, path] : named) {
    if (path.empty()) continue;
    for (const auto& [other_flag, other_path] : named) {
      if (other_flag != flag && other_path == path) {
        return Error{"--" + std::string(flag) + " and --" + other_flag + " name the same file"};
      }
    }
    if (Failure failure = CannotWrite(flag, path, CheckReplaceable(path))) return failure;
  }
  return std::nullopt;
}

Failure WriteOutputFiles(const OutputFiles& files, const ResultsDocument& document,
                         const std::optional<ResultsDocument>& baseline) {
  Failure first;
  if (!files.json.empty()) first = WriteJson(files.json, document);
  if (!files.html.empty()) {
    const int error = ReplaceFile(files.html, RenderHtml(document, baseline));
    const Failure failure = CannotWrite("html_file", files.html, error);
    if (!first.has_value()) first = failure;
  }
  if (!files.picture.empty()) {
    const Failure failure = WritePicture(files.picture, document);
    if (!first.has_value()) first = failure;
  }
  return first;
}

Failure RenderAgain(const std::string& saved, const std::string& baseline,
                    const OutputFiles& files) {
  if (files.html == saved || files.picture == saved) {
    return Error{"--render names " + saved + ", which another flag would overwrite"};
  }
  if (Failure failure = CheckOutputFiles(files)) return failure;
  const Result<ResultsDocument> document = ReadSaved(saved);
  if (!document.ok()) return document.error();
  std::optional<ResultsDocument> then;
  if (!baseline.empty()) {
    Result<ResultsDocument> read = ReadSaved(baseline);
    if (!read.ok()) return read.error();
    then = std::move(read.value());
  }
  return WriteOutputFiles(files, document.value(), then);
}

}  // namespace bloom_lfs::bench
