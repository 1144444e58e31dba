// SPDX-License-Identifier: MIT
#define DOCTEST_CONFIG_IMPLEMENT
#include "osiiso/process_queue.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "support/process_guard.hpp"
#include "support/program.hpp"

using namespace std::chrono_literals;
using osiiso::Batch;
using osiiso::Command;
using osiiso::ProcessQueue;
using osiiso::Status;
using osiiso::test::eventually;
using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::TemporaryFolder;

namespace {

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};
void to_json(nlohmann::json& json, const Point& point) {
  json = {{"x", point.x}, {"y", point.y}};
}
void from_json(const nlohmann::json& json, Point& point) {
  json.at("x").get_to(point.x);
  json.at("y").get_to(point.y);
}

class OddError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

int add(int a, int b) {
  return a + b;
}
int own_pid() {
  return ::getpid();
}
/// Says where it runs. Who sees the file sees all of it.
void touch(const std::string& path) {
  std::ofstream(path + ".new") << ::getpid();
  ::rename((path + ".new").c_str(), path.c_str());
}
void wait_for_file(const std::string& path) {
  while (::access(path.c_str(), F_OK) != 0) ::usleep(2000);
}
void sleep_deaf() {
  for (;;) ::pause();
}
void sleep_until_stopped(std::stop_token stop) {
  while (!stop.stop_requested()) ::usleep(1000);
}
void announce_and_hang(const std::string& path) {
  touch(path);
  sleep_deaf();
}
/// Appends a byte; returns how many there are.
std::size_t count_up(const std::string& path) {
  std::ofstream(path, std::ios::app) << 'x';
  return read_file(path).size();
}
void raise_default(int signal) {
  ::signal(signal, SIG_DFL);  // a sanitizer has its own opinion of some
  ::raise(signal);
}

int initialized = 0;
void initialize() {
  ++initialized;
}
void initialize_badly() {
  throw OddError("no licence");
}
void initialize_by_dying() {
  std::_Exit(9);
}

int pid_in(const std::string& path) {
  REQUIRE(eventually([&] { return ::access(path.c_str(), F_OK) == 0; }));
  return std::stoi(read_file(path));
}

osiiso::QueueOptions workers(int count) {
  osiiso::QueueOptions options;
  options.workers = count;
  options.grace = 30s;
  return options;
}

std::vector<int> children() {
  std::vector<int> found;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(thread.path() / "children");
    for (int pid = 0; list >> pid;) found.push_back(pid);
  }
  return found;
}

bool is_gone(int pid) {
  // A zombie is gone, too: a test's subreaper collects it later.
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto after_name = status.rfind(") ");
  return after_name == std::string::npos || status[after_name + 2] == 'Z';
}

}  // namespace

TEST_CASE("values and arguments cross with their types") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  auto sum = queue.submit(add, 2, 3);
  auto text = queue.submit([](const std::string& a, const char* b) { return a + b; },
                           std::string("one\0two\xff", 8), "three");
  auto list = queue.submit(
      [](std::vector<double> values) {
        values.push_back(0.1);
        return values;
      },
      std::vector<double>{1e300, -0.0});
  auto point = queue.submit([](Point p) { return Point{p.y, p.x}; }, Point{1, 2});
  auto map = queue.submit([](const std::map<std::string, Point>& m) { return m; },
                          std::map<std::string, Point>{{"a", {3, 4}}});
  auto nothing = queue.submit([] {});
  auto context = queue.submit(
      {.name = "me"},
      [](const osiiso::TaskContext& c, int n) {
        return c.name() + ":" + std::to_string(c.attempt() + n);
      },
      41);
  auto pid = queue.submit(own_pid);
  CHECK(queue.run().ok());

  CHECK(sum.value() == 5);
  CHECK(text.value() == std::string("one\0two\xffthree", 13));
  CHECK(list.value() == std::vector<double>{1e300, -0.0, 0.1});
  CHECK(point.value() == Point{2, 1});
  CHECK(map.value() == std::map<std::string, Point>{{"a", {3, 4}}});
  CHECK_NOTHROW(nothing.value());
  CHECK(context.value() == "me:42");
  CHECK(pid.value() != ::getpid());
}

