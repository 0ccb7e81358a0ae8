// The conversations and snippets that templates.mjs renders.

const system = {role: "system", content: "You are a helpful assistant."};
const user = {role: "user", content: "Hello, how are you?"};
const assistant = {role: "assistant", content: "I'm fine. \"Thanks\" & you?"};
const hard = {role: "user", content: "  안녕하세요 😀 <b>\"it's\"</b> & more\n\n\tSecond line\\ {{ not }} {% code %} <|im_end|>\n"};
const parameters = {
    type: "object",
    properties: {
        location: {type: "string", description: "The city, e.g. \"Paris\" or 서울", enum: ["Paris", "서울"]},
        days: {type: "integer", description: "How many <days>", default: 3, minimum: 1},
        units: {type: ["string", "null"], description: "it's optional"},
        options: {type: "object", properties: {deep: {type: "array", items: {type: "number"}}, flag: {type: "boolean"}}, required: ["deep"]},
    },
    required: ["location"],
};
const weather = {type: "function", function: {name: "get_weather", description: "Get the weather.\nOf a city.", parameters}};
const time = {type: "function", function: {name: "get_time", description: "Tells the time", parameters: {type: "object", properties: {}}}};
const tools = [weather, time];
const call = (args, extra = {}) => ({
    role: "assistant", content: "", tool_calls: [{id: "call_0001", type: "function", function: {name: "get_weather", arguments: args}}], ...extra,
});
const args = {location: "서울 \"x\"", days: 2, options: {deep: [1, 2.5], flag: true}, none: null};
const result = {role: "tool", name: "get_weather", tool_call_id: "call_0001", content: "{\"temperature\": 21.5}"};
const id9 = (message) => JSON.parse(JSON.stringify(message).replaceAll("call_0001", "abcDEF123"));
const base = {bos_token: "<s>", eos_token: "</s>", pad_token: "<pad>", unk_token: "<unk>", add_generation_prompt: true};
const both = (name, values) => ({
    [name]: {...base, ...values},
    [`${name}, no prompt`]: {...base, ...values, add_generation_prompt: false},
});

export const cases = {
    ...both("user", {messages: [user]}),
    ...both("system", {messages: [system, user]}),
    ...both("turns", {messages: [system, user, assistant, {role: "user", content: "And now?"}]}),
    ...both("ends with the assistant", {messages: [user, assistant]}),
    ...both("hard text", {messages: [{role: "system", content: " 시스템 <&> "}, hard, {role: "assistant", content: "\n네! 🎉\n"}, hard]}),
    ...both("tools", {messages: [system, user], tools}),
    ...both("tools without a system", {messages: [user], tools: [weather]}),
    ...both("call with an object", {messages: [system, user, call(args), result], tools}),
    ...both("call with a string", {messages: [system, user, call(JSON.stringify(args)), result], tools}),
    ...both("call with an id of nine", {messages: [user, call(args), result, assistant, user].map(id9), tools}),
    ...both("call with a string and an id of nine", {messages: [user, call(JSON.stringify(args)), result].map(id9), tools}),
    ...both("call with a text", {messages: [user, call({location: "Paris"}, {content: "Let me see."}), result, assistant, user], tools}),
    ...both("call with null", {messages: [user, call({location: "Paris"}, {content: null}), result], tools}),
    ...both("two calls", {messages: [user, {role: "assistant", content: "", tool_calls: [
        {id: "a00000001", type: "function", function: {name: "get_weather", arguments: {location: "Paris"}}},
        {id: "a00000002", type: "function", function: {name: "get_time", arguments: {}}},
    ]}, {...result, tool_call_id: "a00000001"}, {role: "tool", name: "get_time", tool_call_id: "a00000002", content: "12:00"}], tools}),
    ...both("calls without tools", {messages: [user, call(args), result]}),
    ...both("reasoning", {messages: [user, {...assistant, reasoning_content: "They ask.\nI answer."}, user]}),
    ...both("reasoning and calls", {messages: [system, user, call(args, {reasoning_content: "Use the tool."}), result], tools}),
    ...both("reasoning in the text", {messages: [user, {role: "assistant", content: "<think>\nHm.\n</think>\n\nYes."}, user]}),
    ...both("thinking", {messages: [system, user], enable_thinking: true, thinking: true}),
    ...both("no thinking", {messages: [system, user, assistant, user], enable_thinking: false, thinking: false}),
    ...both("no thinking, tools", {messages: [user, call(args), result], tools, enable_thinking: false}),
    ...both("documents", {messages: [system, user], documents: [{title: "One", text: "First <doc>"}, {title: "둘", text: "Second\ndoc"}]}),
    ...both("parts", {messages: [{role: "system", content: [{type: "text", text: "Be brief."}]}, {role: "user", content: [
        {type: "text", text: "What is "}, {type: "text", text: "this?"}]}]}),
    ...both("parts with an image", {messages: [{role: "user", content: [{type: "image"}, {type: "text", text: "What is this?"}]}]}),
    ...both("developer", {messages: [{role: "developer", content: "Be brief."}, user]}),
    ...both("unknown role", {messages: [{role: "stranger", content: "?"}, user]}),
    ...both("two users", {messages: [user, user]}),
    ...both("two systems", {messages: [system, user, assistant, system, user]}),
    ...both("no messages", {messages: []}),
    ...both("empty texts", {messages: [{role: "system", content: ""}, {role: "user", content: ""}, {role: "assistant", content: ""}]}),
    ...both("null content", {messages: [user, {role: "assistant", content: null}]}),
    ...both("tools null", {messages: [system, user], tools: null, documents: null}),
    ...both("tools empty", {messages: [system, user], tools: []}),
    "no tokens": {messages: [system, user]},
    "date given": {...base, messages: [system, user], date_string: "26 Jul 2024", current_date: "2024-07-26", reasoning_effort: "high"},
    "tools in the user's message": {...base, messages: [user, call(args), result, user], tools, tools_in_user_message: false},
    "custom tools": {...base, messages: [system, user], tools, custom_tools: [weather]},
    "continued": {...base, messages: [user, assistant], add_generation_prompt: false, continue_final_message: true},
};

