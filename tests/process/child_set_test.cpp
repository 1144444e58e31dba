// SPDX-License-Identifier: MIT
#include "process/child_set.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "base/descriptor.hpp"
#include "process/child_loop.hpp"
#include "support/files.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;

namespace {

/// Commands wait for a line of it: `read line <FIFO`.
class Gate {
 public:
  Gate() {
    ::mkfifo(path_.c_str(), 0600);
    // For both, so that neither side waits for the other one to open it.
    fifo_ = base::Descriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  }
  const std::string& path() const { return path_; }
  void let_pass(std::size_t commands) const {
    const std::string lines(commands, '\n');
    REQUIRE(::write(fifo_.get(), lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()));
  }

 private:
  TemporaryFolder folder_;
  std::string path_ = folder_.file("gate");
  base::Descriptor fifo_;
};

/// What a fork() of the host's is: it has copies of all descriptors.
class Copy {
 public:
  Copy() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  ~Copy() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

 private:
  const pid_t pid_;
};

struct Heard {
  std::size_t bytes = 0;
  CommandHooks hooks() {
    return {.on_output = [this](auto&&, auto&&, std::string_view text) { bytes += text.size(); }};
  }
};

}  // namespace

TEST_CASE("what a command prints is heard while it runs, however much it is") {
  const ProcessGuard guard;
  for (const std::size_t size : {std::size_t{4}, std::size_t{300'000}}) {
    for (const char* const stream : {"1", "2"}) {
      CAPTURE(size);
      CAPTURE(stream);
      const Gate gate;
      Heard heard;
      ChildLoop loop(heard.hooks());
      // The second time what is watched has the numbers of what was watched before.
      for (int round = 1; round <= 2; ++round) {
        loop.begin(Command::shell("head -c " + std::to_string(size) + " /dev/zero >&" + stream +
                                  "; read line <" + gate.path()));
        REQUIRE(
            loop.run_until([&] { return heard.bytes == static_cast<std::size_t>(round) * size; }));
        CHECK(loop.children().size() == 1);
        gate.let_pass(1);
        REQUIRE(loop.run_until([&] { return loop.children().empty(); }));
      }
      for (const auto& [i, result] : loop.end()) CHECK(result.output.exit_code == 0);
    }
  }
}

TEST_CASE("commands that close their streams run on, few of them or many") {
  const ProcessGuard guard;
  for (const std::size_t count : {2U, 100U}) {
    CAPTURE(count);
    const Gate gate;
    Heard heard;
    ChildLoop loop(heard.hooks());
    for (std::size_t i = 0; i < count; ++i) {
      loop.begin(Command::shell("printf one; exec >&- 2>&-; read line <" + gate.path()));
    }
    REQUIRE(loop.run_until([&] { return heard.bytes == 3 * count; }));
    CHECK(loop.children().size() == count);
    gate.let_pass(count);
    const auto ended = loop.end();
    REQUIRE(ended.size() == count);
    for (const auto& [i, result] : ended) {
      CHECK(result.output.exit_code == 0);
      CHECK(result.output.stdout_text == "one");
    }
  }
}

TEST_CASE("what a short command leaves behind, its streams in hand, does not delay its end") {
  const ProcessGuard guard;
  ChildLoop loop;
  for (int i = 0; i < 20; ++i) loop.begin(Command::shell("sleep 1000 & echo one"));
  const auto ended = loop.end();
  REQUIRE(ended.size() == 20);
  for (const auto& [i, result] : ended) {
    CHECK(result.output.exit_code == 0);
    CHECK(result.output.stdout_text == "one\n");
    CHECK(result.output.leaked.size() == 1);
  }
}

TEST_CASE("a command that has ended is not heard of again, whoever has copies of its descriptors") {
  const ProcessGuard guard;
  for (const std::string prints : {"", "echo one; "}) {
    CAPTURE(prints);
    const Gate gate;
    Heard heard;
    ChildLoop loop(heard.hooks());
    loop.begin(Command::shell(prints + "read line <" + gate.path()));
    loop.children().complete_starts(0);
    if (!prints.empty()) REQUIRE(loop.run_until([&] { return heard.bytes == 4; }));
    const Copy copy;
    gate.let_pass(1);
    CHECK(loop.end().at(0).output.exit_code == 0);
    CHECK_FALSE(wait_for(loop.children(), base::now()));
  }
}
