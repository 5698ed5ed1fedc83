// agents/collectd.hpp - collectd, started with tests/agents/collectd/collectd.conf.in.

#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "agents/comparison.hpp"
#include "support/loopback.hpp"
#include "support/process.hpp"

namespace agents {

class Collectd {
 public:
  explicit Collectd(const std::string& program)
      : process_{{program, "-f", "-C",
                  folder_.configure("collectd/collectd.conf", {{"FOLDER", folder_.path()},
                                                               {"PORT", std::to_string(port_)},
                                                               {"HTTP_PORT", std::to_string(http_port_)}})}} {}

  bool listens() const {
    return support::eventually([this] { return support::udp_socket(port_).has_value(); });
  }
  int port() const { return port_; }
  int http_port() const { return http_port_; }
  std::string last_words() { return process_.last_words(); }

  /// What the csv plugin has written of a number, one value per interval; `nan` where the interval had none.
  std::vector<double> values(const std::string& number) const {
    std::set<std::filesystem::path> files;  // one per day
    std::error_code none_yet;
    for (const auto& file : std::filesystem::directory_iterator{folder_.path() + "/test/statsd", none_yet}) {
      const std::string name = file.path().filename().string();
      if (name.substr(0, name.size() - std::string{"-2000-01-01"}.size()) == number) files.insert(file.path());
    }
    std::vector<double> values;
    for (const std::filesystem::path& file : files) {
      std::ifstream lines{file};
      std::string line;
      std::getline(lines, line);
      while (std::getline(lines, line) && !lines.eof()) values.push_back(std::stod(line.substr(line.find(',') + 1)));
    }
    return values;
  }
  double last(const std::string& number) const {
    const std::vector<double> all = values(number);
    return all.empty() ? 0 : all.back();
  }
  double sum(const std::string& number) const {
    double sum = 0;
    for (const double value : values(number)) sum += std::isnan(value) ? 0 : value;
    return sum;
  }

 private:
  Folder folder_;
  int port_ = support::free_port();
  int http_port_ = support::free_port();
  support::Process process_;
};

}  // namespace agents