export const variables = {
    n: 7, f: 2.5, zero: 0, minus: -3, s: "Hello World", text: "  padded\ttext \n", empty: "", ko: "한국어 😀 é", html: "<a href=\"x\">it's & so</a>",
    t: true, no: false, nil: null, list: [3, 1, 2], words: ["pear", "Apple", "fig"], nested: [[1, 2], [3, [4]]], blank: [], none_map: {},
    map: {b: 2, a: "x", C: [1, null, true], "d e": {k: "v"}, items_: 1},
    people: [{name: "Ann", age: 30, on: true, in: {city: "Rome"}}, {name: "bob", age: 25, on: false, in: {city: "Oslo"}}, {name: "Cy", age: 30, in: {}}],
    messages: [{role: "system", content: "S"}, {role: "user", content: "U"}, {role: "assistant", content: "A"}],
    lines: "one\ntwo\n\nthree", csv: "a,b,,c", think: "<think>\nwhy\n</think>\n\nanswer", big: 123456789012, tiny: 1e-7, quote: "say \"hi\" \\ /\b\f\n\r\t\u0001\u007f\u2028",
};

const expressions = `
1|1.0|0.1|-1|- 1|+3|1e|2.50|007|n|f|minus|big|tiny|1.0 / 3|10 / 4|10 / 5|7 // 2|-7 // 2|7 % 3|-7 % 3|7.5 // 2|7.5 % 2|2 ** 3|2 ** 0.5|2 ** -1|2 ** 3 ** 2|-2 ** 2|-n ** 2|n * -1|n - -1|n-1|n -1|n+ 1|1 + 2 * 3|(1 + 2) * 3|1 + 1.0|1.5 + 1.5|3 * 2.0|true + 1|1 - true|-true|+false|-s|-f|--n|- -n|true|True|false|None|none|nil|undefined_thing
s|s ~ n|s ~ 1.0|s ~ 2.5|s ~ t|s ~ list|s ~ map|s ~ nil|s ~ undefined_thing|s + n|s + 1.0|n + s|s + t|s + list|list + list|list + s|s + nil|1 ~ 2|'a' 'b' "c"|'a' ~ 'b' + 'c'|"tab\\tnew\\nquote\\"back\\\\"|'\\x41\\u00e9'|'\\q'|'it\\'s'|"it's"
1 == 1|1 == 1.0|1 == "1"|"1" == 1|true == 1|true == "1"|"" == 0|" 2 " == 2|"a" == "a"|"a" != "b"|nil == none|nil == undefined_thing|undefined_thing == none|nil == false|nil == 0|list == list|list == [3, 1, 2]|[] == []|[] == ""|["a"] == "a"|{} == {}|map == map|s == "Hello World"|0 == ""|0 != nil|t == true|1 != true|list[0] == 3|1 < 2|2 <= 2|3 > 4|3 >= 3.0|1 < 2 < 3|"a" < 1|nil < 1|1 > undefined_thing
3 in list|4 in list|"3" in list|3 not in list|"a" in map|"z" in map|"z" not in map|"ell" in s|"x" not in s|"" in s|1 in undefined_thing|1 not in undefined_thing|nil in list|1 in nil|1 in s|list in nested|"a" in "a" == true|not 3 in list|not (3 in list)|true in [1]|1 in [1.0]|undefined_thing in list|n in 5
t and n|zero or "x"|zero and 1|"" or nil|not t|not nil|not not s|not zero|not list|not blank|not none_map|t and not no|no or no or 3|1 and 2 and 0|(no or t) and n|not t or t|not undefined_thing
"y" if t else "n"|"y" if no else "n"|"y" if no|("y" if no) is undefined|1 if 0 else 2 if 0 else 3|("a" if t else "b") ~ "c"|"a" if t else "b" ~ "c"|n if n > 5 else 0
[1, 2, 3]|[1, 2, 3,]|[]|[1, "a", none, true, 2.0, [3]]|(1, 2)|(1,)|()|(1)|{"a": 1}|{"a": 1, "b": [1, {"c": none}]}|{}|{"a": 1,}|{1: 2}|{s: 1}|{"a": undefined_thing}|[undefined_thing]|[[]]|{"a": {}}|["é\\n\\"", "<>"]
list[0]|list[-1]|list[5]|list[-5]|list.0|list[1.0]|list["0"]|nested[1][1][0]|nested.1.1.0|map.b|map["b"]|map["d e"].k|map.zzz|map.zzz.yyy|map["zzz"]["yyy"]|map[0]|s[0]|s[-1]|s[99]|ko[0]|ko[-1]|undefined_thing.a|undefined_thing.a.b|undefined_thing[0]|undefined_thing["a"]|nil.a|nil["a"]|nil[0]|n.a|people[0].name|people[0]["in"].city|people[-1]["in"].city|s.length|list.length|map.length|list[t]|map[none]
list[:]|list[1:]|list[:2]|list[:-1]|list[-2:]|list[::2]|list[::-1]|list[2:0:-1]|list[:0:-1]|list[-1:-3:-1]|list[5:]|list[:99]|list[-99:2]|list[::0]|list[3:1]|s[1:4]|s[::-1]|s[-3:]|s[:-3]|ko[::-1]|ko[4:6]|ko[:5]|s[6:]|blank[:1]|list[none:2]|list["a":]|map[1:]|list[0:3:2]|list[1:2:]|list[:-1:-1]|s[10:2:-2]|nil[1:]
s.upper()|s.lower()|s.title()|s.capitalize()|"hELLO wORLD".capitalize()|"hello-world it's o_k 1st".title()|text.strip()|text.lstrip()|text.rstrip()|"\\n\\na\\n".strip("\\n")|"a\\n\\n".rstrip("\\n")|"\\n a".lstrip("\\n")|s.split()|s.split(" ")|csv.split(",")|csv.split(",", 1)|csv.split(",", 0)|csv.split(",", 2)|csv.split(",", -1)|csv.split("")|text.split()|"a b c".split(none, 1)|" a  b c ".split(none, 1)|" a  b ".split()|"".split()|"".split(",")|s.split("o")[0]|s.split("World")[-1]|think.split("</think>")[-1].lstrip("\\n")|think.split("</think>")[0].rstrip("\\n").split("<think>")[-1].lstrip("\\n")|csv.split(1)
s.startswith("Hello")|s.startswith("x")|s.startswith(("x", "He"))|s.endswith("World")|s.endswith(["x", "d"])|s.startswith()|s.startswith(1)|s.endswith("")|s.replace("o", "0")|s.replace("o", "0", 1)|s.replace("o", "0", count=1)|s.replace("", "-")|ko.replace("", "-")|s.replace("l", "")|s.replace("zzz", "y")|s.replace("o")|s.replace("o", "0", 0)|s.replace("o", "0", -1)|"a.b.c".replace(".", "+")|"aaa".replace("aa", "b")|s.nothing()|n.upper()|nil.upper()|"ß".upper()|"ΑΣ".lower()|"ﬁ".upper()|"İ".lower()|ko.upper()
map.get("b")|map.get("z")|map.get("z", "d")|map.get("z", none)|map.get(1)|map.items()|map.keys()|map.values()|none_map.items()|map.items() \\| length|map.keys() \\| list|map.get("d e").k|map.keys() \\| join(",")|{"get": 1}.get|{"items": 3}.items|{"keys": 1}.keys()
`.trim();

