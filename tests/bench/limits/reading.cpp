// SPDX-License-Identifier: MIT
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"
#include "job/job.hpp"

namespace bench {
namespace {

constexpr std::size_t kBytes = 10'000'000;

class Deaf : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

void parse_events(const std::string& text) {
  std::istringstream stream(text);
  Deaf deaf;
  if (!YAML::Parser(stream).HandleNextDocument(deaf)) give_up("yaml-cpp");
}

void read_job(const std::string& text) {
  namespace job = osiiso::job;
  const job::Source source{.name = "bench.yaml", .text = text, .folder = "."};
  const auto reading = job::read({&source, 1}, {}, {}, job::RunInputs::no);
  if (!reading.plan || reading.empty) give_up("job::read");
}

std::string job_text(const std::function<std::string(std::size_t)>& task) {
  std::string text = "version: 1\ntasks:\n";
  text.reserve(kBytes + 1000);
  for (std::size_t number = 0; text.size() < kBytes; ++number) text += task(number);
  return text;
}

void add_round(Table& table, const std::string& row, const std::string& text) {
  const auto mebibytes = static_cast<double>(text.size()) / (1 << 20);
  const auto bare = measure_function([&] { parse_events(text); });
  const auto read = measure_function([&] { read_job(text); });
  for (const auto& [name, cost] : {std::pair("yaml-cpp", &bare), std::pair("osiiso", &read)}) {
    table.add(
        fmt::format("{}, {}", row, name),
        {bare.seconds / cost->seconds, mebibytes / cost->seconds, cost->peak_bytes / (1 << 20)});
  }
}

}  // namespace

Table measure_reading(const LimitSettings& settings, const TemporaryFolder&) {
  Table table("reading: job files of 10 MB in block style, ratios to yaml-cpp's bare events",
              {{"ratio", "ratio", 2}, {"mib_per_second", "MiB/s", 2}, {"peak_mib", "peak MiB", 1}});
  const auto strings = job_text([](std::size_t number) {
    return fmt::format("- convert photos/{0:06}.jpg -resize 200x small/{0:06}.jpg\n", number);
  });
  const auto mappings = job_text([](std::size_t number) {
    return fmt::format(
        "- name: resize-{0:06}\n"
        "  command: convert photos/{0:06}.jpg -resize 200x small/{0:06}.jpg\n"
        "  retries: 2\n"
        "  timeout: 30s\n",
        number);
  });
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    add_round(table, "strings", strings);
    add_round(table, "mappings", mappings);
  }
  return table;
}

}  // namespace bench
