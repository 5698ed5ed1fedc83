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

case $1 in
  own_symbols_only) refuse -vE '^((vtable|typeinfo|typeinfo name) for )?event_metrics::' ;;
  no_boost) refuse -i boost ;;
  public_symbols)
    for symbol in 'StatsdEventMetrics::StatsdEventMetrics(' 'StatsdEventMetrics::~StatsdEventMetrics(' \
      'StatsdEventMetrics::record_delivery_success(' 'StatsdEventMetrics::flush(' 'StatsdEventMetrics::poll(' \
      'StatsdEventMetrics::stats(' 'statsd::to_string(' 'statsd::parse_agent(' 'statsd::datadog_from_environment('; do
      printf '%s\n' "$exported" | grep -qF "event_metrics::v0::$symbol" || { echo "missing: $symbol" >&2; exit 1; }
    done
    ;;
esac
