-- The wrk script of the benchmark. Sends the requests of a file in order and prints the results as one line of JSON.
-- The file contains each request as a line with its length in bytes, followed by its bytes. After the last request, the
-- script starts again with the first; with the argument `once`, it reports that as an error.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  once = args[2] == 'once'
  requests, position, exhausted = {}, 0, 0
  for length in file:lines() do
    table.insert(requests, file:read(tonumber(length)))
  end
  file:close()
end

function request()
  -- wrk calls this once to test the script, and does not send that request.
  if not tried then
    tried = true
    return requests[1]
  end
  position = position + 1
  if position > #requests then
    position = 1
    if once then exhausted = 1 end
  end
  return requests[position]
end

function done(summary, latency)
  local exhausted = 0
  for _, thread in ipairs(threads) do
    exhausted = exhausted + thread:get('exhausted')
  end
  local latencies = {}
  for at = 1, #latency do
    table.insert(latencies, string.format('[%d,%d]', latency(at)))
  end
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"latencies":[%s],"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d,"exhausted":%d}}\n',
    summary.requests, summary.duration, table.concat(latencies, ','),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status, exhausted
  ))
end
