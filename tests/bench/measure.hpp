// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// What something cost. CPU is user and system time together.
struct Cost {
  double seconds = 0;
  double own_cpu = 0;    ///< seconds of the process itself
  double child_cpu = 0;  ///< seconds of the processes that it waited for
  double peak_bytes = 0;
  double grown_bytes = 0;  ///< of a function: by so much it raised the peak
};

/// Measures seconds from its beginning.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The cost of `work` in a child process of its own. A child that fails ends this program.
Cost measure_function(const std::function<void()>& work);
/// The same; but the seconds are those that `work` returns, and `prepare` comes before, in the same
/// process, and costs nothing.
Cost measure_timed(
    const std::function<double()>& work, const std::function<void()>& prepare = [] {});

/// The cost of a program that reads `input` (a file, /dev/null) and writes to /dev/null. The
/// processes that a program starts count as its own here: it may be one of them.
Cost measure_program(const std::vector<std::string>& argv, const std::string& input = "/dev/null");

/// Starts a program the same way, for who wants to look at it before `wait_for_program`.
pid_t start_program(const std::vector<std::string>& argv, const std::string& input = "/dev/null");
/// The cost of a program that was started; `seconds` are not told. Returns how it ended as `wait4`
/// does.
int wait_for_program(pid_t program, Cost& cost);

/// Says what failed and ends this program.
[[noreturn]] void give_up(const std::string& what);

bool is_installed(const std::string& program);

double median(std::vector<double> values);
/// Half of the distance between the quartiles, as a share of the median.
double noise(std::vector<double> values);

}  // namespace bench