const filtered = `
s|length;s|upper;s|lower;s|title;s|capitalize;text|trim;list|length;map|length;blank|length;n|length;nil|length;undefined_thing|length;list|first;list|last;blank|first;blank|last;list|reverse;list|sort;words|sort;words|sort(reverse=true);words|sort(case_sensitive=true);words|sort(true);[3,"a"]|sort;[true, 0, 2]|sort;[none, none]|sort;[1, none]|sort;people|sort(attribute="age")|map(attribute="name")|join(",");people|sort(attribute="age", reverse=true)|map(attribute="name")|join(",");people|sort(attribute="name")|map(attribute="name")|list;people|sort;nested|sort(attribute=0);list|join;list|join(", ");words|join(" and ");nested|join(" / ");[1.0, none, true, "x", undefined_thing, {"a": 1}]|join("|");s|join;s|join("-");ko|join("-");n|join;map|join(",");list|join(1);list|join(separator="+")
list|string;map|string;n|string;f|string;1.0|string;t|string;nil|string;s|string;undefined_thing|string;[none, undefined_thing, 1.5]|string;"12"|int;"12abc"|int;"abc"|int;"abc"|int(5);"abc"|int(default=9);" 42 "|int;"-3.9"|int;3.7|int;-3.7|int;t|int;nil|int;"1.5"|float;"x"|float;"x"|float(2.5);"1e3"|float;n|float;t|float;minus|abs;-2.5|abs;s|abs;t|bool;s|unknown_filter;n|unknown_filter(1)
undefined_thing|default("d");nil|default("d");""|default("d");""|default("d", true);""|default("d", boolean=true);nil|default("d", true);n|default(1);zero|default(1, true);undefined_thing|default(none);map.zzz|default([]);s|default("d", 1)
lines|indent;lines|indent(2);lines|indent(2, true);lines|indent(2, first=true);lines|indent(2, true, true);lines|indent(width=3, blank=true);""|indent(2, true);lines|indent(0);n|indent;s|replace("o", "0");s|replace("o", "0", 1);s|replace("o", "0", count=1);s|replace("", ".");n|replace("a", "b")
map|tojson;list|tojson;s|tojson;ko|tojson;html|tojson;quote|tojson;nil|tojson;undefined_thing|tojson;t|tojson;f|tojson;1.0|tojson;tiny|tojson;big|tojson;blank|tojson;none_map|tojson;map|tojson(indent=2);map|tojson(indent=4);blank|tojson(indent=2);none_map|tojson(indent=2);nested|tojson(indent=1);map|tojson(indent=none);map|tojson(indent=0);ko|tojson(ensure_ascii=true);quote|tojson(ensure_ascii=true);map|tojson(separators=(",", ":"));map|tojson(separators=[",", ":"], indent=2);map|tojson(separators=(",",));map|tojson(sort_keys=true);map|tojson(sort_keys=true, indent=2);map|tojson(indent="2");map|tojson(2);{"é": 1, "a": 2}|tojson(ensure_ascii=true);{"b": 1, "B": 2, "a_": 3, "a1": 4, "aa": 5, "_x": 6, "1": 7}|tojson(sort_keys=true);people|tojson;[undefined_thing, none]|tojson;namespace(a=1)|tojson;range|tojson
map|items;map|items|list|length;map|dictsort;map|dictsort(true);map|dictsort(reverse=true);map|dictsort(false, "value");{"b": 1, "a": 2}|dictsort(by="value");{"b": 1, "a": 2}|dictsort(by="other");map|list;list|list;s|list|length > 3;map|keys;map|values|first;people|selectattr("on")|map(attribute="name")|list;people|rejectattr("on")|map(attribute="name")|list;people|selectattr("name", "equalto", "bob")|list;people|selectattr("name", "eq", "bob")|list|length;people|selectattr("on", "defined")|list|length;people|rejectattr("on", "defined")|map(attribute="name")|join;people|selectattr("on", "undefined")|list|length;people|selectattr("name", "string")|list|length;list|selectattr("a")|list;s|selectattr("a")|list;people|selectattr("name", "nonsense")|list;people|map(attribute="in.city")|list;people|map(attribute="in.city", default="?")|join(",");people|map(attribute="zz", default="?")|list;list|map(attribute="a")|list;[1, 2, 1, "1", 1.0, true]|unique;words|unique;s|unique;s|safe;html|safe;nil|safe;s|upper|lower|title;-1|abs;(1 + 1)|string ~ "x";"a"|upper ~ "b"|upper;s|length + 1;not s|length;list|first|string|length
`.trim();

