#include "event.h"

#include <stdlib.h>
#include <string.h>

#include "../base/code.h"
#include "../base/error.h"
#include "../base/helper.h"
#include "../pki/external.h"
#include "../pki/key.h"
#include "conn.h"

enum { NOTES_MOST = 64, SIGNATURE_LIMIT = 4096 };

struct note {
    struct note *next;
    int32_t event;
    char line[];
};

struct events *events_new(void)
{
    return calloc(1, sizeof(struct events));
}

static void note_pop(struct events *events)
{
    struct note *note = events->first;

    events->first = note->next;
    if (events->first == NULL)
        events->last = NULL;
    events->note_count--;
    bytes_wipe(note->line, strlen(note->line));
    free(note);
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    helper_abandon(&events->helper);
    while (events->first != NULL)
        note_pop(events);
    context_drop(events->context);
    buffer_free(&events->versions);
    buffer_free(&events->ciphers);
    buffer_free(&events->groups);
    buffer_free(&events->signatures);
    buffer_free(&events->ca_names);
    free(events);
}

bool event_on(const struct conn *conn, int32_t event)
{
    return conn->events != NULL && (conn->setup->settings.events & event) != 0;
}

int32_t event_waiting(const struct conn *conn)
{
    const struct events *e = conn->events;

    if (e == NULL)
        return 0;
    if (e->first != NULL)
        return e->first->event;
    return e->answered ? 0 : e->open;
}

const char *event_line(const struct conn *conn)
{
    return conn->events != NULL && conn->events->first != NULL ? conn->events->first->line : "";
}

static void event_open(struct events *events, int32_t event)
{
    events->open = event;
    events->answered = false;
    events->refusal = 0;
}

enum answer event_ask(struct conn *conn, int32_t event)
{
    struct events *e = conn->events;

    if (e->open != event)
        event_open(e, event);
    if (!e->answered)
        return ANSWER_NONE;
    e->open = 0;
    e->answered = false;
    return e->refusal == 0 ? ANSWER_GO : ANSWER_REFUSE;
}

int32_t event_refused(const struct conn *conn, const char *what)
{
    struct error_detail detail = error_detail_none();

    detail.side = TLSSHIM_SIDE_LOCAL;
    detail.alert = conn->events->refusal;
    error_say(&detail, "the host of this end refused %s: alert %d (%s)", what, detail.alert,
              code_alert_name(detail.alert));
    return error_publish(TLSSHIM_E_VERDICT, &detail);
}

void event_note(struct conn *conn, int32_t event, const char *line)
{
    struct events *e = conn->events;
    struct note *note;

    if (!event_on(conn, event) || e->note_count == NOTES_MOST)
        return;
    note = calloc(1, sizeof *note + strlen(line) + 1);
    if (note == NULL)
        return;
    note->event = event;
    strcpy(note->line, line);
    if (e->last != NULL)
        e->last->next = note;
    else
        e->first = note;
    e->last = note;
    e->note_count++;
}

/* --- steps that park --- */

struct sign_request *event_sign_request(const struct conn *conn)
{
    const struct events *e = conn->events;

    return e != NULL && e->open == TLSSHIM_EVENT_SIGN && !e->answered ? helper_question(e->helper) : NULL;
}

/* Without a signature the operation fails, and the handshake with it: of this cause. */
static void settle_signature(struct conn *conn)
{
    struct events *e = conn->events;

    if (e->open != TLSSHIM_EVENT_SIGN)
        return;
    if (event_ask(conn, TLSSHIM_EVENT_SIGN) == ANSWER_REFUSE)
        conn_fail(conn, event_refused(conn, "to sign"));
}

int32_t event_step(struct conn *conn, int32_t (*step)(void *conn), int32_t *result)
{
    int32_t ran;

    if (!conn->setup->helped) {
        *result = step(conn);
        return TLSSHIM_OK;
    }
    settle_signature(conn);
    ran = helper_run(&conn->events->helper, step, conn, result);
    if (ran != TLSSHIM_WANT_EVENT)
        return ran;
    if (helper_question(conn->events->helper) != NULL)
        event_open(conn->events, TLSSHIM_EVENT_SIGN);
    *result = TLSSHIM_WANT_EVENT;
    return TLSSHIM_OK;
}

bool event_parked(const struct conn *conn)
{
    return conn->events != NULL && conn->events->helper != NULL;
}

