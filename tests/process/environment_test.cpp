// SPDX-License-Identifier: MIT
#include "process/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"

#include "base/stop_state.hpp"
#include "process/running.hpp"

using osiiso::TaskContext;
using osiiso::process::Environment;

namespace {

using namespace std::string_view_literals;

TaskContext context(std::string group_id = {}) {
  TaskContext::Identity who{.run_id = "4e1f",
                            .task_id = "77ab",
                            .name = "fetch it",
                            .group_id = std::move(group_id),
                            .attempt = 2,
                            .max_attempts = 3};
  return {std::move(who), std::make_shared<osiiso::base::StopState>()};
}

Environment environment(const Environment::Overrides& overrides = {},
                        std::string_view variables = {}, const std::string& cwd = {}) {
  return {overrides, variables, cwd, context()};
}

// NOLINTBEGIN(concurrency-mt-unsafe): there is one thread
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};
// NOLINTEND(concurrency-mt-unsafe)

}  // namespace

TEST_CASE("a child has the program's own variables") {
  const Variable variable("OSIISO_TEST", "a=b");
  CHECK(environment().find("OSIISO_TEST") == "a=b");
  CHECK(environment().find("OSIISO_TES") == std::nullopt);
}

TEST_CASE("settings replace and unset variables, the command's own win over both") {
  const Variable variable("OSIISO_TEST", "outer");
  CHECK(environment({{"OSIISO_TEST", "inner"}}).find("OSIISO_TEST") == "inner");
  CHECK(environment({{"OSIISO_TEST", std::nullopt}}).find("OSIISO_TEST") == std::nullopt);
  CHECK(environment({{"OSIISO_TEST", ""}}).find("OSIISO_TEST") == "");
  CHECK(environment({{"OSIISO_TEST", std::nullopt}}, "OSIISO_TEST=1\0OSIISO_TEST=2\0"sv)
            .find("OSIISO_TEST") == "2");

  const Environment replaced = environment({{"OSIISO_TEST", "inner"}});
  CHECK(std::ranges::count_if(replaced.block(), [](std::string_view one) {
          return one.starts_with("OSIISO_TEST=");
        }) == 1);
}

TEST_CASE("a task is told who it is") {
  const Variable outer("OSIISO_GROUP", "outer");
  const Environment alone = environment();
  CHECK(alone.find("OSIISO_RUN_ID") == "4e1f");
  CHECK(alone.find("OSIISO_TASK_ID") == "77ab");
  CHECK(alone.find("OSIISO_TASK") == "fetch it");
  CHECK(alone.find("OSIISO_GROUP") == std::nullopt);
  CHECK(alone.find("OSIISO_ATTEMPT") == "2");
  CHECK(alone.find("OSIISO_MAX_ATTEMPTS") == "3");
  CHECK(Environment({}, {}, {}, context("api")).find("OSIISO_GROUP") == "api");
}

TEST_CASE("the mark names the task, after those of the osiiso around it") {
  CHECK(environment().find("OSIISO_MARK") == "4e1f.77ab");
  const Variable outer("OSIISO_MARK", "r1.t1:r2.t2");
  CHECK(environment().find("OSIISO_MARK") == "r1.t1:r2.t2:4e1f.77ab");
}

TEST_CASE("PWD says where the child is, in a form that shells believe") {
  const std::string here = std::filesystem::current_path();
  CHECK(environment({}, {}, "/usr/lib").find("PWD") == "/usr/lib");
  CHECK(environment({}, {}, "/usr/./lib/").find("PWD") == "/usr/lib");
  CHECK(environment({}, {}, "/").find("PWD") == "/");
  CHECK(environment({}, {}, "sub").find("PWD") == here + "/sub");
  CHECK(environment({}, {}, ".").find("PWD") == here);
  CHECK(environment({}, {}, "/link/../lib").find("PWD") == "/link/../lib");

  const Variable variable("PWD", "/somewhere");
  CHECK(environment().find("PWD") == "/somewhere");
}

TEST_CASE("what cannot be a variable is refused") {
  CHECK_THROWS_AS(environment({{"", "x"}}), osiiso::OptionError);
  CHECK_THROWS_AS(environment({{"A=B", "x"}}), osiiso::OptionError);
  CHECK_THROWS_AS(environment({{"A", std::string("x\0y", 3)}}), osiiso::OptionError);
}
