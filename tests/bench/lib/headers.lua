-- SPDX-License-Identifier: BSD-2-Clause
-- The header lines of the file $BENCH_HEADERS in turn, one in each request.
local requests, n = {}, 0

init = function(args)
	for line in io.lines(os.getenv("BENCH_HEADERS")) do
		local name, value = line:match("^(.-): (.*)$")
		requests[#requests + 1] = wrk.format(nil, nil,
		    { ["Host"] = "localhost", [name] = value })
	end
end

request = function()
	n = n % #requests + 1
	return requests[n]
end
