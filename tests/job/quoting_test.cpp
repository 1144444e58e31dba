// SPDX-License-Identifier: MIT
// The promise of inputs: whatever bytes a value has, a shell hands them over unchanged. Real shells
// run real templates here, many in one process: the inputs are the fields of one text.
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "job/placeholders.hpp"
#include "job/reading.hpp"
#include "support/shell_output.hpp"

using namespace osiiso;
using job::Input;
using job::Template;

namespace {

std::string output_of(const std::vector<std::string>& shell, const Command& command) {
  const auto [printed, status] = test::run_in(shell, command);
  CHECK(status == 0);
  return printed;
}

std::string random_value(std::mt19937_64& random) {
  static const std::string kSpecial = "'\"$`\\*?[]{}()<>|&;#!~=- \t\n\r-%^\x01\x7f\xff\xc3\xa9\x80";
  std::string value;
  for (std::size_t left = random() % 12; left > 0; --left) {
    if (random() % 4 != 0) {
      value += kSpecial[random() % kSpecial.size()];
    } else if (random() % 8 == 0) {
      value += "$(echo no)";
    } else {
      value += static_cast<char>(1 + random() % 255);
    }
  }
  return value;
}

std::string without_last_newlines(const std::string& value) {
  std::string text = value;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

struct Form {
  const char* text;  // prints one value, shown as {1}
  std::string (*expected)(const std::string& value);
};

std::string same(const std::string& value) {
  return value;
}
std::string between(const std::string& value) {
  return 'x' + value + 'x';
}
std::string doubled(const std::string& value) {
  return value + value;
}

// Each is used with a value of its own, numbered.
const std::vector<Form> kForms = {
    {"printf '%s' {}", same},
    {"printf '%s' \"x{}x\"", between},
    {"printf '%s' 'x{}x'", between},
    {"printf '%s' x{}x", between},
    {"printf '%s' {}{}", doubled},
    {"printf '%s' '{}'\"{}\"", doubled},
    {"printf '%s' \"$(printf '%s' {})\"", without_last_newlines},
    {"printf '%s' \"$(printf '%s' \"{}\")\"", without_last_newlines},
    {"printf '%s' \"$(printf '%s' \"$(printf '%s' '{}')\")\"", without_last_newlines},
    {"printf '%s' \"$(case x in y) ;; x) printf '%s' {};; esac)\"", without_last_newlines},
    {"(printf '%s' {}) # a comment's {}", same},
    {"v={}; printf '%s' \"$v\"", same},
    {"case {} in {}) printf '%s' {};; *) printf no;; esac", same},
    {"for v in {}; do printf '%s' \"$v\"; done", same},
    {"printf '%s' \"${HOME-}\"{}", same},
    {"cat <<E\nx{}x\nE", [](const std::string& value) { return 'x' + value + "x\n"; }},
    {"cat <<-E\n\tx{}x\n\tE", [](const std::string& value) { return 'x' + value + "x\n"; }},
    {"cat <<A - /dev/null <<B\nno\nA\n'\"{}\"'\nB",
     [](const std::string& value) { return "'\"" + value + "\"'\n"; }},
    {"cat <<E\n$(printf '%s' \"{}\")x\nE",
     [](const std::string& value) { return without_last_newlines(value) + "x\n"; }},
    {"printf '%s' \\\n {} \\\n", same},
    {"printf '%s' \"it's \\\"x\"'\"'{}'`'",
     [](const std::string& value) { return "it's \"x\"" + value + '`'; }},
};

std::string with_number(std::string text, std::size_t number) {
  const std::string replacement = '{' + std::to_string(number) + '}';
  for (std::size_t at = 0; (at = text.find("{}", at)) != std::string::npos;) {
    text.replace(at, 2, replacement);
    at += replacement.size();
  }
  return text;
}

void check_forms(const std::vector<std::string>& shell, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> values;
  std::string text;
  std::string expected;
  for (std::size_t i = 0; i < kForms.size(); ++i) {
    values.push_back(random_value(random));
    text += with_number(kForms[i].text, i + 1) + "\nprintf '|'\n";
    expected += kForms[i].expected(values.back()) + '|';
  }
  const std::vector<std::string_view> views(values.begin(), values.end());
  const Template made = Template::shell(text, shell, {});
  REQUIRE(made.mistakes().empty());
  const Input input = Input::list(views);
  REQUIRE(!made.check(input));
  CAPTURE(seed);
  CAPTURE(shell.front());
  const std::string printed = output_of(shell, made.fill(input, 1));
  CHECK((printed == expected));
  if (printed != expected) {
    std::size_t at = 0;
    while (printed[at] == expected[at]) ++at;
    MESSAGE("printed  ", printed.substr(at < 20 ? 0 : at - 20, 60));
    MESSAGE("expected ", expected.substr(at < 20 ? 0 : at - 20, 60));
  }
}

}  // namespace

TEST_CASE("a shell is given exactly the bytes of the inputs, wherever placeholders stand") {
  for (std::uint64_t seed = 1; seed <= test::cases(60); ++seed) {
    check_forms({"/bin/dash", "-c"}, seed);
    check_forms({"/bin/bash", "-c"}, seed);
  }
}

TEST_CASE("bash is given exactly the bytes in quotes that only it knows") {
  std::mt19937_64 random(7);
  const std::vector<std::string> bash = {"/bin/bash", "-c"};
  const Template made = Template::shell(
      "printf '%s' $'a\\'{}\\x41'; printf '%s' $\"x{}\"; cat <<<{}; [[ {} == {} ]] && echo yes",
      bash, {});
  REQUIRE(made.mistakes().empty());
  for (std::size_t i = 0; i < test::cases(60); ++i) {
    const std::string value = random_value(random);
    const std::string printed = output_of(bash, made.fill(Input::scalar(value), 1));
    CHECK((printed == "a'" + value + "A" + "x" + value + value + "\nyes\n"));
  }
}

TEST_CASE("the readable text, run as it is, does the same") {
  std::mt19937_64 random(11);
  const std::vector<std::string> shell = {"/bin/dash", "-c"};
  const Template made =
      Template::shell("printf '%s' {} \"<{}>\" '<{}>'; cat <<END\n{}\nEND", shell, {});
  for (std::size_t i = 0; i < test::cases(60); ++i) {
    std::string value = random_value(random);
    // Readable text is UTF-8, and a line that ends a here-document cannot be in one.
    std::erase_if(value, [](char c) { return static_cast<unsigned char>(c) >= 0x7f; });
    const Command command = made.fill(Input::scalar(value), 1);
    const Command readable = Command::shell(command.text());
    CHECK((output_of(shell, command) == output_of(shell, readable)));
  }
}

TEST_CASE("an argument list is given exactly the bytes, as one argument or part of one") {
  std::mt19937_64 random(3);
  const Template made = Template::argv({"{}", "a{}b{#}"}, {});
  for (int i = 0; i < 1000; ++i) {
    const std::string value = random_value(random);
    const auto words = made.fill(Input::scalar(value), 4).words();
    CHECK(words == std::vector<std::string>{value, "a" + value + "b4"});
  }
}

TEST_CASE("random shell texts never turn a value into syntax") {
  // The lexer is fed with nonsense. Whatever it makes of it, the text that a shell gets is the
  // same for every value, so that no value can change what the shell reads.
  std::mt19937_64 random(5);
  const std::vector<std::string> tokens = {"{}",   "{{}}", "'",  "\"", "\\", "$",   "$(",   ")",
                                           "(",    "`",    "${", "}",  "<<", "E",   "\n",   " ",
                                           "case", "in",   ";;", ";",  "#",  "$((", "esac", "<<-",
                                           "$'",   "|",    "&",  "x",  "\t", "((",  "))",   "'E'"};
  for (std::size_t i = 0; i < test::cases(3000); ++i) {
    std::string text = "x";
    for (std::size_t left = random() % 40; left > 0; --left)
      text += tokens[random() % tokens.size()];
    for (const char* shell : {"/bin/sh", "/bin/bash", "/bin/zsh"}) {
      const Template made = Template::shell(text, {shell, "-c"}, {});
      if (!made.mistakes().empty()) continue;
      const Command one = made.fill(Input::scalar("a'b\"$(c)`"), 1);
      const Command two = made.fill(Input::scalar(""), 1);
      CHECK((one.words() == two.words()));
    }
  }
}
