/* Python: bytes and text in, bytes and str out. Long calls let other threads of the interpreter run. */

%{
#define HOST NULL

/* A call that never waits lets others run only from so many bytes of input: a thread that gives the lock away beside a
 * busy one gets it back after 5 ms, while 32 KiB are sealed or opened in 10 us. */
enum { WORTH_SWITCHING = 32768 };

enum { SPARE_MOST = 128 * 1024 };

struct others {
    PyThreadState *state;
};

static struct others others_run(int64_t cost)
{
    return (struct others){cost >= WORTH_SWITCHING ? PyEval_SaveThread() : NULL};
}

static void others_wait(struct others others)
{
    if (others.state)
        PyEval_RestoreThread(others.state);
}

/* The room for a whole output: small on the stack, then as much as was asked for. Called without interpreter lock. */
struct whole {
    void *large;
    char small[SMALL];
};

static bool more_room(void *host, void **data, int32_t *cap, int32_t result)
{
    void *larger;

    (void)host;
    if (result <= *cap || !(larger = malloc((size_t)result)))
        return false;
    if (*cap > SMALL)
        free(*data);
    *data = larger;
    *cap = result;
    return true;
}

static int integer_in(PyObject *object, int64_t least, int64_t most, int64_t *value)
{
    int overflow = 0;
    PyObject *index = PyLong_CheckExact(object) ? NULL : PyNumber_Index(object);

    if (!index && !PyLong_CheckExact(object))
        return 0;
    *value = PyLong_AsLongLongAndOverflow(index ? index : object, &overflow);
    Py_XDECREF(index);
    if (!overflow && *value >= least && *value <= most)
        return 1;
    PyErr_SetString(PyExc_OverflowError, "integer out of range");
    return 0;
}

static int view_in(Py_buffer *view, void **data, int32_t *length)
{
    if (view->len > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "longer than 2147483647 bytes");
        return 0;
    }
    *data = view->buf;
    *length = (int32_t)view->len;
    return 1;
}

/* Bytes are borrowed from the argument; anything else with a buffer is held until the call is over. */
static int bytes_in(PyObject *object, Py_buffer *view, void **data, int32_t *length)
{
    if (PyBytes_CheckExact(object)) {
        view->buf = PyBytes_AS_STRING(object);
        view->len = PyBytes_GET_SIZE(object);
    } else if (PyObject_GetBuffer(object, view, PyBUF_SIMPLE) < 0)
        return 0;
    return view_in(view, data, length);
}

static int text_in(PyObject *object, Py_buffer *view, void **data, int32_t *length)
{
    if (!PyUnicode_Check(object))
        return bytes_in(object, view, data, length);
    view->buf = (void *)PyUnicode_AsUTF8AndSize(object, &view->len);
    return view->buf ? view_in(view, data, length) : 0;
}

static bool arguments_are(Py_ssize_t count, const char *name, Py_ssize_t wanted)
{
    if (count != wanted)
        PyErr_Format(PyExc_TypeError, "%s expected %zd arguments, got %zd", name, wanted, count);
    return count == wanted;
}

/* The result, alone or in a tuple with room for the outputs. */
static PyObject *returned(int64_t result, Py_ssize_t outputs)
{
    PyObject *number = PyLong_FromLongLong(result);
    PyObject *tuple = number && outputs ? PyTuple_New(1 + outputs) : NULL;

    if (!outputs)
        return number;
    if (tuple)
        PyTuple_SET_ITEM(tuple, 0, number);
    else
        Py_XDECREF(number);
    return tuple;
}

static PyObject *outputs_add(PyObject *tuple, PyObject *output)
{
    Py_ssize_t at = 1;

    if (!tuple || !output) {
        Py_XDECREF(output);
        Py_XDECREF(tuple);
        return NULL;
    }
    while (PyTuple_GET_ITEM(tuple, at))
        at++;
    PyTuple_SET_ITEM(tuple, at, output);
    return tuple;
}

static PyObject *none(void)
{
    Py_RETURN_NONE;
}

