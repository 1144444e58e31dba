// SPDX-License-Identifier: MIT
#include "cli/program.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <variant>

#include "osiiso/error.hpp"
#include "osiiso/own_process.hpp"
#include "osiiso/process_queue.hpp"

#include "cli/ci.hpp"
#include "cli/commands.hpp"
#include "cli/result_stream.hpp"
#include "cli/signals.hpp"
#include "job/schema.hpp"
#include "process/offspring.hpp"
#include "process/spawn.hpp"
#include "report/event_stream.hpp"

namespace osiiso::cli {
namespace {

/// Where the results of this run go: an osiiso inside a task would write over them.
void hide_targets_from_tasks() {
  for (const char* twin :
       {"OSIISO_CHECKPOINT", "OSIISO_EVENTS", "OSIISO_LOG_DIR", "OSIISO_REPORT"}) {
    ::unsetenv(twin);  // NOLINT(concurrency-mt-unsafe): there is no other thread yet
  }
}

struct Dispatch {
  ExitCode operator()(const RunCommand& command) const {
    begin(command);
    return run(command);
  }
  ExitCode operator()(const MapCommand& command) const {
    begin(command);
    return map(command);
  }
  ExitCode operator()(const CheckCommand& command) const { return check(command); }
  ExitCode operator()(const PlanCommand& command) const {
    own_process({.watch_parent = in_ci()});  // commands of `inputs_from` are processes, too
    return plan(command);
  }
  ExitCode operator()(const ReportCommand& command) const { return report_saved(command); }
  ExitCode operator()(const SchemaCommand& command) const {
    const bool is_job = command.of == SchemaCommand::Of::job;
    return show(is_job ? job::schema() : report::event_schema());
  }
  ExitCode operator()(const CompleteCommand& command) const { return complete(command); }
  ExitCode operator()(const ShowText& shown) const { return show(shown.text); }

 private:
  static void begin(const RunOptions& options) {
    hide_targets_from_tasks();
    streams_are_parents();  // who that is can be seen only now
    own_process({.watch_parent = options.parent_watch || in_ci()});
  }
  static ExitCode show(std::string_view text) {
    ResultStream out;
    out << text;
    return finish_result(out);
  }
};

ExitCode run_guarded(int argc, char** argv) {
  try {
    return std::visit(Dispatch{}, parse_command_line(argc, argv));
  } catch (const UsageError& error) {
    say(error.what());
    return ExitCode::usage;
  } catch (const SystemError& error) {
    say(error.what());
    return ExitCode::own_fault;
  } catch (const std::exception& error) {
    say(std::string("internal error: ") + error.what());
    return ExitCode::own_fault;
  }
}

/// A run needs several descriptors a task. Tasks themselves get the limit that we were given.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  process::set_child_descriptor_limit(limit.rlim_cur);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_program(int argc, char** argv) {
  if (const auto code = worker_main(argc, argv)) return *code;
  fill_standard_descriptors();
  set_dispositions();
  raise_descriptor_limit();
  process::claim_strays();
  return static_cast<int>(run_guarded(argc, argv));
}

}  // namespace osiiso::cli
