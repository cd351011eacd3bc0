"""The grammar of the query language, for lark, and what its symbols are called for people."""

from __future__ import annotations

GRAMMAR = r"""
query: condition
ordering: order_key ("," order_key)* [","]
order_key: [SIGN] sortable [DIRECTION]
?sortable: name
    | COUNT "(" layer ")"                       -> layer_count

?condition: conjunction (_OR conjunction)*      -> disjunction
?conjunction: negation (_AND negation)*
?negation: NOT negation                        -> negated
    | predicate
?predicate: "(" condition ")"
    | operand                                   -> truth
    | operand (COMPARISON operand)+             -> comparison
    | operand [NOT] IN values                   -> membership
    | operand [NOT] IN operand                  -> containment
    | operand [NOT] LIKE STRING                 -> likeness
    | operand [NOT] BETWEEN operand _AND operand    -> between
    | operand IS [NOT] (NULL | NAN)             -> absence
    | HAS "(" layer (ARROW layer)* ")"          -> chain
    | FUNCTION "(" [argument ("," argument)* [","]] ")"  -> call

?operand: literal
    | array
    | sortable
    | NOW "(" ")" [SIGN (NUMBER | INTEGER) UNIT]            -> now
name: PATH ["@" INTEGER]
values: "(" literal ("," literal)* [","] ")"
array: LEFT_BRACKET [literal ("," literal)* [","]] "]"
literal: STRING                                 -> text
    | [SIGN] (NUMBER | INTEGER)                 -> number
    | TRUE                                      -> true
    | FALSE                                     -> false
    | NULL                                      -> null

argument: literal
    | PATH EQUALS (literal | values | array)    -> keyword

layer: layer_class
    | "(" layer_class ("|" layer_class)* ")" [layer_condition]  -> alternatives
layer_class: (PATH | STAR) [layer_condition]
layer_condition: "(" [condition ("," condition)*] ")"

_AND.3: /and\b(?!\.)/i
_OR.3: /or\b(?!\.)/i
NOT.3: /not\b(?!\.)/i
IN.3: /in\b(?!\.)/i
LIKE.3: /i?like\b(?!\.)/i
BETWEEN.3: /between\b(?!\.)/i
IS.3: /is\b(?!\.)/i
NULL.3: /(null|none)\b(?!\.)/i
NAN.3: /nan\b(?!\.)/i
TRUE.3: /true\b(?!\.)/i
FALSE.3: /false\b(?!\.)/i
HAS.3: /has(?=\s*\()/i
COUNT.3: /count(?=\s*\()/i
NOW.3: /now(?=\s*\()/i
FUNCTION.2: /[^\W\d]\w*(?=\s*\()/
DIRECTION.3: /(asc|desc)\b/i
UNIT.2: /(second|minute|hour|day|week)s?\b/i
PATH: /(?:[^\W\d]\w*|`[^`\n]+`)(?:\.(?:\w+|`[^`\n]+`))*/
STRING: /'(?:[^']|'')*'|"(?:[^"]|"")*"/
NUMBER: /(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?!\w)/
INTEGER.1: /\d+(?![\w.])/
COMPARISON: /==|!=|<>|<=|>=|=|<|>/
EQUALS: "="
SIGN: /[-+]/
STAR: "*"
LEFT_BRACKET: "["
ARROW.2: /->>|->|\.\.\./
%ignore /\s+/
"""

SYMBOLS = {
    "_AND": "`and`",
    "_OR": "`or`",
    "NOT": "`not`",
    "IN": "`in`",
    "LIKE": "`like`",
    "BETWEEN": "`between`",
    "IS": "`is`",
    "NULL": "`null`",
    "NAN": "`nan`",
    "TRUE": "`true`",
    "FALSE": "`false`",
    "HAS": "`has(`",
    "COUNT": "`count(`",
    "NOW": "`now(`",
    "FUNCTION": "a relation such as `same_data('ID')`",
    "DIRECTION": "`asc` or `desc`",
    "UNIT": "a unit such as `days`",
    "PATH": "a name",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "INTEGER": "a number",
    "COMPARISON": "`=`, `!=`, `<`, `<=`, `>` or `>=`",
    "EQUALS": "`=`",
    "SIGN": "a sign",
    "STAR": "`*`",
    "ARROW": "`->` or `->>`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LEFT_BRACKET": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "VBAR": "`|`",
    "AT": "`@`",
    "$END": "the end",
}
