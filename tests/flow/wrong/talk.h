/* For those who talk wrongly: editing what a record holds. */
#ifndef TESTS_FLOW_WRONG_TALK_H
#define TESTS_FLOW_WRONG_TALK_H

#include "wrong.h"

/* Numbers of two bytes. */
size_t number_at(const struct piece *piece, size_t at);
void put_number(struct piece *piece, size_t at, size_t n);
/* Puts other bytes in the place of some; the message's length follows. */
void splice(struct piece *piece, size_t at, size_t gone, const void *data, size_t len);
bool modern(const struct rogue *rogue);
enum { USER_CANCELED = 90 };
/* More alerts than anybody needs to say something. */
void flood(struct rogue *rogue, const char *alert);

#endif
