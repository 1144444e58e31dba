// SPDX-License-Identifier: MIT
#include "bench/contenders.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "osiiso/command.hpp"
#include "osiiso/thread_queue.hpp"

namespace bench {
namespace {

struct Queue {
  std::string kind;
  int workers = 2;
};

/// `line` once for each task, with its number.
std::string lines(std::size_t tasks, const std::function<std::string(std::size_t)>& line) {
  std::string text;
  for (std::size_t number = 0; number < tasks; ++number) text += line(number);
  return text;
}

// Never as one text: what this process has held counts as the peak memory of what it starts.
void write_job(const std::string& path, const Queue& queue, std::size_t tasks,
               const std::function<std::string(std::size_t)>& command) {
  std::ofstream file(path);
  file << fmt::format("version: 1\nqueue: {{kind: {}, workers: {}}}\ntasks:\n", queue.kind,
                      queue.workers);
  for (std::size_t number = 0; number < tasks; ++number) file << "- " << command(number) << '\n';
  if (!file.flush()) give_up("writing " + path);
}

std::string argv_text(const Workload& workload, std::size_t number) {
  std::string text = "[";
  for (const auto& word : workload.words) text += fmt::format("'{}', ", word);
  return text += fmt::format("'{}']", number);
}

}  // namespace

std::string write_argv_job(const std::string& queue, const Workload& workload, std::size_t tasks,
                           const osiiso::test::TemporaryFolder& folder) {
  const auto job = folder.file(fmt::format("{}-{}-{}.yaml", workload.name, queue, tasks));
  write_job(job, {queue}, tasks, [&](std::size_t number) { return argv_text(workload, number); });
  return job;
}

std::vector<Contender> osiiso_contenders(const std::string& program, const std::string& label,
                                         const Workload& workload, std::size_t tasks,
                                         const osiiso::test::TemporaryFolder& folder) {
  std::vector<Contender> contenders;
  const auto add = [&](const Queue& queue, const std::string& form, const auto& command) {
    const auto name = fmt::format("{}, {} queue, {}", label, queue.kind, form);
    const auto job = folder.file(fmt::format("{}-{}-{}.yaml", workload.name, queue.kind, form));
    write_job(job, queue, tasks, command);
    contenders.push_back({name, [=] { return measure_program({program, "run", job}); }});
  };
  const auto argv = [&](std::size_t number) { return argv_text(workload, number); };
  const auto string = [&](std::size_t number) {
    return fmt::format("'{} {}'", workload.text, number);
  };
  for (const auto& queue : {Queue{"thread"}, Queue{"process"}, Queue{"async"}}) {
    if (!workload.is_shell) add(queue, "argv", argv);
    add(queue, "string", string);
  }
  // One thread starts and ends all commands here: of two, both may have ended before it comes to
  // them, and a processor waits; of four on two processors one always runs.
  add({.kind = "async", .workers = 4}, "string, four at a time", string);
  return contenders;
}

std::vector<Contender> library_contenders(const Workload& workload, std::size_t tasks) {
  if (workload.is_shell) return {};
  const auto run = [=] {
    osiiso::ThreadQueue queue({.workers = 2});
    for (std::size_t number = 0; number < tasks; ++number) {
      auto words = workload.words;
      words.push_back(std::to_string(number));
      queue.submit(osiiso::Command::argv(words));
    }
    if (!queue.run().ok()) std::abort();
  };
  return {{"library, ThreadQueue, argv", [=] { return measure_function(run); }}};
}

std::vector<Contender> peer_contenders(const Workload& workload, std::size_t tasks,
                                       const osiiso::test::TemporaryFolder& folder) {
  const auto numbers =
      folder.write(workload.name + ".numbers",
                   lines(tasks, [](std::size_t number) { return fmt::format("{}\n", number); }));
  const auto commands =
      folder.write(workload.name + ".commands", lines(tasks, [&](std::size_t number) {
                     return fmt::format("{} {}\n", workload.text, number);
                   }));
  const auto makefile = folder.write(
      workload.name + ".mk",
      fmt::format("all: {}\n",
                  lines(tasks, [](auto number) { return fmt::format(" t{}", number); })) +
          lines(tasks, [&](std::size_t number) {
            return fmt::format("t{}: ; @{} {}\n", number, workload.text, number);
          }));
  const auto ninja_file = folder.write(
      workload.name + ".ninja", fmt::format("builddir = {}.d\nrule r\n command = $c\n", numbers) +
                                    lines(tasks, [&](std::size_t number) {
                                      return fmt::format("build t{}: r\n c = {} {}\n", number,
                                                         workload.text, number);
                                    }));

  std::vector<Contender> contenders;
  const auto add = [&](const char* name, std::vector<std::string> argv, const std::string& input) {
    if (!is_installed(argv.front())) return;
    contenders.push_back({name, [=] { return measure_program(argv, input); }});
  };
  if (!workload.is_shell) {
    std::vector<std::string> xargs{"xargs", "-P2", "-n1"};
    xargs.insert(xargs.end(), workload.words.begin(), workload.words.end());
    add("xargs -P2 -n1", xargs, numbers);
  }
  add("make -s -j2", {"make", "-s", "-j2", "-r", "-f", makefile}, "/dev/null");
  add("ninja -j2", {"ninja", "--quiet", "-j2", "-f", ninja_file}, "/dev/null");
  add("xargs -P2 sh -c", {"xargs", "-P2", "-d", "\n", "-I{}", "sh", "-c", "{}"}, commands);
  add("parallel -j2", {"parallel", "-j2"}, commands);
  return contenders;
}

}  // namespace bench
