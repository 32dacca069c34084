"""What each option of an op, a function, a layer or an optimiser may be: declared once, by its name.

The names mean the same wherever they occur: `dim` of sum, cat and softmax, `eps` of every normalisation. An
option whose default is None may be None too. Constructors look at all of theirs, and so nothing wrong is kept
for later. Ops look at theirs as they are called, but for the types that need no second look (`plain`); where
a call fails nevertheless, all of its arguments are looked at again, to say which of them was at fault
(engine/refusal.py). What has another type is a TypeError, what is out of its range a ValueError.

kinds.py      what an option may be: a flag, a count, sizes
names.py      which option is of which kind, by its name
checking.py   looking at the options of a call
"""

from .checking import (
    check_option,
    checked,
    explain,
    first_error,
    is_explained,
    message_of,
    option_error,
    settled_option,
    show_given,
    wrap_constructor,
)
from .kinds import (
    ANY,
    ARRAY,
    COUNT,
    DEVICE,
    FINITE,
    FLAG,
    INTEGER,
    INTEGERS,
    MEANING_MORE,
    NOT_NEGATIVE,
    NUMBER,
    NUMBERS,
    OPERAND,
    PROBABILITY,
    SIZES,
    SWITCH,
    TEXT,
    Option,
    as_numbers,
    choice,
    count,
    has_known_dtype,
    is_array,
    is_flag,
    is_integer,
    is_integers,
    is_known_dtype,
    is_number,
    is_real,
    is_sequence,
    is_switch,
    number,
    optional,
)
from .names import OPTIONS, options_of

__all__ = [
    "ANY",
    "ARRAY",
    "COUNT",
    "DEVICE",
    "FINITE",
    "FLAG",
    "INTEGER",
    "INTEGERS",
    "MEANING_MORE",
    "NOT_NEGATIVE",
    "NUMBER",
    "NUMBERS",
    "OPERAND",
    "OPTIONS",
    "Option",
    "PROBABILITY",
    "SIZES",
    "SWITCH",
    "TEXT",
    "as_numbers",
    "check_option",
    "checked",
    "choice",
    "count",
    "explain",
    "first_error",
    "has_known_dtype",
    "is_array",
    "is_explained",
    "is_flag",
    "is_integer",
    "is_integers",
    "is_known_dtype",
    "is_number",
    "is_real",
    "is_sequence",
    "is_switch",
    "message_of",
    "number",
    "option_error",
    "optional",
    "options_of",
    "settled_option",
    "show_given",
    "wrap_constructor",
]