TEST_CASE("map, group, bind and pmap") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(2));
  const auto handles = queue.map(add, std::vector<std::tuple<int, int>>{{1, 2}, {3, 4}});
  const auto group =
      queue.group({.group_id = "g"}, osiiso::bound(add, 1, 1),
                  osiiso::bound([](std::string s) { return s + "!"; }, std::string("hi")));
  auto plus_one = queue.bind({.name = "plus"}, [](int n) { return n + 1; });
  const auto bound = plus_one(5);
  CHECK(queue.run().ok());
  CHECK(handles[1].value() == 7);
  CHECK(group.values() == std::tuple<int, std::string>(2, "hi!"));
  CHECK(bound.value() == 6);
  CHECK(osiiso::pmap([](int n) { return n * n; }, std::vector<int>{1, 2, 3}, workers(2)) ==
        std::vector<int>{1, 4, 9});
}

TEST_CASE("PRO-2: an exception crosses with its type's name and its text") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto odd = queue.submit([]() -> int { throw OddError("very odd"); });
  const auto number = queue.submit([] { throw 3; });
  queue.run();
  CHECK(odd.result()->message == "very odd");
  CHECK(odd.result()->attempt_list().at(0).cause == osiiso::Cause::error);
  CHECK_THROWS_WITH_AS(odd.value(), "very odd", osiiso::RemoteError);
  try {
    odd.value();
  } catch (const osiiso::RemoteError& error) {
    CHECK(error.type_name().find("OddError") != std::string::npos);
  }
  try {
    number.value();
  } catch (const osiiso::RemoteError& error) {
    CHECK(error.type_name() == "int");
    CHECK(error.what() == std::string("unknown exception"));
  }
}

TEST_CASE("PRO-1: the death of a worker process is the failure of its task alone") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto exits = queue.submit([] { std::exit(3); });
  const auto leaves = queue.submit([] { std::_Exit(0); });
  const auto crashes = queue.submit(raise_default, SIGSEGV);
  const auto works = queue.submit(add, 1, 2);
  queue.run();
  CHECK(exits.result()->message == "worker process died (exit code 3)");
  CHECK(leaves.result()->message == "worker process died (exit code 0)");
  CHECK(crashes.result()->message == "worker process died (SIGSEGV)");
  CHECK(crashes.result()->attempt_list().at(0).cause == osiiso::Cause::worker);
  CHECK_THROWS_AS(crashes.value(), osiiso::WorkerError);
  CHECK(works.value() == 3);
}

TEST_CASE("a crash is retried in a new process") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(1));
  const auto handle = queue.submit(
      {.retries = 2},
      [](const std::string& path) {
        if (count_up(path) < 3) std::_Exit(7);
        return std::string("at last");
      },
      folder.path() + "/count");
  CHECK(queue.run().ok());
  CHECK(handle.value() == "at last");
  const auto result = handle.result();
  CHECK(result->attempts == 3);
  CHECK(result->attempt_list().at(0).message == "worker process died (exit code 7)");
}

TEST_CASE("a worker process serves task after task and run after run") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto first = queue.submit(own_pid);
  const auto second = queue.submit(own_pid);
  queue.run();
  const auto third = queue.submit(own_pid);
  queue.run();
  CHECK(first.value() == second.value());
  CHECK(first.value() == third.value());
}

TEST_CASE("PRO-1: a function that honours its token keeps its worker process") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto before = queue.submit(own_pid);
  const auto stopped = queue.submit({.timeout = 20ms}, sleep_until_stopped);
  const auto after = queue.submit(own_pid);
  queue.run();
  CHECK(stopped.status() == Status::failed);
  CHECK(stopped.result()->message == "task 'task' exceeded 0.02s timeout");
  CHECK(before.value() == after.value());
}

TEST_CASE("cancelling a running function that honours its token") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(1));
  const std::string path = folder.path() + "/started";
  const auto running = queue.submit(
      [](std::stop_token stop, const std::string& started) {
        touch(started);
        sleep_until_stopped(stop);
      },
      path);
  const auto after = queue.submit(own_pid);
  queue.start();
  const int pid = pid_in(path);
  CHECK(running.cancel());
  queue.run();
  CHECK(running.status() == Status::cancelled);
  CHECK(after.value() == pid);
}

TEST_CASE("TMO-2: a deaf function is killed with its worker process after the grace") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto before = queue.submit(own_pid);
  const auto deaf = queue.submit({.timeout = 20ms, .grace = 20ms}, sleep_deaf);
  const auto after = queue.submit(own_pid);
  queue.run();
  CHECK(deaf.result()->message == "task 'task' exceeded 0.02s timeout");
  CHECK(after.status() == Status::succeeded);
  CHECK(before.value() != after.value());
  CHECK(is_gone(before.value()));
}

