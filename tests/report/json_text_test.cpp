// SPDX-License-Identifier: MIT
#include "report/json_text.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace osiiso::report {
namespace {

using namespace std::chrono_literals;

std::string in_json(std::string_view text) {
  JsonText json;
  json.text(text);
  return json.written();
}

TEST_CASE("separators come by themselves") {
  JsonText json;
  json.open('{');
  json.key("a").number(1);
  json.key("b").open('[');
  json.open('{');
  json.close('}');
  json.text("x");
  json.null();
  json.close(']');
  json.key("c").boolean(true);
  json.close('}');
  CHECK(json.written() == R"({"a": 1, "b": [{}, "x", null], "c": true})");
}

TEST_CASE("every character is read back as it was") {
  for (int c = 0; c < 0x80; ++c) {
    const std::string text = std::string("a") + static_cast<char>(c) + "b";
    CHECK(nlohmann::json::parse(in_json(text)) == text);
  }
  CHECK(nlohmann::json::parse(in_json("ä€😀\xC2\x85\xE2\x80\xA8")) == "ä€😀\xC2\x85\xE2\x80\xA8");
  CHECK(in_json("\"\\\n\r\t\x01\x1f\x7f") == "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\\u007f\"");
  CHECK(in_json("\xC2\x80\xC2\x9B\xC2\xA0\xC2\xBF") == "\"\\u0080\\u009b\xC2\xA0\xC2\xBF\"");
  CHECK(in_json("") == "\"\"");
}

TEST_CASE("what is no UTF-8 is replaced, and told once") {
  JsonText json;
  json.text("a\xFFz");
  CHECK(json.written() == "\"a\xEF\xBF\xBDz\"");
  CHECK(json.take_replaced());
  CHECK_FALSE(json.take_replaced());
}

TEST_CASE("numbers are the shortest that name the value") {
  JsonText json;
  json.open('[');
  json.number(0.1);
  json.number(1e300);
  json.number(-5);
  json.number(std::numeric_limits<std::uint64_t>::max());
  json.time(150ms);
  json.time(1min);
  json.close(']');
  CHECK(json.written() == "[0.1, 1e+300, -5, 18446744073709551615, 0.15, 60]");
}

TEST_CASE("what JSON has no number for is null") {
  JsonText json;
  json.open('[');
  json.number(std::nan(""));
  json.number(std::numeric_limits<double>::infinity());
  json.number(std::optional<int>());
  json.time_or_null(std::nullopt);
  json.text_or_null("");
  json.close(']');
  CHECK(json.written() == "[null, null, null, null, null]");
}

TEST_CASE("the name of a value may be any text") {
  JsonText json;
  json.open('{');
  json.text_key("a\"\n").null();
  json.close('}');
  CHECK(json.written() == R"({"a\"\n": null})");
}

}  // namespace
}  // namespace osiiso::report
