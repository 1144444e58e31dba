// SPDX-License-Identifier: MIT
// The man page against the help.
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/tools.hpp"

using osiiso::test::has_tool;
using osiiso::test::run_osiiso;

namespace {

using Names = std::set<std::string>;

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(word);
  return found;
}

/// The options that start a paragraph: `.It Fl j , -workers Ar n` has two.
Names options_in_man_page() {
  Names names;
  std::istringstream page(osiiso::test::read_file(OSIISO_MAN_PAGE));
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with(".It Fl ")) continue;
    for (const auto& word : words(line.substr(7))) {
      if (word == "Ar" || word == "Cm") break;
      if (word != ",") names.insert("-" + word);
    }
  }
  return names;
}

Names options_in_help() {
  Names names = {"-V", "--version"};
  for (const std::string command : {"run", "map", "check", "plan", "report", "schema"}) {
    std::istringstream help(run_osiiso({command, "--help"}).out);
    for (std::string line; std::getline(help, line);) {
      if (!line.starts_with("  -")) continue;
      std::istringstream list(words(line).front());
      for (std::string name; std::getline(list, name, ',');) names.insert(name);
    }
  }
  return names;
}

/// What a program that checks pages has to say of ours.
std::string complaints(std::vector<std::string> program) {
  if (!has_tool(program.front())) return {};
  program.push_back(OSIISO_MAN_PAGE);
  osiiso::test::Invocation invocation;
  invocation.arguments = {"sh", "-c", "\"$@\" 2>&1 > /dev/null", "sh"};
  if (program.front() == "mandoc") invocation.arguments[2] = "\"$@\" 2>&1";
  invocation.arguments.insert(invocation.arguments.end(), program.begin(), program.end());
  return osiiso::test::run_program(invocation).out;
}

}  // namespace

TEST_CASE("the man page has the options that the help shows, and no others") {
  const auto in_help = options_in_help();
  const auto in_page = options_in_man_page();
  for (const auto& name : in_help) CHECK_MESSAGE(in_page.contains(name), name);
  for (const auto& name : in_page) CHECK_MESSAGE(in_help.contains(name), name);
  CHECK(in_help.size() > 25);
}

TEST_CASE("the man page is shown without a warning") {
  CHECK(complaints({"man", "--warnings", "-E", "UTF-8", "-Tutf8", "-l"}) == "");
  CHECK(complaints({"groff", "-mdoc", "-Tutf8", "-ww"}) == "");
  CHECK(complaints({"mandoc", "-T", "lint", "-W", "warning"}) == "");
}
