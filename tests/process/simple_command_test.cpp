// SPDX-License-Identifier: MIT
// Which command strings are executed without a shell, and that nobody can tell.
#include "process/simple_command.hpp"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "process/environment.hpp"
#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using process::Environment;

namespace {

using Words = std::vector<std::string>;
using Variables = Environment::Overrides;

Environment environment(const Variables& variables) {
  const TaskContext context(identity(), std::make_shared<base::StopState>());
  return {variables, {}, {}, context};
}

/// The words of what needs no shell; none of what does.
std::optional<Words> words_of(const std::string& text, const Variables& variables = {}) {
  return process::simple_command(text, environment(variables));
}

bool needs_shell(const std::string& text, const Variables& variables = {}) {
  return !words_of(text, variables).has_value();
}

bool is_shell_transparent(const Variables& variables) {
  return process::shell_only_executes(environment(variables), {});
}

bool shell_is_dash() {
  return std::filesystem::canonical("/bin/sh").filename() == "dash";
}

}  // namespace

TEST_CASE("words of harmless characters need no shell") {
  CHECK(words_of("cc -O2 a.c -o /tmp/a_b:c,d@e%f=g") ==
        Words{"cc", "-O2", "a.c", "-o", "/tmp/a_b:c,d@e%f=g"});
  CHECK(words_of("  ls\t-l  \n\n") == Words{"ls", "-l"});
  CHECK(words_of("ls 'a b' \"c d\" '' x'y'\"z\"w") == Words{"ls", "a b", "c d", "", "xyzw"});
  CHECK(words_of("ls '$HOME *' \"a'b\" '\"'") == Words{"ls", "$HOME *", "a'b", "\""});
  CHECK(words_of("ls true if") == Words{"ls", "true", "if"});
  CHECK(words_of("env A=1 ls") == Words{"env", "A=1", "ls"});
}

TEST_CASE("whatever the shell would read as more than a word is for the shell") {
  for (const char* text :
       {"a|b",      "a;b",       "a&",        "a&&b",     "a>b",       "a<b",   "(a)",
        "a $b",     "a `b`",     "a \\b",     "a *",      "a ?",       "a [b]", "a ~",
        "a ~b",     "a #b",      "a\nb",      "a {b,c}",  "a !b",      "a 'b",  "a \"b",
        "a \"$b\"", "a \"`b`\"", "a \"\\b\"", "a 'b\nc'", "a \xc3\xa4"}) {
    CAPTURE(text);
    CHECK(needs_shell(text));
  }
}

TEST_CASE("what is not the name of a program in the first place is for the shell") {
  for (const char* text :
       {"",      "  ",    "A=1",      "A=1 ls", "echo a",  "test a", "[ a ]",    "true",
        "cd /",  ": a",   ". a",      "if a",   "while",   "'if' a", "'echo' a", "'' a",
        "-c ls", "+x ls", "printf a", "kill 1", "exec ls", "'A=1'"}) {
    CAPTURE(text);
    CHECK(needs_shell(text));
  }
  CHECK_FALSE(needs_shell("/bin/echo a"));
}

TEST_CASE("a program that is searched needs a PATH that all read alike") {
  CHECK(needs_shell("ls", {{"PATH", std::nullopt}}));
  CHECK(needs_shell("ls", {{"PATH", ""}}));
  CHECK(needs_shell("ls", {{"PATH", "/bin%func:/usr/bin"}}));
  CHECK_FALSE(needs_shell("/bin/ls", {{"PATH", std::nullopt}}));
}

