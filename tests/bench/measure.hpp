// SPDX-License-Identifier: MIT
#pragma once

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
};

/// The cost of `work` in a child process of its own. A child that fails ends this program.
Cost measure_function(const std::function<void()>& work);

/// The cost of a program that reads `input` (a file, /dev/null) and writes to /dev/null. The
/// processes that a program starts count as its own here: it may be one of them.
Cost measure_program(const std::vector<std::string>& argv, const std::string& input = "/dev/null");

bool is_installed(const std::string& program);

double median(std::vector<double> values);
/// Half of the distance between the quartiles, as a share of the median.
double noise(std::vector<double> values);

}  // namespace bench
