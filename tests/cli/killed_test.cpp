// SPDX-License-Identifier: MIT
//
// A job is killed with SIGKILL at random instants and resumed until it is done. Each task adds a
// line to a file of its own. OSIISO_KILL_ROUNDS jobs, from OSIISO_SEED.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/files.hpp"
#include "support/process_guard.hpp"

namespace fs = std::filesystem;
using nlohmann::json;
using osiiso::test::osiiso_with;
using osiiso::test::run_osiiso;
using osiiso::test::RunningProgram;

namespace {

constexpr int kTasks = 300;
constexpr int kWorkers = 4;
constexpr auto kLongestRun = std::chrono::milliseconds(400);  // killed at the latest

int number_from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? otherwise : std::atoi(text);
}

/// Of every process, its parent.
std::map<pid_t, pid_t> parents() {
  std::map<pid_t, pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid <= 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const auto end_of_name = stat.rfind(')');
    if (end_of_name == std::string::npos) continue;
    found[pid] = static_cast<pid_t>(std::atoi(stat.c_str() + end_of_name + 4));
  }
  return found;
}

bool is_below_us(pid_t pid, const std::map<pid_t, pid_t>& parents) {
  // Bounded, for the table was not read in one moment.
  for (std::size_t i = 0; i < parents.size(); ++i) {
    const auto found = parents.find(pid);
    if (found == parents.end()) return false;
    if (found->second == ::getpid()) return true;
    pid = found->second;
  }
  return false;
}

/// Kills the program and everything else below this process, which is a subreaper. All is reaped
/// but the program.
void kill_all(pid_t program) {
  ::kill(program, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(program), &info, WEXITED | WNOWAIT);
  for (;;) {
    bool any = false;
    const auto table = parents();
    for (const auto& [pid, parent] : table) {
      if (pid == program || !is_below_us(pid, table)) continue;
      ::kill(pid, SIGKILL);
      any = true;
      if (parent == ::getpid()) ::waitpid(pid, nullptr, 0);
    }
    if (!any) return;
  }
}

class Rounds {
 public:
  Rounds() : random_(static_cast<unsigned>(number_from_environment("OSIISO_SEED", 1))) {}

  void run_one() {
    const osiiso::test::TemporaryFolder folder;
    folder_ = folder.path();
    job_ = make_job();
    lines_.clear();
    done_.clear();
    int kills = 0;
    // At least once, and then every other time.
    while (run_and_kill()) {
      ++kills;
      check_after_kill();
      if (random_() % 2 == 0) break;
    }
    kills_ += kills;
    const auto last = run_osiiso(arguments("run"), job_);
    CHECK(last.exit_code == 0);
    check_after_kill();
    REQUIRE(done_.size() == kTasks);
    const int repeated = total(lines_) - kTasks;
    CHECK(repeated >= 0);
    CHECK(repeated <= kills * kWorkers);
    repeated_ += repeated;
    // Nothing is left to do.
    CHECK(run_osiiso(arguments("run"), job_).exit_code == 0);
    CHECK(total(read_lines()) == total(lines_));
  }

  int kills() const { return kills_; }
  int repeated() const { return repeated_; }

 private:
  using Lines = std::map<std::string, int>;  // by task

  std::string make_job() const {
    std::string job = "name: killed\nqueue: {workers: " + std::to_string(kWorkers) +
                      "}\ngroups:\n  g:\n    command: 'echo . >> " + folder_ +
                      "/{}'\n    inputs: [t0";
    for (int i = 1; i < kTasks; ++i) job += ", t" + std::to_string(i);
    return job + "]\n";
  }

  std::vector<std::string> arguments(const std::string& command) const {
    return {command, "-", "--checkpoint", folder_ + "/checkpoint"};
  }

  /// False where the run was over before it was killed.
  bool run_and_kill() {
    RunningProgram program(osiiso_with(arguments("run"), job_));
    const auto latest = std::chrono::duration_cast<std::chrono::microseconds>(kLongestRun).count();
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::uniform_int_distribution<long>(0, latest)(random_)));
    kill_all(program.pid());
    return program.wait().signal == SIGKILL;
  }

  /// What was recorded before was not repeated, and of what ran since, all is recorded but what
  /// the workers had in hand.
  void check_after_kill() {
    auto lines = read_lines();
    for (const auto& task : done_) REQUIRE(lines[task] == lines_[task]);
    auto done = read_done();
    for (const auto& task : done_) REQUIRE(done.contains(task));
    for (const auto& task : done) REQUIRE(lines[task] > 0);
    const int ran = total(lines) - total(lines_);
    const int recorded = static_cast<int>(done.size() - done_.size());
    CHECK(ran - recorded <= kWorkers);
    lines_ = std::move(lines);
    done_ = std::move(done);
  }

  Lines read_lines() const {
    Lines lines;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('t')) lines[name] = static_cast<int>(entry.file_size() / 2);
    }
    return lines;
  }

  std::set<std::string> read_done() const {
    auto options = arguments("plan");
    options.emplace_back("--json");
    const auto ended = run_osiiso(std::move(options), job_);
    REQUIRE(ended.exit_code == 0);  // it opens
    std::set<std::string> done;
    const auto plan = json::parse(ended.out);
    for (const auto& task : plan["tasks"]) {
      const std::string command = task["command"];
      if (task["why"] == "done") done.insert(command.substr(command.rfind('/') + 1));
    }
    return done;
  }

  static int total(const Lines& lines) {
    int sum = 0;
    for (const auto& [task, count] : lines) sum += count;
    return sum;
  }

  std::mt19937 random_;
  std::string folder_;
  std::string job_;
  Lines lines_;                 // at the end of the last run
  std::set<std::string> done_;  // recorded then
  int kills_ = 0;
  int repeated_ = 0;
};

}  // namespace

TEST_CASE("CHK-1: a job that is killed and resumed repeats nothing that it had recorded") {
  const osiiso::test::ProcessGuard guard;
  Rounds rounds;
  const int count = number_from_environment("OSIISO_KILL_ROUNDS", 10);
  for (int round = 0; round < count; ++round) {
    INFO("round ", round);
    rounds.run_one();
  }
  MESSAGE(count, " jobs of ", kTasks, " tasks, killed ", rounds.kills(),
          " times: ", rounds.repeated(), " attempts repeated");
}

// Whoever is killed closes its files a moment before its children are told, and they are continued
// by that: a program that stopped itself in between would see its tasks die, and go on.
TEST_CASE("nothing is started, and nothing reported, after the group was killed") {
  const osiiso::test::ProcessGuard guard;
  const osiiso::test::TemporaryFolder folder;
  const std::string later = folder.file("later");
  const std::string job = "queue: {workers: 2}\ntasks: [sleep 60, sleep 60, 'echo task >> " +
                          later + "']\nfinally: ['echo finally >> " + later + "']\n";
  for (int round = 0; round < 60; ++round) {
    INFO("round ", round);
    osiiso::test::Invocation killed;
    killed.arguments = {"timeout", "-s", "KILL", "0.1", OSIISO_PROGRAM, "run", "-"};
    killed.input = job;
    CHECK(osiiso::test::run_program(killed).out.empty());
    while (::waitpid(-1, nullptr, 0) > 0) {  // the program, which has lost its parents
    }
    CHECK_FALSE(fs::exists(later));
  }
}