TEST_CASE("the value of an input is taken as it is") {
  const std::string value = "a 'b' \"c\" $d *\n\xff";
  const Variables variables{{"OSIISO_1", value}};
  CHECK(words_of("ls x\"${OSIISO_1}\"y", variables) == Words{"ls", "x" + value + "y"});
  CHECK(words_of("ls \"a ${OSIISO_1}\"", variables) == Words{"ls", "a " + value});
  CHECK(words_of("\"${OSIISO_1}\" a", {{"OSIISO_1", "/bin/ls"}}) == Words{"/bin/ls", "a"});
  CHECK(needs_shell("\"${OSIISO_1}\" a", {{"OSIISO_1", "echo"}}));
  CHECK(needs_shell("ls ${OSIISO_1}", variables));
  CHECK(needs_shell("ls \"${OSIISO_1:-x}\"", variables));
  CHECK(needs_shell("ls \"${OSIISO_2}\"", variables));
  CHECK(needs_shell("ls \"${HOME}\""));
  CHECK(needs_shell("ls \"${OSIISO_1\"", variables));
}

TEST_CASE("an environment that the shell would change is for the shell") {
  if (!shell_is_dash()) {
    MESSAGE("/bin/sh is not dash: every string goes to it");
    CHECK_FALSE(is_shell_transparent({}));
    return;
  }
  const std::string here = std::filesystem::current_path();
  CHECK(is_shell_transparent({{"PWD", here}}));
  CHECK_FALSE(is_shell_transparent({{"PWD", std::nullopt}}));
  CHECK_FALSE(is_shell_transparent({{"PWD", "/nowhere"}}));
  CHECK_FALSE(is_shell_transparent({{"PWD", "."}}));
  for (const char* name : {"IFS", "OPTIND", "PPID", "LINENO", "a-b", "0a", "a.b"}) {
    CAPTURE(name);
    CHECK_FALSE(is_shell_transparent({{"PWD", here}, {name, "1"}}));
  }
}

namespace {

// What a program sees of itself: its words, its environment, where it is.
constexpr const char* kShow =
    "printf '%s|' \"$@\"; printf '\\n'; env | sort | grep -v '^_='; /bin/pwd; exit $#\n";

/// A folder with programs, and others that cannot be executed.
class Programs {
 public:
  Programs() {
    std::filesystem::create_directories(folder_.file("first"));
    std::filesystem::create_directories(folder_.file("second/shown"));
    std::filesystem::create_directories(folder_.file("first/directory"));
    folder_.write("first/show", std::string("#!/bin/sh\n") + kShow, 0755);
    folder_.write("first/plain", kShow, 0755);
    folder_.write("first/locked", "#!/bin/sh\necho first\n", 0644);
    folder_.write("second/locked", "#!/bin/sh\necho second\n", 0755);
    folder_.write("first/refused", "#!/bin/sh\n", 0644);
    folder_.write("first/lost", "#!/nowhere/interpreter\n", 0755);
    folder_.write("first/empty", "", 0755);
    folder_.write("second/if", "#!/bin/sh\necho never\n", 0755);
    folder_.write("second/-x", "#!/bin/sh\necho dashed\n", 0755);
    folder_.write("here", "#!/bin/sh\necho here\n", 0755);
  }

  CommandSettings settings() const {
    const char* const path = std::getenv("PATH");
    return {.env = {{"PATH", folder_.file("first") + ":" + folder_.file("second") + ":" +
                                 (path != nullptr ? path : "/bin:/usr/bin")},
                    {"PWD", folder_.path()},
                    {"OSIISO_1", "a 'value' of\ttwo  \"words\" * $HOME"}},
            .cwd = folder_.path()};
  }

 private:
  TemporaryFolder folder_;
};

class RandomText {
 public:
  explicit RandomText(unsigned seed) : random_(seed) {}

