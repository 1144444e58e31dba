// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "osiiso/command.hpp"

#include "base/descriptor.hpp"
#include "queue/all_queues.hpp"
#include "support/files.hpp"
#include "support/process_guard.hpp"

using osiiso::Command;
using osiiso::OutputStream;

namespace {

struct Heard {
  std::mutex mutex;
  std::map<std::string, std::string> texts;  // by task, attempt and stream

  osiiso::OutputHook hook() {
    return [this](const osiiso::TaskContext& attempt, OutputStream stream, std::string_view bytes) {
      const std::lock_guard lock(mutex);
      texts[attempt.name() + std::to_string(attempt.attempt()) +
            (stream == OutputStream::out ? "out" : "err")] += bytes;
    };
  }
};

}  // namespace

TEST_CASE_TEMPLATE("on_output hears every byte of each stream of each attempt", Queue,
                   OSIISO_QUEUES) {
  const osiiso::test::ProcessGuard guard;
  Heard heard;
  Queue queue({.workers = 2, .hooks = {.on_output = heard.hook()}});
  queue.submit({.name = "a", .retries = 1},
               Command::shell("echo one; echo two >&2; test $OSIISO_ATTEMPT = 2"));
  queue.submit({.name = "b"}, Command::shell("head -c 1000000 /dev/zero"));
  CHECK(queue.run().ok());
  CHECK(heard.texts.size() == 5);
  for (const char* attempt : {"a1", "a2"}) {
    CHECK(heard.texts[std::string(attempt) + "out"] == "one\n");
    CHECK(heard.texts[std::string(attempt) + "err"] == "two\n");
  }
  CHECK(heard.texts["b1out"] == std::string(1'000'000, '\0'));
}

TEST_CASE_TEMPLATE("on_output hears of what a command prints while it runs", Queue, OSIISO_QUEUES) {
  const osiiso::test::ProcessGuard guard;
  const osiiso::test::TemporaryFolder folder;
  const std::string path = folder.file("answer");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const osiiso::base::Descriptor answer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  std::size_t heard = 0;
  Queue queue({.workers = 1, .hooks = {.on_output = [&](auto&&, auto&&, std::string_view bytes) {
                               heard += bytes.size();
                               if (heard == 4 || heard == 300'004)
                                 CHECK(::write(answer.get(), "\n", 1) == 1);
                             }}});
  queue.submit({.timeout = std::chrono::seconds(60)},
               Command::shell("echo one; read line <" + path + "; head -c 300000 /dev/zero; " +
                              "read line <" + path));
  CHECK(queue.run().ok());
  CHECK(heard == 300'004);
}

TEST_CASE_TEMPLATE("what on_output throws goes to on_error, and the command runs on", Queue,
                   OSIISO_QUEUES) {
  const osiiso::test::ProcessGuard guard;
  int errors = 0;
  Queue queue({.workers = 1,
               .hooks = {.on_output = [](auto&&...) { throw std::runtime_error("no"); },
                         .on_error = [&](const std::exception_ptr&) { ++errors; }}});
  queue.submit(Command::shell("echo one"));
  CHECK(queue.run().ok());
  CHECK(errors == 1);
}
