# SPDX-License-Identifier: BSD-2-Clause
# SDK headers -> a C program that prints the layout of every struct and the
# value of every constant in them: what a plugin's binary depends on.
#
#	size struct hostd_host 48
#	member struct hostd_host.log 24 8
#	value HOSTD_E_GONE -3

function trim(s) {
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# What is left of a declaration: ends in ";" and has no comments.
function member(decl,    n, i, part, name) {
	if (match(decl, /\(\*[a-z_0-9]+\)/)) {
		name = substr(decl, RSTART + 2, RLENGTH - 3)
		members[++nmembers] = name
		return
	}
	sub(/;.*/, "", decl)
	n = split(decl, part, ",")
	for (i = 1; i <= n; i++) {
		sub(/\[.*/, "", part[i])
		name = trim(part[i])
		sub(/.*[ \t*]/, "", name)
		# What a macro stands for has a struct of its own.
		if (name !~ /^HOSTD_[A-Z_]+$/)
			members[++nmembers] = name
	}
}

function finish(type,    i) {
	printf "\tprintf(\"size %s %%zu\\n\", sizeof(%s));\n", type, type
	for (i = 1; i <= nmembers; i++)
		printf "\tprintf(\"member %s.%s %%zu %%zu\\n\", " \
		    "offsetof(%s, %s), sizeof(((%s *)0)->%s));\n", type,
		    members[i], type, members[i], type, members[i]
}

BEGIN {
	print "#include <stdio.h>"
	for (i = 1; i < ARGC; i++) {
		name = ARGV[i]
		sub(/.*\/hostd\//, "hostd/", name)
		print "#include <" name ">"
	}
	print "int\nmain(void)\n{"
}

{
	line = $0
	# Comments, which may span lines.
	while (1) {
		if (comment) {
			if ((at = index(line, "*/")) == 0) {
				line = ""
				break
			}
			line = substr(line, at + 2)
			comment = 0
		}
		if ((at = index(line, "/*")) == 0)
			break
		rest = substr(line, at + 2)
		head = substr(line, 1, at - 1)
		if ((end = index(rest, "*/")) > 0)
			line = head " " substr(rest, end + 2)
		else {
			line = head
			comment = 1
			break
		}
	}
	line = trim(line)
}

line ~ /^#define[ \t]+HOSTD_[A-Z0-9_]+[ \t]+("|[0-9])/ {
	split(line, word, /[ \t]+/)
	# These two say which version it is.
	if (word[2] == "HOSTD_ABI_MINOR" || word[2] == "HOSTD_SDK_VERSION")
		next
	if (word[3] ~ /^"/)
		printf "\tprintf(\"value %s \\\"%%s\\\"\\n\", %s);\n", word[2],
		    word[2]
	else
		printf "\tprintf(\"value %s %%lld\\n\", (long long)%s);\n",
		    word[2], word[2]
	next
}

line ~ /^enum \{/ { in_enum = 1; next }
in_enum && line ~ /^\}/ { in_enum = 0; next }
in_enum && match(line, /^HOSTD_[A-Z0-9_]+/) {
	name = substr(line, RSTART, RLENGTH)
	printf "\tprintf(\"value %s %%d\\n\", (int)%s);\n", name, name
	next
}

line ~ /^(typedef )?struct ([a-z_0-9]+ )?\{$/ {
	type = line
	sub(/^typedef /, "", type)
	sub(/ *\{$/, "", type)
	in_struct = 1
	nmembers = 0
	decl = ""
	next
}
in_struct && line ~ /^\}/ {
	in_struct = 0
	if (type == "struct") {
		type = line
		sub(/^\} */, "", type)
		sub(/;.*/, "", type)
	}
	finish(type)
	next
}
in_struct && line != "" {
	decl = decl " " line
	# A function pointer's parameters may have "(" of their own.
	if (line ~ /;$/) {
		member(decl)
		decl = ""
	}
	next
}

END {
	print "\treturn 0;\n}"
}
