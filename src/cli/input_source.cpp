// SPDX-License-Identifier: MIT
#include "cli/input_source.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string_view>
#include <utility>

#include "osiiso/error.hpp"

#include "base/poll.hpp"

namespace osiiso::cli {
namespace {

constexpr std::size_t kReadSize = 64UL * 1024;

class ListedInputs final : public InputSource {
 public:
  explicit ListedInputs(const std::vector<std::string>& inputs) : inputs_(inputs) {}

  std::optional<RawInput> next(std::optional<base::Instant> /*deadline*/) override {
    return next_ready();
  }
  std::optional<RawInput> next_ready() override {
    if (is_stopped_ || next_ == inputs_.size()) return {};
    const std::string& input = inputs_[next_++];
    if (input.size() > kLongestInput) return RawInput{.value = {}, .is_too_long = true};
    return RawInput{.value = input};
  }
  void stop() override { is_stopped_ = true; }

 private:
  const std::vector<std::string>& inputs_;
  std::size_t next_ = 0;
  std::atomic<bool> is_stopped_ = false;
};

/// A stream of lines, or of texts that end with NUL. Needs memory for one input, and what one
/// read(2) gives.
class StreamedInputs final : public InputSource {
 public:
  /// `what` it is, to say what cannot be read. The descriptor is used, and closed where it is
  /// owned.
  StreamedInputs(int descriptor, base::Descriptor owned, bool is_nul_separated, std::string what)
      : descriptor_(descriptor),
        owned_(std::move(owned)),
        separator_(is_nul_separated ? '\0' : '\n'),
        what_(std::move(what)),
        stop_(base::make_eventfd()) {}

  std::optional<RawInput> next(std::optional<base::Instant> deadline) override {
    for (;;) {
      if (auto input = next_ready()) return input;
      if (is_stopped_ || is_at_end_ || !wait(deadline)) return {};
      read();
    }
  }
  std::optional<RawInput> next_ready() override {
    if (is_stopped_) return {};
    if (auto input = take_whole()) return input;
    return is_at_end_ ? take_rest() : std::nullopt;
  }
  void stop() override {
    is_stopped_ = true;
    base::wake(stop_);
  }
  bool is_terminal() const override { return ::isatty(descriptor_) == 1; }

 private:
  /// Blank lines are none.
  bool is_one(const RawInput& input) const {
    return separator_ == '\0' || input.is_too_long || !input.value.empty();
  }

  std::optional<RawInput> take_whole() {
    for (;;) {
      const auto end = bytes_.find(separator_, searched_);
      if (end == std::string::npos) {
        keep_unended();
        return {};
      }
      auto input = take(end);
      begin_ = searched_ = end + 1;
      if (is_one(input)) return input;
    }
  }

  std::optional<RawInput> take_rest() {
    if (begin_ == bytes_.size() && !is_too_long_) return {};
    auto input = take(bytes_.size());
    begin_ = searched_ = bytes_.size();
    return input;
  }

  RawInput take(std::size_t end) {
    const bool is_too_long = std::exchange(is_too_long_, false) || end - begin_ > kLongestInput;
    if (is_too_long) return {.value = {}, .is_too_long = true};
    return {.value = bytes_.substr(begin_, end - begin_)};
  }

  /// Forgets what was taken, and what is too long to be of use.
  void keep_unended() {
    bytes_.erase(0, begin_);
    begin_ = 0;
    if (bytes_.size() > kLongestInput) {
      is_too_long_ = true;
      bytes_.clear();
    }
    searched_ = bytes_.size();
  }

  /// False: there will be nothing to read.
  bool wait(std::optional<base::Instant> deadline) const {
    std::array<pollfd, 2> waited{{{.fd = stop_.get(), .events = POLLIN, .revents = 0},
                                  {.fd = descriptor_, .events = POLLIN, .revents = 0}}};
    for (;;) {
      base::poll_until(waited, deadline);
      if (waited[0].revents != 0) return false;
      if (waited[1].revents != 0) return true;
      if (deadline && base::now() >= *deadline) return false;
    }
  }

  void read() {
    std::array<char, kReadSize> piece;
    const auto count = ::read(descriptor_, piece.data(), piece.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count < 0) throw SystemError("cannot read " + what_, errno);
    is_at_end_ = count == 0;
    bytes_.append(piece.data(), static_cast<std::size_t>(count));
  }

  const int descriptor_;
  const base::Descriptor owned_;
  const char separator_;
  const std::string what_;
  const base::Descriptor stop_;
  std::atomic<bool> is_stopped_ = false;
  std::string bytes_;
  std::size_t begin_ = 0;     // of the next input
  std::size_t searched_ = 0;  // there is no separator between the two
  bool is_too_long_ = false;  // the next input, whose beginning was forgotten
  bool is_at_end_ = false;
};

}  // namespace

std::unique_ptr<InputSource> inputs_of(const MapCommand& command) {
  if (command.inputs) return std::make_unique<ListedInputs>(*command.inputs);
  const auto& path = command.input_file;
  if (path.empty() || path == "-") {
    return std::make_unique<StreamedInputs>(STDIN_FILENO, base::Descriptor(),
                                            command.is_nul_separated, "standard input");
  }
  auto file = base::open_for_reading(path);
  const int descriptor = file.get();
  return std::make_unique<StreamedInputs>(descriptor, std::move(file), command.is_nul_separated,
                                          "'" + path + "'");
}

}  // namespace osiiso::cli