  std::string next() {
    static const Words kFirst{"show",
                              "plain",
                              "locked",
                              "refused",
                              "lost",
                              "empty",
                              "directory",
                              "shown",
                              "./here",
                              "here",
                              "./gone",
                              "gone",
                              "first/show",
                              "echo",
                              "true",
                              "false",
                              "'show'",
                              "\"plain\"",
                              "sh'ow'",
                              "printf",
                              "test",
                              "[",
                              "if",
                              "\"if\"",
                              "-x",
                              "' '",
                              "''",
                              "A=1",
                              "A=1 show",
                              "/bin/sh",

                              "exit",
                              "cd",
                              ":",
                              "show;",
                              "\"${OSIISO_1}\"",
                              "{",
                              "!",
                              "first/directory",
                              "/",
                              "./first/plain"};
    static const Words kLater{"a",
                              "-n",
                              "--",
                              "'b c'",
                              "\"d  e\"",
                              "''",
                              "x=1",
                              "*",
                              "f?",
                              "~",
                              "~/a",
                              "#c",
                              "a#c",
                              "$HOME",
                              "\"$PWD\"",
                              "$((1+2))",
                              "`pwd`",
                              "$(pwd)",
                              "\\a",
                              "'\\a'",
                              "\"\\a\"",
                              "\"\\$\"",
                              " 2>/dev/null |cat",
                              "&& show",
                              ">/dev/null",
                              "2>&1",
                              "; show",
                              "\n",
                              "\nshow",
                              "{a,b}",
                              "{}",
                              "[a-z]*",
                              "!",
                              "%1",
                              "^",
                              "]",
                              "'",
                              "\"",
                              "3",
                              "+e",
                              "a\\\nb",
                              "\t",
                              "if",
                              "\xc4\x81",
                              "'\xd0\x98 \x7f'",
                              "\x81",
                              "\"${OSIISO_1}\"",
                              "${OSIISO_1}",
                              "x\"y ${OSIISO_1}\"",
                              "'\"${OSIISO_1}\"'",
                              "(",
                              ")",
                              "a=~",
                              "\"$\"",
                              "''''"};
    std::string text = std::string(below(3) == 0 ? 1 : 0, ' ') + pick(kFirst);
    for (unsigned words = below(5); words > 0; --words) {
      text += std::string(below(8) == 0 ? 0 : 1, below(6) == 0 ? '\t' : ' ') + pick(kLater);
    }
    return text += std::string(below(6) == 0 ? 1 : 0, '\n');
  }

 private:
  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }
  const std::string& pick(const Words& words) {
    return words[below(static_cast<unsigned>(words.size()))];
  }

  std::mt19937 random_;
};

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

void check_same(const std::string& text, const CommandSettings& how) {
  CAPTURE(text);
  const Ended ours = run(Command::shell(text, settings(how)));
  const Ended shells = run(Command::argv({"/bin/sh", "-c", text}, settings(how)));
  CHECK(ours.output.stdout_text == shells.output.stdout_text);
  CHECK(ours.output.stderr_text == shells.output.stderr_text);
  CHECK(ours.output.exit_code == shells.output.exit_code);
  CHECK(ours.output.signal == shells.output.signal);
  CHECK(ours.message == shells.message);
}

}  // namespace

TEST_CASE("a string gives what the shell gives for it") {
  const ProcessGuard guard;
  const Programs programs;
  const auto how = programs.settings();
  for (const char* text : {"show a b",
                           "plain a 'b c'",
                           "locked",
                           "refused",
                           "lost",
                           "empty",
                           "directory",
                           "gone a",
                           "./here",
                           "./gone",
                           "first/directory a",
                           "first/refused",
                           "show \"${OSIISO_1}\"",
                           "-x",
                           "/bin/sh -c 'kill -9 $$'",
                           "/bin/sh -c 'echo a >&2; kill -SEGV $$'",
                           "/bin/sh -c 'kill -INT $$'",
                           "/bin/sh -c 'kill -PIPE $$'",
                           "/bin/sh -c 'kill -35 $$'",
                           "setsid show",
                           "show a\n",
                           "if",
                           "sh -c 'exit 7'",
                           "/dev/null",
                           "show/x"}) {
    check_same(text, how);
  }
}

TEST_CASE("random strings give what the shell gives for them") {
  const ProcessGuard guard;
  const Programs programs;
  const auto how = programs.settings();
  const unsigned seed = number_from("OSIISO_SEED", 1);
  CAPTURE(seed);
  RandomText texts(seed);
  const unsigned count = number_from("OSIISO_STRINGS", 200);
  unsigned simple = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::string text = texts.next();
    check_same(text, how);
    if (!needs_shell(text, how.env)) ++simple;
  }
  CHECK(simple > count / 20);
  CHECK(simple < count / 2);
}