TEST_CASE("what a killed function started is killed with it") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(1));
  const auto deaf =
      queue.submit({.timeout = 50ms, .grace = 0ms}, [] { (void)std::system("sleep 1000; true"); });
  queue.run();
  CHECK(deaf.status() == Status::failed);
}

TEST_CASE("the initializer is called once in each worker process") {
  const ProcessGuard guard;
  auto options = workers(2);
  options.initializer = initialize;
  ProcessQueue queue(options);
  const auto handles = queue.map([](int) { return initialized; }, std::vector<int>(20, 0));
  CHECK(queue.run().ok());
  for (const auto& handle : handles) CHECK(handle.value() == 1);
  CHECK(initialized == 0);
}

TEST_CASE("WRK-2: an initializer that fails ends the run") {
  const ProcessGuard guard;
  auto options = workers(2);
  options.initializer = initialize_badly;
  ProcessQueue queue(options);
  const auto handle = queue.submit(own_pid);
  CHECK_THROWS_WITH_AS(queue.run(), "no licence", osiiso::RemoteError);
  CHECK(handle.status() == Status::cancelled);
}

TEST_CASE("worker processes that die again and again before they can work end the run") {
  const ProcessGuard guard;
  auto options = workers(1);
  options.initializer = initialize_by_dying;
  ProcessQueue queue(options);
  queue.submit(own_pid);
  CHECK_THROWS_WITH_AS(queue.run(),
                       "no worker process can be started: worker process died (exit code 9)",
                       osiiso::WorkerError);
}

TEST_CASE("an initializer that cannot cross is refused") {
  auto options = workers(1);
  int count = 0;
  options.initializer = [&count] { ++count; };
  CHECK_THROWS_WITH_AS(ProcessQueue{options},
                       "initializer of a process queue must be a plain function",
                       osiiso::OptionError);
}

TEST_CASE("PRO-3: megabytes of arguments and values") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(2));
  const std::string text(10'000'000, 'x');
  const auto there = queue.submit([](const std::string& s) { return s.size(); }, text);
  const auto back = queue.submit([](std::size_t n) { return std::string(n, 'y'); }, text.size());
  CHECK(queue.run().ok());
  CHECK(there.value() == text.size());
  CHECK(back.value().size() == text.size());
}

TEST_CASE("PRO-3: sending to a worker process that does not read can time out") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto pid = queue.submit(own_pid);
  queue.run();
  ::kill(pid.value(), SIGSTOP);
  const auto stuck = queue.submit(
      {.timeout = 50ms, .grace = 0ms}, [](const std::string& s) { return s.size(); },
      std::string(10'000'000, 'x'));
  const auto after = queue.submit(own_pid);
  queue.run();
  CHECK(stuck.result()->message == "task 'task' exceeded 0.05s timeout");
  CHECK(after.value() != pid.value());
}

TEST_CASE("kill -9 of a worker process in the middle of its task") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(2));
  const std::string path = folder.path() + "/pid";
  const auto hit = queue.submit(announce_and_hang, path);
  const auto other = queue.submit(add, 1, 1);
  queue.start();
  ::kill(pid_in(path), SIGKILL);
  const auto summary = queue.run();
  CHECK(summary.failed == 1);
  CHECK(hit.result()->message == "worker process died (SIGKILL)");
  CHECK(other.value() == 2);
}

TEST_CASE("kill -9 of an idle worker process harms no task") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  int last = 0;
  for (int round = 0; round < 10; ++round) {
    const auto pid = queue.submit(own_pid);
    CHECK(queue.run().ok());
    CHECK(pid.value() != last);
    last = pid.value();
    ::kill(last, SIGKILL);
  }
}

TEST_CASE("kill -9 of worker processes as soon as they are seen") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(2));
  // Most die while they start, as what replaces one that died before. Four in a row would be the
  // end of the run.
  std::thread hunter([] {
    std::set<int> shot;
    eventually([&] {
      for (const int pid : children()) {
        if (shot.size() < 3 && shot.insert(pid).second) ::kill(pid, SIGKILL);
      }
      return shot.size() == 3;
    });
  });
  const auto handles = queue.map(
      {.retries = 3}, [](int n) { return n; }, std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(queue.run().ok());
  // A quick run may be over before: then it goes on with what comes to replace the shot ones.
  std::atomic<bool> is_over = false;
  std::thread user([&] {
    while (!is_over) {
      queue.submit({.retries = 3}, own_pid);
      CHECK(queue.run().ok());
    }
  });
  hunter.join();
  is_over = true;
  user.join();
  for (int n = 0; n < 8; ++n) CHECK(handles[static_cast<std::size_t>(n)].value() == n);
}

