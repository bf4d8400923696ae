"""Names that some language behind this ABI could not carry."""

C_AND_CPP = set(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default
    delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long
    mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void volatile
    wchar_t while xor xor_eq final override import module""".split()
)
PYTHON = set(
    """False None True and as assert async await break class continue def del elif else except finally for from global
    if import in is lambda nonlocal not or pass raise return try while with yield self print""".split()
)
LUA = set(
    """and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while""".split()
)
LISP = set("t nil pi".split())
SWIG = set("arg args argc argv this self".split())

REASONS = (
    (C_AND_CPP, "a keyword of C or C++"),
    (PYTHON, "a word that Python keeps for itself"),
    (LUA, "a keyword of Lua"),
    (LISP, "a constant of Lisp"),
    (SWIG, "a name that SWIG's wrappers use themselves"),
)


def refused(name, *, function=False):
    """Why a parameter or function (its name without prefix) cannot be called this; None if it can."""
    for words, reason in REASONS:
        if function and words is C_AND_CPP:
            continue
        if name in words:
            return reason
    return None
