// Prints every flush as lines of a key and its numbers, and then `flush`.
exports.init = (startup, config, events) => {
  events.on('flush', (timestamp, metrics) => {
    const lines = [];
    const print = (group, numbers) => {
      for (const key in numbers) lines.push(`${group}.${key} ${[].concat(numbers[key]).join(' ')}`);
    };
    print('counters', metrics.counters);
    print('gauges', metrics.gauges);
    print('timers', metrics.timers);
    for (const key in metrics.timer_data) print(`timer_data.${key}`, metrics.timer_data[key]);
    console.log(lines.join('\n') + '\nflush');
  });
  return true;
};