const tests = `
s is string;n is string;n is number;f is number;t is number;n is integer;f is integer;t is boolean;n is boolean;list is iterable;s is iterable;map is iterable;n is iterable;list is sequence;map is sequence;s is sequence;n is sequence;map is mapping;list is mapping;s is mapping;nil is none;s is none;undefined_thing is none;s is defined;undefined_thing is defined;undefined_thing is undefined;map.zz is defined;map.b is defined;nil is defined;n is odd;n is even;s is odd;f is even;t is true;t is false;no is false;n is true;1 is true;s is lower;"abc" is lower;"ABC" is upper;n is upper;range is callable;s is callable;s is not string;s is not defined;undefined_thing is not defined;not s is defined;s is defined and n is defined;s is nonsense;s is defined is true;n + 1 is odd;2 * n is odd;map.items is defined;map.items is callable;s.upper is defined;s.zzz is defined;list[9] is defined;undefined_thing.x is undefined;namespace() is mapping;namespace is callable
`.trim();

const statements = [
    "plain text", "", "\n", "a\n", "a\n\n", "{{ n }}\n", "{{ n }}\n\n", "{# comment #}x", "a {#- c -#} b", "a\n{# c #}\nb", "  {# c #}\nb", "a {{- n -}} b", "a {%- if t -%} b {%- endif -%} c",
    "a\n  {% if t %}\n  b\n  {% endif %}\nc", "a\n  {%- if t %}\n  b\n  {%- endif %}\nc", "a\n\t {% if t %}x{% endif %} y\nz", "x {% if t %}\n y{% endif %}", "{% if t %}\n\n\nx{% endif %}", "  {{ n }}  \n  {{ n }}", "{{ n -}}\n  x", "{%- set a = 1 -%}\n\n{{ a }}", "a  {# x #}  {%- if t %}b{% endif %}", "}} %} #}", "{ { n } }", "{{ '{{' }}{{ '}}' }}{{ '{%' }}", "{{ \"%}\" }}", "a{% if t %}b{% endif %}\r\nc", "{{ n }", "{{ n", "{% if t %}", "{% endif %}", "{% nonsense %}", "{{ }}", "{# open", "{{ 'open }}", "{% if %}x{% endif %}", "{% for x %}{% endfor %}", "{{ n n }}", "{{ (1 }}", "{{ [1 }}", "{{ {'a' 1} }}", "{{ a. }}", "{{ s | }}", "{{ s is }}", "{{ & }}",
    "{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %}", "{% if no %}a{% elif no %}b{% elif t %}c{% else %}d{% endif %}", "{% if no %}a{% endif %}b", "{% if not no and (t or no) %}y{% endif %}", "{% if blank %}y{% else %}n{% endif %}", "{% if undefined_thing %}y{% else %}n{% endif %}", "{% if undefined_thing.x %}y{% else %}n{% endif %}",
    "{% for x in list %}{{ x }},{% endfor %}", "{% for x in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}", "{% for x in list %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}", "{% for x in blank %}x{% else %}none{% endfor %}", "{% for x in list if x > 1 %}{{ loop.index }}:{{ x }} {% endfor %}", "{% for x in list if x > 9 %}{{ x }}{% else %}nothing{% endfor %}", "{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in map %}{{ k }};{% endfor %}", "{% for k, v in map|items %}{{ k }};{% endfor %}", "{% for k, v in map|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for (a, b) in [[1, 2], [3, 4]] %}{{ a + b }};{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}", "{% for a, b in list %}{{ a }}{% endfor %}", "{% for x in undefined_thing %}x{% endfor %}", "{% for x in nil %}x{% endfor %}", "{% for x in s %}x{% endfor %}", "{% for x in n %}x{% endfor %}", "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in range(1, 7, 2) %}{{ x }}{% endfor %}", "{% for x in range(3, 0, -1) %}{{ x }}{% endfor %}", "{{ range(3) }}", "{{ range(0) }}", "{{ range(1, 2, 0) }}", "{% for x in list[::-1] %}{{ x }}{% endfor %}", "{% for x in list + [9] %}{{ x }}{% endfor %}",
    "{% for x in list %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in list %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in list %}a{{ x }}{% break %}{% else %}else{% endfor %}", "{% for x in list %}a{% continue %}{% else %}else{% endfor %}", "{% for x in list %}{{ x }}{% for y in list %}{% if y == 1 %}{% break %}{% endif %}{{ y }}{% endfor %};{% endfor %}", "{% break %}", "{% for x in list %}{% for y in list %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% for m in messages %}{{ m.role }}: {{ m['content'] }}\n{% endfor %}", "{% for m in messages %}{% if loop.first and m.role == 'system' %}{% continue %}{% endif %}{{ m.content }}{% endfor %}", "{% for x in (list if t else blank) %}{{ x }}{% endfor %}", "{% for x in list if t else blank %}{{ x }}{% endfor %}", "{% for m in messages if m.role != 'system' %}{{ loop.index0 }}{{ m.role }}{% endfor %}", "{% for x in list %}{% set y = x %}{% endfor %}{{ y }}", "{% set y = 1 %}{% for x in list %}{% set y = x %}{{ y }}{% endfor %}{{ y }}", "{% for x in list %}{{ z }}{% set z = x %}{% endfor %}", "{% for x in list %}{% endfor %}{{ x }}{{ loop }}", "{% if t %}{% set q = 5 %}{% endif %}{{ q }}",
    "{% set x = 1 %}{{ x }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}", "{% set (x, y) = (1, 2) %}{{ x }}{{ y }}", "{% set x, y = list %}", "{% set x = 1, 2 %}{{ x }}", "{% set x %}a{{ n }}b{% endset %}{{ x }}{{ x|length }}", "{% set x %}  \n{% endset %}[{{ x }}]", "{% set ns = namespace(a=1, b='x') %}{% for x in list %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}", "{% set ns = namespace() %}{% set ns.x = list %}{{ ns.x }}{{ ns }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}", "{% set ns = namespace(1) %}", "{% set map.b = 3 %}", "{% set nothing.b = 3 %}", "{% set ns = namespace(a=namespace(b=1)) %}{% set ns.a.b = 5 %}{{ ns.a.b }}", "{{ ns }}{% set ns = namespace(f=false) %}{{ ns.f }}{{ 'y' if ns.f else 'n' }}", "{% set true_ = true %}{{ true_ }}", "{% set x = none %}{{ x }}{{ x is none }}", "{% set x = 'a' if no else 'b' %}{{ x }}", "{% set x = [] %}{% for y in list %}{% set x = x + [y * 2] %}{% endfor %}{{ x }}",
    "{% macro m(a, b=2) %}[{{ a }}|{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=1) }}", "{% macro m(a, a) %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(7) }}", "{% macro f(k) %}{% if k > 0 %}{{ k }}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro m() %}  x  {% endmacro %}{{ m()|trim }}{{ m() ~ 'y' }}{{ m()|length }}", "{% set g = 3 %}{% macro m() %}{{ g }}{% endmacro %}{{ m() }}{% set g = 4 %}{{ m() }}", "{% macro m() %}{% set g = 9 %}{% endmacro %}{{ m() }}{{ g }}", "{% macro m() %}{{ loop.index }}{% endmacro %}{% for x in list %}{{ m() }}{% endfor %}", "{% macro m(x) %}{{ caller(x) }}!{% endmacro %}{% call(y) m(3) %}<{{ y }}>{% endcall %}", "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}{% call m() %}a{{ n }}{% endcall %}", "{% macro m(a=1) %}{{ a }}{{ caller() }}{% endmacro %}{% call m(a=5) %}b{% endcall %}", "{% call nothing() %}x{% endcall %}", "{{ m() }}", "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro m(items) %}{% for i in items %}{{ i }}{{ ', ' if not loop.last }}{% endfor %}{% endmacro %}{{ m(list) }}", "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'a': 3, 'b': 4}) }}{{ m(1, *[2]) }}", "{% macro m(a, b) %}{{ a }}{% endmacro %}{{ m(*5) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(a=1, a=2) }}", "{% macro m %}{% endmacro %}", "{{ m }}{% macro m() %}x{% endmacro %}{{ m is callable }}", "{% macro m(d) %}{% for k in d %}{{ k }}{% if d[k] is mapping %}({{ m(d[k]) }}){% endif %}{% endfor %}{% endmacro %}{{ m({'a': {'b': {'c': 1}}, 'd': 2}) }}",
    "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter replace('a', 'b') %}aaa{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% filter nonsense %}a{% endfilter %}",
    "a {% generation %} b {% endgeneration %} c", "a {%- generation -%} b {%- endgeneration -%} c", "a {%- generation %} b {% endgeneration -%} c", "{% generation %}\nx\n{% endgeneration %}\ny", "  {% generation %}\n  x\n  {% endgeneration %}\n",
    "{{ raise_exception('no') }}", "{% if no %}{{ raise_exception('no') }}{% endif %}ok", "{{ raise_exception() }}", "{{ strftime_now('%Y-%m-%d') }}", "{{ strftime_now('%d %b %Y') }}", "{{ strftime_now('%B %d, %Y %H:%M 100%%') }}", "{% set d = strftime_now('%d') if strftime_now is defined else 'x' %}{{ d }}",
    "{{ '<|im_start|>' + messages[0]['role'] + '\n' + messages[0].content + '<|im_end|>' }}", "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}", "{{ messages[1:]|map(attribute='role')|join(' ') }}", "{{ (messages|last).role }}", "{{ messages|length - 1 }}", "{{ messages[-1].role == 'assistant' }}", "{{ messages[0].get('name', '?') }}", "{{ 'tool_calls' in messages[0] }}{{ 'role' in messages[0] }}", "{{ messages[0].tool_calls is defined and messages[0].tool_calls }}", "{{ [messages[0].role, 'x']|join('-') }}", "{% for m in messages %}{% if m.role == 'user' %}U{% elif m.role in ['system', 'developer'] %}S{% else %}{{ m.role[0]|upper }}{% endif %}{% endfor %}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{{'a': 1}.a}}", "{{-1}}", "{{ -1 -}}", "{{ n -}} - {{- n }}", "{{ s.split(' ')|first|lower }}", "{{ s[0]|upper ~ s[1:] }}", "{{ list|length if list else 'none' }}", "{% if (messages|length) > 2 and messages[0].role == 'system' -%}\n  yes\n{%- endif %}", "{%- for x in list -%}\n  {{ x }}\n{%- endfor -%}\n", "{{ 1 if n is odd else 2 }}", "{{ n is odd and n > 3 }}", "{{ s is string and s|length > 3 }}", "{% set a = {'x': list[0]} %}{{ a.x }}", "{{ ('a' ~ n)|upper }}", "{{ dict_ }}{{ list is iterable and list is not string and list is not mapping }}",
];

const of = (lines) => lines.split(/[\n;]/).map((e) => `{{ ${e} }}`);
// A bar separates the first expressions; one with a backslash before it is a filter's.
const bars = expressions.split("\n").flatMap((line) => line.split(/(?<!\\)\|/)).map((e) => `{{ ${e.replaceAll("\\|", "|")} }}`);
export const snippets = [...new Set([...bars, ...of(filtered), ...of(tests), ...statements])];
