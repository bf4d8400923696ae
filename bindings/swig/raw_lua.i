/* Lua 5.4: strings in, strings out, integers that stay integers. */

%{
#define HOST L

/* Too many arguments are ignored, as Lua does; too few fail by the argument that is missing. */
#undef SWIG_check_num_args
#define SWIG_check_num_args(name, least, most) ((void)0);

/* One room a Lua state, reused by each call: no Lua code runs between the call and the copy into a string. */
static const char ROOM_KEY;
enum { KEPT_ROOM = 1 << 20 };

static void *room(lua_State *L, lua_Integer size)
{
    void *data = NULL;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ROOM_KEY) == LUA_TUSERDATA && (lua_Integer)lua_rawlen(L, -1) >= size) {
        data = lua_touserdata(L, -1);
        lua_pop(L, 1);
        return data;
    }
    lua_pop(L, 1);
    /* What is not kept stays on the stack until the call returns. */
    data = lua_newuserdatauv(L, (size_t)size, 0);
    if (size <= KEPT_ROOM)
        lua_rawsetp(L, LUA_REGISTRYINDEX, &ROOM_KEY);
    return data;
}

static bool more_room(lua_State *L, void **data, int32_t *cap, int32_t result)
{
    if (result <= *cap)
        return false;
    *data = room(L, result);
    *cap = result;
    return true;
}

struct others {
    char nobody;
};

static struct others others_run(int64_t cost)
{
    (void)cost;
    return (struct others){0};
}

static void others_wait(struct others others)
{
    (void)others;
}

static lua_Integer integer_in(lua_State *L, int index, lua_Integer least, lua_Integer most)
{
    int exact = 0;
    lua_Integer value = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &exact) : 0;

    if (!exact)
        luaL_argerror(L, index, lua_isnumber(L, index) ? "number has no integer representation" : "integer expected");
    if (value < least || value > most)
        luaL_argerror(L, index, "integer out of range");
    return value;
}

static const char *string_in(lua_State *L, int index, int32_t *length)
{
    size_t full = 0;

    luaL_checktype(L, index, LUA_TSTRING);
    const char *data = lua_tolstring(L, index, &full);
    if (full > INT32_MAX)
        luaL_argerror(L, index, "string longer than 2147483647 bytes");
    *length = (int32_t)full;
    return data;
}

static void string_out(lua_State *L, const void *data, int64_t result, int64_t length)
{
    if (result < 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, data, (size_t)length);
}

static void number_out(lua_State *L, int64_t number, int64_t result)
{
    if (tells_numbers(result))
        lua_pushinteger(L, number);
    else
        lua_pushnil(L);
}
%}

%fragment("pairs_out", "header") %{
static void pairs_out(lua_State *L, const int64_t *pairs, int64_t result)
{
    if (result < 0) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)(2 * result), 0);
    for (int i = 0; i < 2 * result; i++) {
        lua_pushinteger(L, pairs[i]);
        lua_rawseti(L, -2, i + 1);
    }
}
%}

%typemap(in) int32_t %{ $1 = (int32_t)integer_in(L, $input, INT32_MIN, INT32_MAX); %}
%typemap(in) int64_t %{ $1 = integer_in(L, $input, INT64_MIN, INT64_MAX); %}
%typemap(out) int32_t, int64_t %{ lua_pushinteger(L, $1); SWIG_arg++; %}

%define IN_PAIR(NAME)
%typemap(in) (const void *NAME, int32_t NAME##_LEN) %{ $1 = (void *)string_in(L, $input, &$2); %}
%enddef
IN_PAIR(BYTES)
IN_PAIR(TEXT)
IN_PAIR(PATH)
IN_PAIR(SECRET)

%define OUT_PAIR(CONTENT, WIPE)
%typemap(in, numinputs=0) (void *WHOLE_##CONTENT, int32_t WHOLE_##CONTENT##_CAP) (char small[SMALL])
%{ $1 = small; $2 = SMALL; %}
%typemap(argout) (void *WHOLE_##CONTENT, int32_t WHOLE_##CONTENT##_CAP)
%{ string_out(L, $1, result, result); SWIG_arg++; WIPE($1, (size_t)$2); %}
%typemap(in) (void *STREAM_##CONTENT, int32_t STREAM_##CONTENT##_CAP)
%{ $2 = (int32_t)integer_in(L, $input, INT32_MIN, INT32_MAX); $1 = room(L, $2 < SMALL ? SMALL : $2); %}
%typemap(argout) (void *STREAM_##CONTENT, int32_t STREAM_##CONTENT##_CAP)
%{ string_out(L, $1, result, result); SWIG_arg++; if ($2 > 0) WIPE($1, (size_t)$2); %}
%typemap(in) (void *FILL_##CONTENT, int32_t FILL_##CONTENT##_CAP)
%{ $2 = (int32_t)integer_in(L, $input, INT32_MIN, INT32_MAX); $1 = room(L, $2 < SMALL ? SMALL : $2); %}
%typemap(argout) (void *FILL_##CONTENT, int32_t FILL_##CONTENT##_CAP)
%{ string_out(L, $1, result, $2); SWIG_arg++; if ($2 > 0) WIPE($1, (size_t)$2); %}
%enddef
OUT_PAIR(BYTES, nothing)
OUT_PAIR(TEXT, nothing)
OUT_PAIR(SECRET, explicit_bzero)

%typemap(in) (int64_t *PAIRS, int32_t PAIRS_CAP)
%{ $2 = (int32_t)integer_in(L, $input, INT32_MIN, INT32_MAX); $1 = room(L, 16 * (lua_Integer)($2 < 1 ? 1 : $2)); %}
%typemap(argout, fragment="pairs_out") (int64_t *PAIRS, int32_t PAIRS_CAP) %{ pairs_out(L, $1, result); SWIG_arg++; %}

%typemap(in, numinputs=0) int64_t *OUTPUT (int64_t number), int32_t *OUTPUT (int32_t number)
%{ number = 0; $1 = &number; %}
%typemap(argout) int64_t *OUTPUT, int32_t *OUTPUT %{ number_out(L, *$1, result); SWIG_arg++; %}

/* SWIG puts two functions of its own into the global table; nobody asked for them. */
%init %{
    lua_pushnil(L);
    lua_setglobal(L, "swig_type");
    lua_pushnil(L);
    lua_setglobal(L, "swig_equals");
    if (tlsshim_abi_version() != MADE_FOR_ABI)
        luaL_error(L, "tlsshim.swig was made for ABI %d, the library found has ABI %d", MADE_FOR_ABI,
                   (int)tlsshim_abi_version());
%}
