# SPDX-License-Identifier: BSD-2-Clause
# One SDK header -> mdoc: what is declared, with the comments beside it.

# -- text --

function put(line) {
	print line
}

function escape(s) {
	gsub(/\\/, "\\e", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}

# Running text: one sentence per line, folded.
function put_text(s,    n, i, word, line, last) {
	gsub(/[ \t\n]+/, " ", s)
	n = split(s, word, " ")
	line = ""
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + length(word[i]) > 76) {
			put(escape(line))
			line = ""
		}
		line = line (line == "" ? "" : " ") word[i]
		if (word[i] ~ /[^.][.:?!][)"]?$/ && i < n) {
			put(escape(line))
			line = ""
		}
	}
	if (line != "")
		put(escape(line))
}

function put_literal(s,    n, i, line) {
	put(".Bd -literal -offset indent -compact")
	n = split(s, line, "\n")
	for (i = 1; i <= n; i++)
		if (line[i] != "" || i < n)
			put(escape(line[i]))
	put(".Ed")
}

# A paragraph is shown as it is when its columns mean something.
function put_paragraph(s, first) {
	if (s == "")
		return first
	if (s ~ /(^|\n)[ \t]/ || s ~ /[^.:?! ]  +[^ ]/ || s ~ /\t/) {
		if (!first)
			put(".Pp")
		put_literal(s)
	} else {
		if (!first)
			put(".Pp")
		put_text(s)
	}
	return 0
}

# The text of a comment: without stars, with its inner indentation.
function comment_text(c,    n, i, line, out) {
	sub(/^\/\*[ \t]*/, "", c)
	sub(/[ \t\n]*\*\/$/, "", c)
	n = split(c, line, "\n")
	out = line[1]
	for (i = 2; i <= n; i++) {
		if (sub(/^[ \t]*\* ?/, "", line[i]) == 0)
			sub(/^[ \t]+/, "", line[i])
		sub(/[ \t]+$/, "", line[i])
		out = out "\n" line[i]
	}
	sub(/^\n+/, "", out)
	return out
}

function put_comment(c, first,    n, i, line, para) {
	n = split(comment_text(c), line, "\n")
	para = ""
	for (i = 1; i <= n + 1; i++) {
		if (i <= n && line[i] != "") {
			para = para (para == "" ? "" : "\n") line[i]
			continue
		}
		first = put_paragraph(para, first)
		para = ""
	}
	return first
}

# -- items --

function close_list() {
	if (list)
		put(".El")
	list = 0
}

function open_list() {
	if (!list)
		put(".Bl -tag -width Ds")
	list = 1
}

# The comment above constants: its first sentence is their title, when short.
function put_pending(    body, title, at) {
	if (pending == "")
		return
	close_list()
	body = comment_text(pending)
	at = index(body, ".")
	title = substr(body, 1, at - 1)
	if (at > 0 && at < 40 && title !~ /\n/) {
		put(".Ss " title)
		body = substr(body, at + 1)
		sub(/^[ \n]+/, "", body)
	} else
		put(".Ss Constants")
	if (body != "")
		put_comment("/* " body "*/", 1)
	pending = ""
}

function put_constant(name, value) {
	if (name in seen)
		return
	seen[name] = 1
	open_list()
	sub(/u$/, "", value)
	put(".It Dv " name (value == "" ? "" : " No = " escape(value)))
	item = 1
}

function tidy(s) {
	gsub(/[ \t]*\n[ \t]*/, "\n    ", s)
	gsub(/\t/, " ", s)
	sub(/^[ \n]+/, "", s)
	sub(/[ \n]+$/, "", s)
	return s
}

function put_member(decl,    name) {
	open_list()
	if (match(decl, /\(\*[a-z_0-9]+\)/)) {
		name = substr(decl, RSTART + 2, RLENGTH - 3)
		put(".It Fa " name)
		put_literal(tidy(decl) ";")
	} else
		put(".It Vt \"" tidy(decl) "\"")
	if (pending != "") {
		put_comment(pending, 1)
		pending = ""
	}
	item = 1
}

function begin_struct(name) {
	close_list()
	put(".Ss " name)
	fresh = 1
	if (pending != "") {
		fresh = put_comment(pending, 1)
		pending = ""
	}
}

# -- scanner --

function skip_space(    ws) {
	match(text, /^[ \t\n]*/)
	ws = substr(text, 1, RLENGTH)
	text = substr(text, RLENGTH + 1)
	return ws
}

