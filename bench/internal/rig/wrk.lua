function init(args)
  wrk.method = args[1]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("result %d %d %d %d %d", summary.requests,
    e.connect + e.read + e.write + e.timeout + e.status,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
