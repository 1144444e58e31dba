// SPDX-License-Identifier: MIT
// The HTML report in a browser, where one is installed (Debian: chromium).
#include <string>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/tools.hpp"

using nlohmann::json;
using osiiso::test::has_tool;
using osiiso::test::Invocation;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::TemporaryFolder;

namespace {

/// The text of a page after its scripts have run.
std::string dump(const std::string& profile, const std::string& address) {
  Invocation invocation;
  invocation.arguments = {"timeout",
                          "-k5",
                          "120",
                          "chromium",
                          "--headless=new",
                          "--no-sandbox",
                          "--disable-gpu",
                          "--disable-dev-shm-usage",
                          "--dump-dom",
                          "--virtual-time-budget=5000",
                          "--user-data-dir=" + profile,
                          address};
  invocation.env["HOME"] = profile;
  return run_program(invocation).out;
}

/// Not every container lets a browser start.
bool has_browser() {
  if (!has_tool("chromium")) return false;
  const TemporaryFolder folder;
  if (dump(folder.path(), "about:blank").find("<body>") != std::string::npos) return true;
  MESSAGE("not checked: chromium does not work here");
  return false;
}

/// What this script, which ends with `tell(VALUE)`, told of the page after it had been drawn.
json ask_page(const TemporaryFolder& folder, std::string page, const std::string& script) {
  const std::string tell =
      "<script>function tell(value) { document.body.replaceChildren("
      "'TOLD' + btoa(unescape(encodeURIComponent(JSON.stringify(value)))) + 'END'); }</script>";
  const auto end = page.rfind("</body>");
  REQUIRE(end != std::string::npos);
  page.insert(end, tell + "<script>" + script + "</script>");
  const std::string dom =
      dump(folder.path() + "/profile", "file://" + folder.write("page.html", page));
  const auto start = dom.find("TOLD", dom.find("<body>"));
  CAPTURE(dom);
  REQUIRE(start != std::string::npos);
  const std::string told = dom.substr(start + 4, dom.find("END", start) - start - 4);
  Invocation decode;
  decode.arguments = {"base64", "-d"};
  decode.input = told;
  return json::parse(run_program(decode).out);
}

std::string page_of(const TemporaryFolder& folder, const std::string& job) {
  run_osiiso({"run", "-", "--report", "html=" + folder.path() + "/run.html"}, job);
  return read_file(folder.path() + "/run.html");
}

}  // namespace

TEST_CASE("the page shows the run, finds a task, and opens its output") {
  if (!has_browser()) return;
  const TemporaryFolder folder;
  const std::string page = page_of(folder, R"(
name: "<b>nightly</b>"
tasks:
  - {name: good, command: echo fine}
  - {name: "<img src=x onerror=tell(1)>", command: "echo 'oops </script><i>x</i>' >&2; exit 3", retries: 1}
  - {name: other, command: "exit 4"}
)");
  const json told = ask_page(folder, page, R"(
    const texts = (selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent);
    const canvas = document.querySelector("canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const search = document.querySelector("#search");
    const seen = {
      title: texts("h1")[0],
      tiles: texts("#tiles strong"),
      names: texts("#tasks td.name"),
      label: canvas.getAttribute("aria-label"),
      colours: new Set(new Uint32Array(pixels.buffer)).size,
      foreign: document.querySelectorAll("img, i, b").length,
    };
    search.value = "exit 3";
    search.dispatchEvent(new Event("input"));
    setTimeout(() => {
      seen.found = texts("#tasks td.name");
      document.querySelector("tr.task").click();
      seen.output = texts(".details pre");
      seen.expanded = document.querySelector("td.name button").getAttribute("aria-expanded");
      tell(seen);
    }, 1000);
  )");
  CHECK(told["title"] == "<b>nightly</b>");
  CHECK(told["tiles"] == json({"3", "1", "2", "0", "1"}));
  CHECK(told["names"] == json({"<img src=x onerror=tell(1)>", "other", "good"}));  // failures first
  CHECK(told["label"].get<std::string>().starts_with("Timeline of 4 attempts by "));
  CHECK(told["colours"] > 5);
  CHECK(told["foreign"] == 0);
  CHECK(told["found"] == json({"<img src=x onerror=tell(1)>"}));
  CHECK(told["output"] == json({"oops </script><i>x</i>\n"}));
  CHECK(told["expanded"] == "true");
}

TEST_CASE("the page of thousands of tasks turns pages, sorts and filters") {
  if (!has_browser()) return;
  const TemporaryFolder folder;
  std::string job =
      "queue: {workers: 4}\ngroups:\n  many:\n    command: test {} != 1717\n    inputs: [";
  for (int i = 0; i < 2'000; ++i) job += (i > 0 ? ", " : "") + std::to_string(i);
  const std::string page = page_of(folder, job + "]\n");
  const json told = ask_page(folder, page, R"(
    const names = () => [...document.querySelectorAll("#tasks td.name")].map((each) => each.textContent);
    const click = (selector) => document.querySelector(selector).click();
    const seen = { first: names(), pager: document.querySelector("#page").textContent };
    click("#next");
    seen.second = names();
    click("#tasks th:nth-child(2) button");
    click("#tasks th:nth-child(2) button");
    seen.sorted = names()[0];
    click("#tiles .failed");
    seen.failed = names();
    tell(seen);
  )");
  CHECK(told["first"].size() == 100);
  CHECK(told["first"][0] == "test 1717 != 1717");
  CHECK(told["first"][1] == "test 0 != 1717");
  CHECK(told["pager"] == "1 to 100 of 2,000");
  CHECK(told["second"][0] == "test 99 != 1717");
  CHECK(told["sorted"] == "test 1999 != 1717");
  CHECK(told["failed"] == json({"test 1717 != 1717"}));
}
