// One run gives minimum and median of nine repetitions of everything, in random order, so that a busy spell of the
// machine falls on all alike. Whatever the command line says comes later and wins.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "workload.hpp"

int main(int argc, char** argv) {
  std::vector<std::string> words{argv[0], "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=9",
                                 "--benchmark_report_aggregates_only=true", "--benchmark_min_time=0.1"};
  words.insert(words.end(), argv + 1, argv + argc);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  int count = static_cast<int>(arguments.size());

#ifdef __clang__
  benchmark::AddCustomContext("compiler", __VERSION__);
#else
  benchmark::AddCustomContext("compiler", "GCC " __VERSION__);
#endif
  benchmark::AddCustomContext("flags", EVENT_METRICS_BENCH_FLAGS);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  bench::register_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