TEST_CASE("commands run in worker processes with the same results") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(2));
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->env = {{"A", "1"}, {"HOME", std::nullopt}};
  settings->stdin_text = "in\xff";
  settings->ok_codes = {0, 4};
  auto with_variable = Command::shell("cat; printf \"$A$B${HOME-none}\" >&2; exit 4", settings);
  with_variable.with_variable("B", "2=3");
  const auto good = queue.submit(std::move(with_variable));
  const auto bad =
      queue.submit({.retries = 1}, Command::shell("echo oops >&2; exit $OSIISO_ATTEMPT"));
  const auto absent = queue.submit(Command::argv({"/no/such/program"}));
  const auto ids =
      queue.submit({.name = "who"}, Command::shell("printf \"$OSIISO_TASK_ID $OSIISO_TASK\""));
  queue.run();
  CHECK(good.value().stdout_text == "in\xff");
  CHECK(good.value().stderr_text == "12=3none");
  CHECK(good.value().exit_code == 4);
  CHECK(bad.result()->message == "oops");
  CHECK(bad.result()->attempt_list().at(1).exit_code == 2);
  CHECK(bad.result()->attempt_list().at(1).cause == osiiso::Cause::exit);
  CHECK(absent.result()->attempt_list().at(0).cause == osiiso::Cause::spawn);
  CHECK(absent.result()->message == "cannot run '/no/such/program': No such file or directory");
  CHECK(ids.value().stdout_text == ids.task_id() + " who");
}

TEST_CASE("a command that times out leaves nothing and keeps the worker process") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  const auto before = queue.submit(own_pid);
  const auto slow = queue.submit({.timeout = 50ms}, Command::shell("sleep 1000 & sleep 1000"));
  const auto after = queue.submit(own_pid);
  queue.run();
  CHECK(slow.result()->message.find("exceeded 0.05s timeout") != std::string::npos);
  CHECK(slow.result()->output != nullptr);
  CHECK(before.value() == after.value());
}

TEST_CASE("kill -9 of a worker process takes its command along") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(1));
  const std::string path = folder.path() + "/pid";
  const auto hit = queue.submit(Command::shell("sleep 1000 & echo $PPID > " + path + ".new; mv " +
                                               path + ".new " + path + "; sleep 1000"));
  queue.start();
  ::kill(pid_in(path), SIGKILL);
  queue.run();
  CHECK(hit.result()->message == "worker process died (SIGKILL)");
  // The orphans are this test's now. They are dead, so nothing is waited for.
  queue.shutdown();
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

TEST_CASE("what a command left behind on purpose lives until the run ends") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(1));
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->leak = osiiso::Leak::keep;
  const std::string path = folder.path() + "/pid";
  queue.submit(Command::shell("sleep 1000 & echo $! > " + path, settings));
  const auto alive = queue.submit(
      {.priority = 4},
      [](const std::string& file) { return ::kill(std::stoi(read_file(file)), 0) == 0; }, path);
  CHECK(queue.run().ok());
  CHECK(alive.value());
  CHECK(is_gone(std::stoi(read_file(path))));
}

TEST_CASE("fail_first cancels what runs, and spares must_complete") {
  const ProcessGuard guard;
  auto options = workers(3);
  options.fail_policy = osiiso::FailPolicy::fail_first;
  ProcessQueue queue(options);
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/running";
  const auto running = queue.submit(
      [](std::stop_token stop, const std::string& file) {
        touch(file);
        sleep_until_stopped(stop);
      },
      path);
  const auto bad = queue.submit(
      [](const std::string& file) {
        wait_for_file(file);
        throw OddError("bad");
      },
      path);
  const auto spared =
      queue.submit({.priority = 9, .must_complete = true, .delay = 20ms}, add, 1, 1);
  const auto summary = queue.run();
  CHECK(bad.status() == Status::failed);
  CHECK(running.status() == Status::cancelled);
  CHECK(spared.value() == 2);
  CHECK(summary.cancelled == 1);
}

TEST_CASE("a forced shutdown kills deaf functions at once") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ProcessQueue queue(workers(1));
  const std::string path = folder.path() + "/pid";
  const auto deaf = queue.submit(announce_and_hang, path);
  queue.start();
  const int pid = pid_in(path);
  queue.shutdown(true);
  CHECK(deaf.status() == Status::cancelled);
  CHECK(is_gone(pid));
}

