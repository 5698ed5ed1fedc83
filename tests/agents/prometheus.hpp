// agents/prometheus.hpp - a Prometheus that scrapes one page, and its answers.

#pragma once

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "agents/comparison.hpp"
#include "support/loopback.hpp"
#include "support/process.hpp"

namespace agents {

class Prometheus {
 public:
  /// Scrapes /metrics of `port` every second.
  Prometheus(const std::string& program, int port)
      : process_{{program,
                  "--config.file=" + folder_.configure("prometheus/prometheus.yml", {{"PORT", std::to_string(port)}}),
                  "--storage.tsdb.path=" + folder_.path() + "/data",
                  "--web.listen-address=127.0.0.1:" + std::to_string(port_)}} {}

  bool listens() const {
    return support::eventually([this] { return support::http_get(port_, "/-/ready").has_value(); });
  }
  std::string last_words() { return process_.last_words(); }

  /// The first value of the answer; nothing while there is none.
  std::optional<double> answer(const std::string& query) const {
    std::string escaped;
    for (const char c : query) {
      char hexadecimal[4];
      (void)std::snprintf(hexadecimal, sizeof hexadecimal, "%%%02X", static_cast<unsigned char>(c));
      escaped += std::isalnum(static_cast<unsigned char>(c)) != 0 ? std::string{c} : hexadecimal;
    }
    const std::string page = support::http_get(port_, "/api/v1/query?query=" + escaped).value_or("");
    const std::size_t value = page.find("\"value\":[");
    if (value == std::string::npos) return std::nullopt;
    return std::strtod(page.c_str() + page.find(",\"", value) + 2, nullptr);
  }

 private:
  Folder folder_;
  int port_ = support::free_port();
  support::Process process_;
};

}  // namespace agents