static inline PyObject *whole_bytes(const void *data, int64_t length)
{
    return PyBytes_FromStringAndSize(data, length);
}

/* Text is UTF-8, but for paths, which are what the system gave. */
static PyObject *whole_text(const void *data, int64_t length)
{
    return PyUnicode_DecodeUTF8(data, length, "surrogateescape");
}

/* A large room of which little was used is kept for the next call, under the interpreter lock: making it costs more than
 * a small message. */
static PyObject *spare_room;

static PyObject *room_new(int32_t cap)
{
    PyObject *spare = spare_room;

    if (!spare || PyBytes_GET_SIZE(spare) != cap)
        return PyBytes_FromStringAndSize(NULL, cap > 0 ? cap : 0);
    spare_room = NULL;
    return spare;
}

static PyObject *room_out(PyObject **room, int64_t result, int64_t length)
{
    PyObject *output = *room;

    if (result < 0)
        return none();
    if (length <= SMALL && PyBytes_GET_SIZE(output) > SMALL)
        return PyBytes_FromStringAndSize(PyBytes_AS_STRING(output), length);
    *room = NULL;
    return length == PyBytes_GET_SIZE(output) || _PyBytes_Resize(&output, length) == 0 ? output : NULL;
}

static void room_keep(PyObject *room)
{
    if (!room || spare_room || PyBytes_GET_SIZE(room) <= SMALL || PyBytes_GET_SIZE(room) > SPARE_MOST)
        Py_XDECREF(room);
    else
        spare_room = room;
}

static PyObject *number_out(int64_t number, int64_t result)
{
    return tells_numbers(result) ? PyLong_FromLongLong(number) : none();
}
%}

%fragment("path_in", "header") %{
static int path_in(PyObject *object, Py_buffer *view, PyObject **held, void **data, int32_t *length)
{
    PyObject *path = PyOS_FSPath(object);

    if (path && PyUnicode_Check(path)) {
        *held = PyUnicode_EncodeFSDefault(path);
        Py_DECREF(path);
    } else
        *held = path;
    return *held ? bytes_in(*held, view, data, length) : 0;
}
%}

%fragment("pairs_out", "header") %{
static PyObject *pairs_out(const int64_t *pairs, int64_t result)
{
    PyObject *list = result < 0 ? none() : PyList_New((Py_ssize_t)(2 * result));

    for (Py_ssize_t i = 0; list && i < 2 * result; i++) {
        PyObject *number = PyLong_FromLongLong(pairs[i]);
        if (!number)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, number);
    }
    return list;
}
%}

%typemap(in) int32_t (int64_t value)
%{ if (!integer_in($input, INT32_MIN, INT32_MAX, &value)) SWIG_fail;
   $1 = (int32_t)value; %}
%typemap(in) int64_t %{ if (!integer_in($input, INT64_MIN, INT64_MAX, &$1)) SWIG_fail; %}
%typemap(out) int32_t, int64_t %{ if (!($result = returned($1, OUTPUTS_$symname))) SWIG_fail; %}

