#!/bin/sh
# check.sh SOURCE_ROOT: the dashboards are JSON, their queries parse, the rules do what tests.yml says, and no name stands
# in them that the library doesn't send. 77, which Meson counts as skipped, where there is no promtool.
set -eu
cd "$1/docs/dashboards"
keys=$1/src/delivery/delivery_keys.cpp
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Every expression of the Grafana dashboard as a recording rule, its variables filled in.
python3 - grafana.json datadog.json >"$scratch/grafana.yml" <<'END'
import json, sys
grafana, datadog = (json.load(open(name, encoding='utf-8')) for name in sys.argv[1:])
queries = [query for widget in datadog['widgets'] for request in widget['definition']['requests']
           for query in request['queries']]
assert queries and all(query['query'] for query in queries)
print('groups:\n  - name: grafana\n    rules:')
for number, expr in enumerate(target['expr'] for panel in grafana['panels'] for target in panel['targets']):
    for variable, value in (('$__rate_interval', '5m'), ('$__range', '6h'), ('$endpoint', '.*')):
        expr = expr.replace(variable, value)
    assert '$' not in expr, expr
    print(f'      - record: panel:{number}\n        expr: {json.dumps(expr)}')
END

unknown=0
# known NAME FILE PATTERN: fails the check when PATTERN isn't in FILE.
known() {
  if ! grep -qE "$3" "$2"; then
    echo "$1 is in no line of $2" >&2
    unknown=1
  fi
}
for name in $(cat grafana.json ./*.yml | grep -oE '[a-z_0-9:]*notification_[a-z_0-9:]+' | sort -u); do
  case $name in
    *:*) known "$name" recording.yml "record: $name\$" ;;
    *) known "$name" "$keys" "\"$(echo "$name" | sed -E 's/(_seconds)_(bucket|sum|count)$/\1/')\"" ;;
  esac
done
for name in $(grep -oE 'notification\.[a-z_.0-9]+' datadog.json | sort -u); do
  known "$name" "$keys" "\"$(echo "$name" | sed -E 's/\.(median|[0-9]+percentile)$//')\""
done
if [ "$unknown" -ne 0 ]; then exit 1; fi

command -v promtool >/dev/null || { echo 'no promtool: install Prometheus'; exit 77; }
promtool check rules recording.yml alerts.yml "$scratch/grafana.yml"
promtool test rules tests.yml
