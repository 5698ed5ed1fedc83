// etsy statsd, for statsd::Agent::etsy with .address = "udp://127.0.0.1:8125"; node stats.js etsy.js
{
  address: "127.0.0.1",
  port: 8125,
  flushInterval: 10000,             // ms; what Graphite keeps the finest (storage-schemas.conf) has to be the same
  percentThreshold: [50, 95, 99],
  deleteGauges: false,              // the active tasks stay between two intervals
  backends: ["./backends/graphite"],
  graphiteHost: "127.0.0.1",
  graphitePort: 2003,
  graphite: {legacyNamespace: false}
}