TEST_CASE("PRO-2: callables that hold something are refused by the compiler") {
  const auto captureless = [] {};
  int value = 0;
  const auto capturing = [&value] { ++value; };
  capturing();
  static_assert(osiiso::RemoteCallable<decltype(captureless)> ||
                osiiso::RemoteCallable<std::decay_t<decltype(captureless)>>);
  static_assert(!osiiso::RemoteCallable<std::decay_t<decltype(capturing)>>);
  static_assert(osiiso::RemoteCallable<int (*)(int, int)>);
  static_assert(osiiso::RemoteCallable<std::plus<int>>);
  static_assert(!osiiso::RemoteCallable<std::function<void()>>);
  static_assert(osiiso::Serialisable<Point>);
  static_assert(!osiiso::Serialisable<int*>);
  static_assert(!osiiso::Serialisable<std::unique_ptr<int>>);
  static_assert(!osiiso::Serialisable<std::thread>);
  CHECK(value == 1);
}

TEST_CASE("PRO-2: an address outside the program's image is refused") {
  // NOLINTNEXTLINE
  const auto function = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "abs"));
  REQUIRE(static_cast<bool>(function));
  ProcessQueue queue(workers(1));
  CHECK_THROWS_WITH_AS(queue.submit(function, -1),
                       "a process queue cannot call a function that is not in the program itself "
                       "but in a shared library",
                       osiiso::Error);
  int (*const null)(int, int) = nullptr;
  CHECK_THROWS_WITH_AS(queue.submit(null, 1, 2), "a task needs something to call",
                       osiiso::OptionError);
}

TEST_CASE("a batch takes remote calls and commands, nothing else") {
  const ProcessGuard guard;
  ProcessQueue queue(workers(1));
  Batch good;
  good.add({.name = "sum"}, osiiso::remote_call(add, 1, 2));
  good.add({}, Command::shell("true"));
  const auto handles = queue.submit(std::move(good));
  CHECK(queue.run().ok());
  CHECK(std::any_cast<int>(handles[0].result()->value) == 3);

  Batch bad;
  bad.add({}, [] { return 1; });
  CHECK_THROWS_WITH_AS(queue.submit(std::move(bad)),
                       "a process queue takes commands and osiiso::remote_call(...): another "
                       "callable cannot cross to a worker process",
                       osiiso::OptionError);
}

TEST_CASE("a remote call is a callable of this process, too") {
  const osiiso::TaskBody body = osiiso::remote_call(add, 20, 22);
  CHECK(body.target<osiiso::RemoteCall>() != nullptr);
}

TEST_CASE("PRO-3: worker processes and their commands end with a program that is killed") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  osiiso::test::RunningProgram program(
      {.arguments = {"/proc/self/exe", "run-until-killed", folder.path()}});
  const int in_function = pid_in(folder.path() + "/function");
  const int in_command = pid_in(folder.path() + "/command");
  program.send(SIGKILL);
  CHECK(program.wait().signal == SIGKILL);
  CHECK(eventually([&] { return is_gone(in_function) && is_gone(in_command); }));
  // Orphans of the program are this test's now; they lead sessions, and some are only about to end.
  eventually([] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return errno == ECHILD;
  });
}

TEST_CASE("a program that did not call worker_main is told so") {
  const auto ended = osiiso::test::run_program({.arguments = {"/proc/self/exe", "forgetful"}});
  CHECK(ended.out == "osiiso::worker_main() must be called first in main()\n");
  CHECK(ended.exit_code == 0);
}

namespace {

/// A program whose queue never comes to an end.
int run_until_killed(const std::string& folder) {
  ProcessQueue queue(workers(3));
  queue.submit(announce_and_hang, folder + "/function");
  queue.submit(Command::shell("echo $$ > " + folder + "/new; mv " + folder + "/new " + folder +
                              "/command; sleep 1000 & sleep 1000"));
  queue.run();
  return 0;
}

int forget_worker_main() {
  try {
    const ProcessQueue queue(workers(1));
  } catch (const osiiso::StateError& error) {
    std::puts(error.what());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "forgetful") return forget_worker_main();
  if (const auto code = osiiso::worker_main(argc, argv)) return *code;
  if (first == "run-until-killed") return run_until_killed(argv[2]);
  return doctest::Context(argc, argv).run();
}
