// SPDX-License-Identifier: MIT
#include "job/placeholders.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace osiiso;
using job::Input;
using job::InputNames;
using job::Template;

namespace {

const std::vector<std::string> kShell = {"/bin/sh", "-c"};

InputNames names_of(const Input& input) {
  InputNames names;
  names.add(input);
  return names;
}

Input mapping(std::vector<Input::Entry> entries) {
  return Input::mapping(entries);
}
Input list(std::vector<std::string_view> values) {
  return Input::list(values);
}

// The one argument that an argv gets for `word`.
std::string filled(const std::string& word, const Input& input, std::size_t number = 1) {
  const InputNames names = names_of(input);
  const Template made = Template::argv({"echo", word}, names);
  const auto mistake = made.check(input);
  return mistake ? "error: " + mistake->text : made.fill(input, number).words().at(1);
}

// The text that a shell gets.
std::string expanded(const std::string& text, const Input& input = Input::scalar("v")) {
  const InputNames names = names_of(input);
  const Template made = Template::shell(text, kShell, names);
  if (!made.mistakes().empty()) return "error: " + made.mistakes().front().text;
  return made.fill(input, 1).words().front();
}

std::string readable(const std::string& text, const Input& input) {
  const InputNames names = names_of(input);
  return Template::shell(text, kShell, names).fill(input, 1).text();
}

std::string variables(const std::string& text, const Input& input, std::size_t number = 1) {
  const InputNames names = names_of(input);
  std::string all(Template::shell(text, kShell, names).fill(input, number).variables());
  for (char& c : all) c = c == '\0' ? '|' : c;
  return all;
}

}  // namespace

TEST_CASE("a scalar fills {} and {1}, its number {#}") {
  const Input input = Input::scalar("a b");
  CHECK(filled("{}", input) == "a b");
  CHECK(filled("<{1}>", input) == "<a b>");
  CHECK(filled("{#}:{}{}", input, 7) == "7:a ba b");
  CHECK(filled("{}", Input::scalar("")).empty());
}

TEST_CASE("a path fills its parts, and {.} and {ext} always add up to it") {
  struct Path {
    const char* whole;
    const char* no_extension;
    const char* base;
    const char* folder;
    const char* stem;
    const char* extension;
  };
  const std::vector<Path> paths = {
      {"a.jpg", "a", "a.jpg", ".", "a", ".jpg"},
      {"dir/b c.tar.gz", "dir/b c.tar", "b c.tar.gz", "dir", "b c.tar", ".gz"},
      {"/x", "/x", "x", "/", "x", ""},
      {"/", "/", "/", "/", "/", ""},
      {"dir.d/file", "dir.d/file", "file", "dir.d", "file", ""},
      {"a/b.c/", "a/b.c/", "b.c", "a", "b", ""},
      {".bashrc", ".bashrc", ".bashrc", ".", ".bashrc", ""},
      {"x/.bash.rc", "x/.bash", ".bash.rc", "x", ".bash", ".rc"},
      {"..", "..", "..", ".", "..", ""},
      {"end.", "end", "end.", ".", "end", "."},
      {"", "", "", ".", "", ""},
      {"a//b", "a//b", "b", "a", "b", ""},
  };
  for (const Path& path : paths) {
    CAPTURE(path.whole);
    const Input input = Input::scalar(path.whole);
    CHECK(filled("{.}", input) == path.no_extension);
    CHECK(filled("{/}", input) == path.base);
    CHECK(filled("{//}", input) == path.folder);
    CHECK(filled("{/.}", input) == path.stem);
    CHECK(filled("{ext}", input) == path.extension);
    CHECK(filled("{.}{ext}", input) == path.whole);
  }
}

TEST_CASE("a list fills {1} {2}, a mapping its keys") {
  CHECK(filled("{2}-{1}", list({"a", "b"})) == "b-a");
  CHECK(filled("{12}", list({"1", "2", "3", "4", "5", "6", "7", "8", "9", "x", "y", "z"})) == "z");
  CHECK(filled("{size}:{name}", mapping({{"name", "a"}, {"size", "9"}})) == "9:a");
  CHECK(filled("{file name}", mapping({{"file name", "a"}})) == "a");
  CHECK(filled("{1}", mapping({{"1", "one"}})) == "one");
  CHECK(filled("{ext}", mapping({{"ext", "e"}})) == "e");
  CHECK(filled("{#}", list({"a"}), 3) == "3");
}

TEST_CASE("what an input cannot fill is an error that names what it can") {
  CHECK(filled("{2}", Input::scalar("a")) ==
        "error: {2} cannot be filled: the input is a single value, which fills {}, {1}, {.}, {/}, "
        "{//}, {/.}, {ext} and {#}");
  CHECK(filled("{3}", list({"a", "b"})) ==
        "error: {3} cannot be filled: the input is a list of 2, which fills {1}, {2} and {#}");
  CHECK(filled("{}", list({"a"})).starts_with("error: {} cannot be filled"));
  CHECK(filled("{/}", mapping({{"a", "b"}})).starts_with("error: {/} cannot be filled"));
  CHECK(filled("{nam}", mapping({{"name", "b"}})) ==
        "error: {nam} cannot be filled: the input is a mapping, which fills {name} and {#}");
}