void event_abandon(struct conn *conn)
{
    if (conn->events == NULL)
        return;
    helper_abandon(&conn->events->helper);
    conn->events->open = 0;
}

/* --- answers --- */

/* Enters a connection and finds the event that waits; `event` 0 = any. */
static int32_t answer_begin(int64_t handle, int32_t event, struct conn_call *call)
{
    int32_t result = conn_enter(handle, call);
    int32_t waiting;

    if (result < 0)
        return result;
    waiting = event_waiting(call->conn);
    if (call->conn->failure != 0)
        result = call->conn->failure;
    else if (waiting == 0)
        result = error_new(TLSSHIM_E_STATE, "no event waits for an answer");
    else if (event != 0 && waiting != event)
        result = error_new(TLSSHIM_E_STATE, "this answers event %d, and event %d is the one that waits (conn_event)",
                           event, waiting);
    if (result < 0)
        conn_leave(call);
    return result;
}

int32_t tlsshim_conn_event(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = call.conn->failure != 0 ? call.conn->failure : event_waiting(call.conn);
    conn_leave(&call);
    return result == 0 ? TLSSHIM_NONE : result;
}

static int32_t event_done(struct events *events, int32_t event)
{
    if (events->first != NULL) {
        note_pop(events);
        return TLSSHIM_OK;
    }
    if (event == TLSSHIM_EVENT_VERIFY)
        return error_new(TLSSHIM_E_STATE, "a verification ends with conn_accept_peer or conn_refuse");
    if (event == TLSSHIM_EVENT_SIGN)
        return error_new(TLSSHIM_E_STATE, "a signature that is wanted ends with conn_sign_with or conn_refuse");
    events->answered = true;
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_event_done(int64_t conn)
{
    struct conn_call call;
    int32_t result = answer_begin(conn, 0, &call);

    if (result < 0)
        return result;
    result = event_done(call.conn->events, event_waiting(call.conn));
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_accept_peer(int64_t conn)
{
    struct conn_call call;
    int32_t result = answer_begin(conn, TLSSHIM_EVENT_VERIFY, &call);

    if (result < 0)
        return result;
    call.conn->events->answered = true;
    conn_leave(&call);
    return TLSSHIM_OK;
}

/* The alerts that the backend can be made to send (RFC 8446 section 6.2). */
static bool alert_known(int32_t alert)
{
    return alert == SSL_AD_HANDSHAKE_FAILURE ||
           (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) || alert == SSL_AD_UNKNOWN_CA ||
           alert == SSL_AD_DECRYPT_ERROR || alert == SSL_AD_INTERNAL_ERROR;
}

static int32_t refuse(struct events *events, int32_t event, int32_t alert)
{
    bool own_end = event == TLSSHIM_EVENT_CERTIFICATE || event == TLSSHIM_EVENT_SIGN;

    if (events->first != NULL)
        return error_new(TLSSHIM_E_STATE, "event %d only tells: it ends with conn_event_done", event);
    if (!alert_known(alert))
        return error_new(TLSSHIM_E_ARGUMENT, "alert %d cannot be sent: 40, 42 to 46, 48, 51 and 80 can", alert);
    if (own_end && alert != SSL_AD_INTERNAL_ERROR)
        return error_new(TLSSHIM_E_ARGUMENT, "what this end lacks is told by alert 80 (internal_error), not by %d",
                         alert);
    events->refusal = alert;
    events->answered = true;
    context_drop(events->context);
    events->context = NULL;
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_refuse(int64_t conn, int32_t alert)
{
    struct conn_call call;
    int32_t result = answer_begin(conn, 0, &call);

    if (result < 0)
        return result;
    result = refuse(call.conn->events, event_waiting(call.conn), alert);
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_sign_with(int64_t conn, const void *signature, int32_t signature_len)
{
    struct conn_call call;
    struct bytes in;
    int32_t result = answer_begin(conn, TLSSHIM_EVENT_SIGN, &call);

    if (result < 0)
        return result;
    result = bytes_in(signature, signature_len, SIGNATURE_LIMIT, "signature", &in);
    if (result == TLSSHIM_OK)
        result = sign_request_answer(event_sign_request(call.conn), in);
    if (result == TLSSHIM_OK)
        call.conn->events->answered = true;
    conn_leave(&call);
    return result;
}
