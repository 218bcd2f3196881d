-- The same client for the server and for the no-op: raw requests, one machine after another.
-- Arguments: the file of tokens (one a line), the first machine (from 0), the first seq.
local tokens, bodies = {}, {}
local number, seq = 0, 0
local HEAD = "POST /v1/check-ins HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "

function init(args)
  local file, first = args[1], tonumber(args[2])
  seq = tonumber(args[3])
  for line in io.lines(file) do
    local token, digest = line:match("^(%S+) (%S+)$")
    tokens[#tokens + 1] = token
    bodies[#bodies + 1] = '","profile":"' .. digest .. '","seq":'
  end
  number = first
end

function request()
  number = number + 1
  if number > #tokens then
    number = 1
    seq = seq + 1
  end
  local body = '{"agent":"0.1.0","clock":1790000000,"epoch":"0123456789abcdef' .. bodies[number] .. seq .. ',"wire":1}'
  return HEAD .. tokens[number] .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"status_errors":%d,"socket_errors":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
