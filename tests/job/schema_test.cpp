// SPDX-License-Identifier: MIT
// The schema against what the reader knows; schema_test.py has job files against the schema.
#include "job/schema.hpp"

#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "job/keys.hpp"
#include "job/option_fields.hpp"
#include "job/reading.hpp"

using namespace osiiso;
using nlohmann::json;

namespace {

using Names = std::set<std::string>;

Names names(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

Names keys(const json& object) {
  Names found;
  for (const auto& [key, value] : object.items()) found.insert(key);
  return found;
}

json pointed(const std::string& pointer) {
  static const json kSchema = json::parse(job::schema());
  return kSchema.at(json::json_pointer(pointer));
}

Names properties(const std::string& pointer) {
  return keys(pointed(pointer + "/properties"));
}

Names words(const std::string& pointer) {
  return pointed(pointer + "/enum").get<Names>();
}

}  // namespace

TEST_CASE("the schema has the keys that the reader knows, and no others") {
  CHECK(properties("") == names(job::kTopKeys));
  CHECK(properties("/definitions/queue") == names(job::kQueueKeys));
  CHECK(properties("/definitions/inputs_from") == names(job::kInputsFromKeys));
  CHECK(properties("/definitions/options") == names(job::option_names()));
  CHECK(words("/definitions/option_name") == names(job::option_names()));
  CHECK(properties("/definitions/task/anyOf/1") == names(job::kTaskKeys));
  CHECK(words("/definitions/task/anyOf/1/propertyNames/anyOf/1") == names(job::kTaskKeys));
  CHECK(properties("/definitions/group/anyOf/1") == names(job::kGroupKeys));
  CHECK(words("/definitions/group/anyOf/1/propertyNames/anyOf/1") == names(job::kGroupKeys));
}

TEST_CASE("the schema has the words that the reader knows, and no others") {
  const std::string queue = "/definitions/queue/properties/";
  CHECK(words(queue + "kind") == names(job::kKindNames));
  CHECK(words(queue + "mode") == names(job::kModeNames));
  CHECK(words(queue + "fail_policy") == names(job::kFailPolicyNames));
  CHECK(words(queue + "on_timeout") == names(job::kOnTimeoutNames));
  CHECK(words("/definitions/inputs_from/properties/format") == names(job::kInputFormatNames));
  CHECK(words("/definitions/options/properties/leak") == names(job::kLeakNames));
}

TEST_CASE("a file with every key is read") {
  std::ostringstream text;
  text << std::ifstream(OSIISO_GOOD_FILES "/every_key.yaml").rdbuf();
  const std::vector<job::Source> sources = {{"every_key.yaml", text.str(), OSIISO_GOOD_FILES}};
  const auto reading = job::read(sources, {}, {}, job::RunInputs::yes);
  CHECK(test::shown(reading.diagnostics) == "");
  CHECK(reading.plan);
}
