-- SPDX-License-Identifier: BSD-2-Clause
-- The pools in turn.
local paths, n = { "/far", "/small" }, 0

request = function()
	n = n + 1
	return wrk.format("GET", paths[n % 2 + 1])
end