TEST_CASE("all other braces are left alone") {
  const Input input = Input::scalar("v");
  for (const char* text : {"${HOME}", "${A:-${B}}", "{a,b}", "{ cmd; }", "{1..5}", "{print $1}",
                           "{word}", "{0}", "{01}", "{", "}", "{{", "}}", "{{word}}", "{ }",
                           "$"
                           "{}",
                           "${1}", "{1.}", "{1234567}"}) {
    CAPTURE(text);
    CHECK(filled(text, input) == text);
    const std::string command = std::string("awk '") + text + "'; x";
    CHECK(expanded(command) == command);
  }
  CHECK(expanded("echo ${HOME} ${A:-${B}} {a,b} {1..5}; { cmd; }") ==
        "echo ${HOME} ${A:-${B}} {a,b} {1..5}; { cmd; }");
}

TEST_CASE("doubled braces are a literal where there would be a placeholder") {
  const Input input = Input::scalar("v");
  CHECK(filled("{{}} {{1}} {{#}} {{/.}} {{ext}} {{2}}", input) == "{} {1} {#} {/.} {ext} {2}");
  CHECK(filled("{{name}}", mapping({{"name", "a"}})) == "{name}");
  CHECK(filled("{{{}}}", input) == "{{}}");
  CHECK(expanded("find {} -exec ls {{}} \\;") == "find \"${OSIISO_1}\" -exec ls {} \\;");
  CHECK(expanded("echo `ls {{}}` {}") == "echo `ls {}` \"${OSIISO_1}\"");
}

TEST_CASE("a shell is handed variables, quoted as the place needs it") {
  CHECK(expanded("echo {}") == "echo \"${OSIISO_1}\"");
  CHECK(expanded("echo \"x{}\"") == "echo \"x${OSIISO_1}\"");
  CHECK(expanded("echo 'x{}'") == "echo 'x'\"${OSIISO_1}\"''");
  CHECK(expanded("echo $(ls {} \"{.}\")") == "echo $(ls \"${OSIISO_1}\" \"${OSIISO_1_NO_EXT}\")");
  CHECK(expanded("echo \"$(ls {} \"{}\" '{}')\"") ==
        "echo \"$(ls \"${OSIISO_1}\" \"${OSIISO_1}\" ''\"${OSIISO_1}\"'')\"");
  CHECK(expanded("cat <<E\n{}\nE\n") == "cat <<E\n${OSIISO_1}\nE\n");
  CHECK(variables("{} {.} {/} {//} {/.} {ext} {#}", Input::scalar("d/a.b"), 4) ==
        "OSIISO_1=d/a.b|OSIISO_1_NO_EXT=d/a|OSIISO_1_BASE=a.b|OSIISO_1_FOLDER=d|OSIISO_1_STEM=a|"
        "OSIISO_1_EXT=.b|OSIISO_NUMBER=4|");
  CHECK(variables("{2} {1} {2}", list({"a", "b"})) == "OSIISO_2=b|OSIISO_1=a|");
}

TEST_CASE("a key that no shell would take as a name has a number") {
  const Input input = mapping({{"name", "a"}, {"file name", "b"}, {"1", "c"}});
  CHECK(variables("{name} {file name} {1}", input) ==
        "OSIISO_KEY_name=a|OSIISO_KEY_2=b|OSIISO_KEY_3=c|");
  CHECK(expanded("{file name}", input) == "\"${OSIISO_KEY_1}\"");
}

TEST_CASE("readers see the values, quoted as a person would") {
  const Input input = Input::scalar("it's $5");
  CHECK(readable("echo {}", input) == "echo 'it'\\''s $5'");
  CHECK(readable("echo \"{}\"", input) == "echo \"it's \\$5\"");
  CHECK(readable("echo '{}'", input) == "echo 'it'\\''s $5'");
  CHECK(readable("cat <<E\n{}\nE", input) == "cat <<E\nit's \\$5\nE");
  CHECK(readable("convert {} {.}-small{ext}", Input::scalar("a.jpg")) ==
        "convert a.jpg a-small.jpg");
  CHECK(readable("echo {}", Input::scalar("\xff")).find("\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("only shells that are known are given inputs") {
  const auto refused = [](std::vector<std::string> shell) {
    return !Template::shell("echo {}", shell, {}).mistakes().empty();
  };
  for (const char* shell : {"sh", "/bin/dash", "/usr/local/bin/bash", "ksh", "zsh"}) {
    CHECK(!refused({shell, "-c"}));
  }
  CHECK(!refused({"bash", "-euo", "pipefail", "-c"}));
  for (const char* shell : {"python3", "/usr/bin/fish", "/usr/bin/env", "bashful", ""}) {
    CHECK(refused({shell, "-c"}));
  }
  CHECK(Template::shell("echo {print}", {"fish", "-c"}, {}).mistakes().empty());
}

TEST_CASE("a command without placeholders uses no input") {
  CHECK(!Template::shell("echo {word}", kShell, {}).uses_input());
  CHECK(!Template::shell("echo {{}}", kShell, {}).uses_input());
  CHECK(Template::shell("echo {#}", kShell, {}).uses_input());
  CHECK(!Template::argv({"echo"}, {}).uses_input());
}

TEST_CASE("an input holds no NUL byte") {
  CHECK_THROWS_AS(Input::scalar(std::string("a\0b", 3)), OptionError);
  CHECK_THROWS_AS(list({std::string_view("\0", 1)}), OptionError);
}
