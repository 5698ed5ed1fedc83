// Any text in the variables of Datadog's clients: refused by its variable's name, or options that are accepted.

#include <fuzzer/FuzzedDataProvider.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "client/options.hpp"
#include "fuzz/fuzz.hpp"

using namespace event_metrics;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array variables{
      "DD_DOGSTATSD_URL=", "DD_AGENT_HOST=", "DD_DOGSTATSD_PORT=", "DD_ENV=", "DD_SERVICE=", "DD_VERSION=", "DD_TAGS="};
  FuzzedDataProvider input{data, size};
  std::array<std::string, variables.size()> texts;
  std::array<char*, variables.size() + 1> environment{};
  for (std::size_t i = 0; i < variables.size(); ++i) {
    texts[i] = variables[i] + input.ConsumeRandomLengthString(200);
    environment[i] = texts[i].data();
  }
  char** const before = environ;
  environ = environment.data();  // setenv() would never free what it copied
  try {
    const statsd::Options options = statsd::datadog_from_environment();
    statsd::check(options);
  } catch (const std::invalid_argument& refusal) {
    fuzz::require(std::string_view{refusal.what()}.starts_with("DD_"), "a refusal names the variable", refusal.what());
  }
  environ = before;
  return 0;
}
