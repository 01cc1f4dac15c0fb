-- SPDX-License-Identifier: BSD-2-Clause
-- Sixteen requests in one write.
local depth = 16

init = function(args)
	local r = {}
	for i = 1, depth do
		r[i] = wrk.format("GET")
	end
	batch = table.concat(r)
end

request = function()
	return batch
end
