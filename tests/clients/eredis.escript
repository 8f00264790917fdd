#!/usr/bin/env escript
%% Stream work through eredis. usage: eredis.escript PORT
main([Port]) ->
    {ok, Client} = eredis:start_link("127.0.0.1", list_to_integer(Port)),
    Ask = fun(Words) -> eredis:q(Client, Words) end,
    {ok, <<"OK">>} = Ask(["FLUSHALL"]),

    %% Appending, and idempotent appends.
    {ok, First} = Ask(["XADD", "s", "*", "n", "1"]),
    {ok, Id} = Ask(["XADD", "s", "IDMP", "p", "i1", "*", "n", "2"]),
    {ok, Id} = Ask(["XADD", "s", "IDMP", "p", "i1", "*", "n", "2"]),
    {ok, [[First, [<<"n">>, <<"1">>]], [Id, [<<"n">>, <<"2">>]]]} = Ask(["XRANGE", "s", "-", "+"]),

    %% A pipeline.
    Many = eredis:qp(Client, [["XADD", "many", "*", "n", integer_to_list(N)] || N <- lists:seq(1, 500)]),
    500 = length(lists:usort([One || {ok, One} <- Many])),

    %% A group.
    {ok, <<"OK">>} = Ask(["XGROUP", "CREATE", "s", "g", "0"]),
    {ok, [[<<"s">>, [[First, _]]]]} =
        Ask(["XREADGROUP", "GROUP", "g", "alice", "COUNT", "1", "STREAMS", "s", ">"]),
    {ok, <<"1">>} = Ask(["XACK", "s", "g", First]),

    %% Waiting: in vain, and for what is there.
    {ok, undefined} = Ask(["XREAD", "BLOCK", "10", "STREAMS", "s", "$"]),
    {ok, [[<<"s">>, [[Id, _]]]]} = Ask(["XREAD", "BLOCK", "1000", "STREAMS", "s", First]),
    {ok, <<"1">>} = Ask(["RPUSH", "l", "a"]),
    {ok, [<<"l">>, <<"a">>]} = Ask(["BLPOP", "l", "1"]),

    %% A transaction, which is done or not at all.
    {ok, <<"OK">>} = Ask(["MULTI"]),
    {ok, <<"QUEUED">>} = Ask(["INCR", "counter"]),
    {ok, <<"QUEUED">>} = Ask(["HSET", "h", "f", "v"]),
    {ok, [<<"1">>, <<"1">>]} = Ask(["EXEC"]),
    {ok, Other} = eredis:start_link("127.0.0.1", list_to_integer(Port)),
    {ok, <<"OK">>} = Ask(["WATCH", "counter"]),
    {ok, <<"2">>} = eredis:q(Other, ["INCR", "counter"]),
    {ok, <<"OK">>} = Ask(["MULTI"]),
    {ok, <<"QUEUED">>} = Ask(["INCR", "counter"]),
    {ok, undefined} = Ask(["EXEC"]),
    {ok, <<"2">>} = Ask(["GET", "counter"]).
