-- SPDX-License-Identifier: BSD-2-Clause
-- Ends after $BENCH_TIMES answers, which all have to be 200.
local left, bad = tonumber(os.getenv("BENCH_TIMES")), 0

response = function(status)
	if status ~= 200 then
		bad = bad + 1
	end
	left = left - 1
	if left == 0 then
		wrk.thread:stop()
	end
end