# Code up to one of the stops, outside of parentheses; the stop is in `stop`.
function take_code(stops,    i, c, depth, n) {
	depth = 0
	n = length(text)
	for (i = 1; i <= n; i++) {
		c = substr(text, i, 1)
		if (c == "(")
			depth++
		else if (c == ")")
			depth--
		else if (depth == 0 && index(stops, c) > 0)
			break
		else if (c == "/" && substr(text, i, 2) == "/*" && depth == 0)
			break
	}
	stop = substr(text, i, 1)
	c = substr(text, 1, i - 1)
	text = substr(text, stop == "/" ? i : i + 1)
	return c
}

function take_directive(    line, at) {
	line = ""
	while ((at = index(text, "\n")) > 0) {
		line = line substr(text, 1, at - 1)
		text = substr(text, at + 1)
		if (line !~ /\\$/)
			break
		sub(/[ \t]*\\$/, " ", line)
	}
	if ((at = index(line, "/*")) > 0) {
		# The comment goes back, to be taken as one behind an item.
		text = substr(line, at) "\n" text
		line = substr(line, 1, at - 1)
		behind = 1
	}
	return line
}

function skip_to(pattern,    at) {
	while (text != "" && (at = index(text, "\n")) > 0) {
		line = substr(text, 1, at - 1)
		text = substr(text, at + 1)
		if (line ~ pattern)
			return
	}
}

function on_directive(line,    name, value) {
	if (line ~ /__cplusplus/) {
		skip_to("^#(else|endif)")
		return
	}
	if (line !~ /^#define[ \t]+HOSTD_/ || line ~ /_H$/)
		return
	sub(/^#define[ \t]+/, "", line)
	put_pending()
	match(line, /^[A-Z0-9_]+(\([^)]*\))?/)
	name = substr(line, 1, RLENGTH)
	value = tidy(substr(line, RLENGTH + 1))
	if (name ~ /\(/ || value !~ /^("[^"]*"|[0-9][0-9a-fA-Fxu]*)$/)
		value = ""
	gsub(/, /, ",\\~", name)
	put_constant(name, value)
}

function on_top(    code, name) {
	code = take_code("{;}")
	if (stop == "{" && code ~ /(^|[ \t\n])enum[ \t]*$/) {
		put_pending()
		where = "enum"
	} else if (stop == "{" && code ~ /struct/ && code !~ /\(/) {
		name = tidy(code)
		sub(/^typedef /, "", name)
		where = "struct"
		if (name == "struct") {
			# Named at its end.
			match(text, /\}[ \t]*[a-z_0-9]+;/)
			name = substr(text, RSTART + 1, RLENGTH - 2)
			sub(/^[ \t]*/, "", name)
		}
		begin_struct(name)
	} else if (stop == "{" && code ~ /\(/) {
		skip_to("^}")
		code = tidy(code)
		sub(/^static inline /, "", code)
		sub(/\n    /, " ", code)
		name = code
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
		close_list()
		put(".Ss " name)
		put_literal(code ";")
		if (pending != "")
			put_comment(pending, 1)
		pending = ""
		fresh = 0
	} else if (stop != "/") {
		pending = ""
	}
}

function on_enum(    code) {
	code = take_code(",}")
	if (tidy(code) != "") {
		name = value = tidy(code)
		sub(/[ \t=].*/, "", name)
		sub(/^[^=]*=?[ \t]*/, "", value)
		put_constant(name, value)
	}
	if (stop == "}") {
		take_code(";")
		where = "top"
	}
}

function on_struct(    code) {
	code = take_code(";}")
	if (stop == "}") {
		take_code(";")
		close_list()
		where = "top"
		pending = ""
	} else if (stop == ";")
		put_member(tidy(code))
}

function on_comment(same_line,    at, c) {
	at = index(text, "*/")
	c = substr(text, 1, at + 1)
	text = substr(text, at + 2)
	if (c ~ /SPDX/)
		return
	if (!intro_done) {
		intro_done = 1
		fresh = put_comment(c, 1)
	} else if (same_line && item)
		put_comment(c, 1)
	else
		pending = c
}

{ whole = whole $0 "\n" }

END {
	text = whole
	name = FILENAME
	sub(/.*\/hostd\//, "hostd/", name)
	put(".Sh " toupper(title))
	put(".In " name)
	put(".Pp")
	where = "top"
	while (text != "") {
		ws = skip_space()
		if (text == "")
			break
		if (substr(text, 1, 2) == "/*") {
			on_comment(behind || ws !~ /\n/)
			behind = 0
		} else if (substr(text, 1, 1) == "#") {
			item = 0
			on_directive(take_directive())
		} else {
			item = 0
			if (where == "enum")
				on_enum()
			else if (where == "struct")
				on_struct()
			else
				on_top()
		}
	}
	close_list()
}
