/* Stream work through hiredis. usage: hiredis PORT */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}

static int is(const redisReply *reply, int type, const char *text) {
    return reply != NULL && reply->type == type && strcmp(reply->str, text) == 0;
}

static redisContext *connect_to(int port) {
    redisContext *client = redisConnect("127.0.0.1", port);
    check(client != NULL && client->err == 0, "a connection");
    return client;
}

int main(int count, char **arguments) {
    check(count == 2, "usage: hiredis PORT");
    int port = atoi(arguments[1]);
    redisContext *client = connect_to(port);
    redisReply *reply, *again;
    check(is(redisCommand(client, "FLUSHALL"), REDIS_REPLY_STATUS, "OK"), "an empty server");

    /* Appending, and idempotent appends. */
    redisReply *first = redisCommand(client, "XADD s * n %d", 1);
    check(first->type == REDIS_REPLY_STRING, "an ID");
    reply = redisCommand(client, "XADD s IDMP p i1 * n %b", "\0\r\n", (size_t)3);
    again = redisCommand(client, "XADD s IDMP p i1 * n %b", "\0\r\n", (size_t)3);
    check(is(again, REDIS_REPLY_STRING, reply->str), "a duplicate");
    reply = redisCommand(client, "XRANGE s - +");
    check(reply->elements == 2, "two entries");
    check(reply->element[1]->element[1]->element[1]->len == 3, "a value of three bytes");

    /* A pipeline. */
    for (int n = 0; n < 500; n++) redisAppendCommand(client, "XADD many * n %d", n);
    for (int n = 0; n < 500; n++) {
        check(redisGetReply(client, (void **)&reply) == REDIS_OK, "a reply in a pipeline");
        check(reply->type == REDIS_REPLY_STRING, "an ID in a pipeline");
    }

    /* A group. */
    check(is(redisCommand(client, "XGROUP CREATE s g 0"), REDIS_REPLY_STATUS, "OK"), "a group");
    reply = redisCommand(client, "XREADGROUP GROUP g alice COUNT 1 STREAMS s >");
    check(is(reply->element[0]->element[1]->element[0]->element[0], REDIS_REPLY_STRING, first->str),
          "what is delivered");
    reply = redisCommand(client, "XACK s g %s", first->str);
    check(reply->integer == 1, "acknowledged");

    /* Waiting: in vain, and for what is there. */
    reply = redisCommand(client, "XREAD BLOCK 10 STREAMS s $");
    check(reply->type == REDIS_REPLY_NIL, "a wait in vain");
    reply = redisCommand(client, "XREAD BLOCK 1000 STREAMS s %s", first->str);
    check(reply->elements == 1, "a wait");
    redisCommand(client, "RPUSH l a");
    reply = redisCommand(client, "BLPOP l 1");
    check(reply->elements == 2 && is(reply->element[1], REDIS_REPLY_STRING, "a"), "a pop");

    /* A transaction, which is done or not at all. */
    redisCommand(client, "MULTI");
    redisCommand(client, "INCR counter");
    redisCommand(client, "HSET h f v");
    reply = redisCommand(client, "EXEC");
    check(reply->elements == 2 && reply->element[1]->integer == 1, "a transaction");
    redisContext *other = connect_to(port);
    redisCommand(client, "WATCH counter");
    redisCommand(other, "INCR counter");
    redisCommand(client, "MULTI");
    redisCommand(client, "INCR counter");
    reply = redisCommand(client, "EXEC");
    check(reply->type == REDIS_REPLY_NIL, "an aborted transaction");
    check(is(redisCommand(client, "GET counter"), REDIS_REPLY_STRING, "2"), "the counter");
    redisFree(other);
    redisFree(client);
    return 0;
}
