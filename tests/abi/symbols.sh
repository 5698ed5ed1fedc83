#!/bin/sh
# symbols.sh QUESTION LIBRARY: what the shared object exports.
set -eu
exported=$(nm -DC --defined-only "$2" | cut -c 20-)

refuse() {
  if printf '%s\n' "$exported" | grep "$@"; then
    echo "exported, and should not be" >&2
    exit 1
  fi
}

require() {
  for symbol; do
    printf '%s\n' "$exported" | grep -qF "event_metrics::v0::$symbol" || { echo "missing: $symbol" >&2; exit 1; }
  done
}

case $1 in
  own_symbols_only) refuse -vE '^((vtable|typeinfo|typeinfo name) for )?event_metrics::' ;;
  no_boost) refuse -i boost ;;
  public_symbols)
    require 'StatsdEventMetrics::StatsdEventMetrics(' 'StatsdEventMetrics::~StatsdEventMetrics(' \
      'StatsdEventMetrics::record_delivery_success(' 'StatsdEventMetrics::flush(' 'StatsdEventMetrics::poll(' \
      'StatsdEventMetrics::stats(' 'statsd::to_string(' 'statsd::parse_agent(' 'statsd::datadog_from_environment('
    ;;
  prometheus_symbols)
    require 'PrometheusEventMetrics::PrometheusEventMetrics(' 'PrometheusEventMetrics::~PrometheusEventMetrics(' \
      'PrometheusEventMetrics::record_delivery_success(' 'PrometheusEventMetrics::update('
    ;;
esac
