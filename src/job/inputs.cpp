// SPDX-License-Identifier: MIT
#include "job/inputs.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include <nlohmann/json.hpp>

#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "base/format.hpp"

namespace osiiso::job {
namespace {

// Takes a JSON text as it is read, so that numbers can keep the form in which they were written.
class JsonInput : public nlohmann::json_sax<nlohmann::json> {
 public:
  Input release() {
    if (depth_ == 0 && !is_container_) return Input::scalar(std::move(values_.front()));
    if (keys_.empty() && !is_object_) {
      const std::vector<std::string_view> values(values_.begin(), values_.end());
      return Input::list(values);
    }
    std::vector<Input::Entry> entries;
    for (std::size_t i = 0; i < keys_.size(); ++i) entries.emplace_back(keys_[i], values_[i]);
    return Input::mapping(entries);
  }

  bool null() override { return take("null"); }
  bool boolean(bool value) override { return take(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return take(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return take(std::to_string(value)); }
  bool number_float(number_float_t, const std::string& text) override { return take(text); }
  bool string(std::string& value) override { return take(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool key(std::string& name) override {
    for (const std::string& earlier : keys_) {
      if (earlier == name) throw Error("the key '" + name + "' is there twice");
    }
    keys_.push_back(std::move(name));
    return true;
  }
  bool start_object(std::size_t) override {
    is_object_ = true;
    return start();
  }
  bool start_array(std::size_t) override { return start(); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    throw Error("it is not JSON");
  }

 private:
  bool take(std::string value) {
    values_.push_back(std::move(value));
    return true;
  }
  bool start() {
    if (++depth_ > 1) throw Error("a value in it is a list or an object itself");
    is_container_ = true;
    return true;
  }
  bool end() {
    --depth_;
    return true;
  }

  std::vector<std::string> keys_;
  std::vector<std::string> values_;
  int depth_ = 0;
  bool is_container_ = false;
  bool is_object_ = false;
};

}  // namespace

void InputSplitter::add(std::string_view bytes, std::vector<Input>& inputs) {
  const char separator = format_ == InputFormat::nul ? '\0' : '\n';
  for (std::size_t end; (end = bytes.find(separator)) != std::string_view::npos;) {
    if (partial_.empty()) {
      take(bytes.substr(0, end), inputs);
    } else {
      partial_.append(bytes.substr(0, end));
      take(std::exchange(partial_, {}), inputs);
    }
    bytes.remove_prefix(end + 1);
  }
  partial_.append(bytes);
}

void InputSplitter::finish(std::vector<Input>& inputs) {
  if (!partial_.empty()) take(std::exchange(partial_, {}), inputs);
}

void InputSplitter::take(std::string_view item, std::vector<Input>& inputs) {
  ++line_;
  try {
    if (format_ == InputFormat::json) {
      if (item.find_first_not_of(" \t\r") != std::string_view::npos) {
        inputs.push_back(input_of_json(item));
      }
    } else if (format_ == InputFormat::nul || !item.empty()) {
      inputs.push_back(Input::scalar(std::string(item)));
    }
  } catch (const Error& error) {
    throw Error(base::format("line {}: {}", line_, error.what()));
  }
}

Input input_of_json(std::string_view text) {
  JsonInput reader;
  if (!nlohmann::json::sax_parse(text, &reader)) throw Error("it is not JSON");
  return reader.release();
}

std::vector<Input> inputs_of_file(const std::string& path, InputFormat format) {
  const base::Descriptor file = base::open_for_reading(path);
  std::vector<Input> inputs;
  InputSplitter splitter(format);
  std::array<char, 1 << 16> piece;
  for (std::size_t all = 0;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError("cannot read '" + path + "'", errno);
    if (got == 0) break;
    all += static_cast<std::size_t>(got);
    if (all > kMostInputBytes) throw Error(base::format("'{}' is larger than 1 GiB", path));
    splitter.add({piece.data(), static_cast<std::size_t>(got)}, inputs);
  }
  splitter.finish(inputs);
  return inputs;
}

}  // namespace osiiso::job
