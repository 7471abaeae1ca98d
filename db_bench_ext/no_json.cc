// In the place of json_writer.cc and json_reader.cc where nlohmann's JSON library is not installed.

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {
namespace {

Error NoJson() {
  return Error{
      "this db_bench_ext was built without nlohmann's JSON library; install it (Debian: "
      "nlohmann-json3-dev) and build again, or leave --json_file and --baseline out"};
}

}  // namespace

Result<std::string> RenderJson(const ResultsDocument& /*document*/) { return NoJson(); }

Result<ResultsDocument> ParseJson(const std::string& /*text*/, const std::string& /*name*/) {
  return NoJson();
}

}  // namespace bloom_lfs::bench