%define IN_PAIR(NAME, TAKE)
%typemap(arginit) (const void *NAME, int32_t NAME##_LEN) %{ view$argnum.obj = NULL; %}
%typemap(in) (const void *NAME, int32_t NAME##_LEN) (Py_buffer view)
%{ if (!TAKE($input, &view, &$1, &$2)) SWIG_fail; %}
%typemap(freearg) (const void *NAME, int32_t NAME##_LEN) %{ PyBuffer_Release(&view$argnum); %}
%enddef
IN_PAIR(BYTES, bytes_in)
IN_PAIR(TEXT, text_in)
IN_PAIR(SECRET, text_in)
%typemap(arginit) (const void *PATH, int32_t PATH_LEN) %{ view$argnum.obj = NULL; held$argnum = NULL; %}
%typemap(in, fragment="path_in") (const void *PATH, int32_t PATH_LEN) (Py_buffer view, PyObject *held)
%{ if (!path_in($input, &view, &held, &$1, &$2)) SWIG_fail; %}
%typemap(freearg) (const void *PATH, int32_t PATH_LEN) %{ PyBuffer_Release(&view$argnum); Py_XDECREF(held$argnum); %}

%define OUT_WHOLE(CONTENT, MAKE, WIPE)
%typemap(in, numinputs=0) (void *WHOLE_##CONTENT, int32_t WHOLE_##CONTENT##_CAP) (char small[SMALL])
%{ $1 = small; $2 = SMALL; %}
%typemap(argout) (void *WHOLE_##CONTENT, int32_t WHOLE_##CONTENT##_CAP)
%{ if (result > $2) { Py_CLEAR($result); PyErr_NoMemory(); SWIG_fail; }
   if (!($result = outputs_add($result, result < 0 ? none() : MAKE($1, result)))) SWIG_fail; %}
%typemap(freearg) (void *WHOLE_##CONTENT, int32_t WHOLE_##CONTENT##_CAP)
%{ if ($1) WIPE($1, (size_t)$2);
   if ($2 > SMALL) free($1); %}
%enddef
OUT_WHOLE(BYTES, whole_bytes, nothing)
OUT_WHOLE(TEXT, whole_text, nothing)
OUT_WHOLE(SECRET, whole_bytes, explicit_bzero)

%define OUT_ROOM(NAME, LENGTH, KEEP)
%typemap(arginit) (void *NAME, int32_t NAME##_CAP) %{ room$argnum = NULL; %}
%typemap(in) (void *NAME, int32_t NAME##_CAP) (PyObject *room, int64_t cap)
%{ if (!integer_in($input, INT32_MIN, INT32_MAX, &cap)) SWIG_fail;
   $2 = (int32_t)cap;
   if (!(room = room_new($2))) SWIG_fail;
   $1 = PyBytes_AS_STRING(room); %}
%typemap(argout) (void *NAME, int32_t NAME##_CAP)
%{ if (!($result = outputs_add($result, room_out(&room$argnum, result, LENGTH)))) SWIG_fail; %}
%typemap(freearg) (void *NAME, int32_t NAME##_CAP) %{ KEEP(room$argnum); %}
%enddef
OUT_ROOM(STREAM_BYTES, result, room_keep)
OUT_ROOM(STREAM_SECRET, result, Py_XDECREF)
OUT_ROOM(FILL_BYTES, cap$argnum, Py_XDECREF)
OUT_ROOM(FILL_SECRET, cap$argnum, Py_XDECREF)

%typemap(arginit) (int64_t *PAIRS, int32_t PAIRS_CAP) %{ $1 = NULL; %}
%typemap(in) (int64_t *PAIRS, int32_t PAIRS_CAP) (int64_t cap)
%{ if (!integer_in($input, INT32_MIN, INT32_MAX, &cap)) SWIG_fail;
   $2 = (int32_t)cap;
   if (!($1 = malloc(16 * (size_t)(cap < 1 ? 1 : cap)))) { PyErr_NoMemory(); SWIG_fail; } %}
%typemap(argout, fragment="pairs_out") (int64_t *PAIRS, int32_t PAIRS_CAP)
%{ if (!($result = outputs_add($result, pairs_out($1, result)))) SWIG_fail; %}
%typemap(freearg) (int64_t *PAIRS, int32_t PAIRS_CAP) %{ free($1); %}

%typemap(in, numinputs=0) int64_t *OUTPUT (int64_t number), int32_t *OUTPUT (int32_t number)
%{ number = 0; $1 = &number; %}
%typemap(argout) int64_t *OUTPUT, int32_t *OUTPUT
%{ if (!($result = outputs_add($result, number_out(*$1, result)))) SWIG_fail; %}

%init %{
    if (tlsshim_abi_version() != MADE_FOR_ABI) {
        PyErr_Format(PyExc_ImportError, "tlsshim.swig was made for ABI %d, the library found has ABI %d", MADE_FOR_ABI,
                     (int)tlsshim_abi_version());
        return NULL;
    }
%}
