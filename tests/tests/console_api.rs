//! The API of the console: what it tells, what it does, and that its description is true.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;

use serde_json::{Value, json};

use weir_tests::client::{Client, Protocol};
use weir_tests::http::{ask, connect, get, serve};
use weir_tests::json_schema;
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::sockets::text;

/// `alice:secret`, as HTTP basic authentication sends it.
const ALICE: &str = "Basic YWxpY2U6c2VjcmV0";

fn started(settings: &[(&str, &str)]) -> (Server, SocketAddr, Client) {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, settings).unwrap();
    let client = server.connect(Protocol::Resp2).unwrap();
    (server, at, client)
}

fn run(client: &mut Client, requests: &[&str]) {
    for request in requests {
        let words: Vec<&str> = request.split(' ').collect();
        let reply = client.command(&words).unwrap().to_string();
        assert!(!reply.contains("ERR"), "{request}: {reply}");
    }
}

fn read(at: SocketAddr, path: &str) -> Value {
    let answer = get(at, path).unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn post(at: SocketAddr, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let usual = [("content-type", "application/json")];
    let headers: Vec<_> = usual.iter().chain(headers).copied().collect();
    let answer = ask(at, "POST", path, &headers, &body.to_string()).unwrap();
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

const ORDERS: &[&str] = &[
    "XADD orders 1-1 item tea",
    "XADD orders 2-1 item milk size large",
    "XADD orders 3-1 item bread",
    "XADD orders IDMP till 1 * item tea",
    "XADD orders IDMP till 1 * item tea",
    "XGROUP CREATE orders kitchen 0",
    "XREADGROUP GROUP kitchen ann COUNT 2 STREAMS orders >",
    "XADD small 1-1 a b",
    "SET text value PX 100000",
];

#[test]
fn each_path_answers_as_its_description_says() {
    let settings = [("appendonly", "yes"), ("slowlog-log-slower-than", "0")];
    let (_server, at, mut client) = started(&settings);
    run(&mut client, ORDERS);
    run(&mut client, &["XCFGSET orders IDMP-STATS ON"]);
    let document = read(at, "/api/v1/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(operation) = operations.get("get") else {
            continue;
        };
        let content = &operation["responses"]["200"]["content"];
        let Some(schema) = content.get("application/json").map(|json| &json["schema"]) else {
            continue;
        };
        let path = path
            .replace("{stream}", "orders")
            .replace("{group}", "kitchen")
            .replace("{key}", "text");
        // A server that is alone has no cluster; `group_shown` looks at one.
        if path.ends_with("openapi.json") || path == "/api/v1/cluster" {
            continue;
        }
        let value = read(at, &path);
        json_schema::check(&value, schema, &document, &path).unwrap();
        asked += 1;
        // A parameter that is not in the description is refused, and so is a number beyond its
        // bound; what is missing is told as described.
        for query in ["?odd=1", "?count=1001", "?db=65536"] {
            let answer = get(at, &format!("{path}{query}")).unwrap();
            let is_known = operation["parameters"].to_string().contains(&query[1..3]);
            assert!(
                answer.status == 400,
                "{path}{query} {is_known}: {}",
                answer.body
            );
            let fault = &document["components"]["schemas"]["Fault"];
            let told = serde_json::from_str(&answer.body).unwrap();
            json_schema::check(&told, fault, &document, &path).unwrap();
        }
    }
    assert!(asked >= 12, "{asked}");
    let (status, done) = post(
        at,
        "/api/v1/streams/orders/entries?dry-run=true",
        &[],
        &json!({
            "fields": [["a", "b"]]
        }),
    );
    assert_eq!(status, 200);
    let schema = &document["components"]["schemas"]["Done"];
    json_schema::check(&done, schema, &document, "done").unwrap();
}

#[test]
fn streams_are_sorted_filtered_and_paged() {
    let (_server, at, mut client) = started(&[]);
    for n in 0..25 {
        for id in 0..=n {
            let id = format!("{}-1", id + 1);
            text(&mut client, &["XADD", &format!("s:{n:02}"), &id, "f", "v"]);
        }
    }
    run(
        &mut client,
        &["XADD other:1 1-1 f v", "SELECT 1", "XADD far 1-1 f v"],
    );
    let names = |query: &str| -> Vec<String> {
        let page = read(at, &format!("/api/v1/streams{query}"));
        let streams = page["streams"].as_array().unwrap().iter();
        streams
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("?sort=length&count=2"), ["s:24", "s:23"]);
    assert_eq!(names("?sort=name&count=2&db=0"), ["other:1", "s:00"]);
    assert_eq!(names("?sort=name&count=1&reverse=true"), ["s:24"]);
    assert_eq!(names("?match=s:1%3f&sort=name").len(), 10);
    assert_eq!(names("?db=1"), ["far"]);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(at, &format!("/api/v1/streams?sort=name&count=10{cursor}"));
        assert_eq!(page["total"], 27);
        for row in page["streams"].as_array().unwrap() {
            seen.push(row["name"].as_str().unwrap().to_owned());
        }
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 27);
    assert!(seen.is_sorted());
    assert_eq!(get(at, "/api/v1/streams?sort=odd").unwrap().status, 400);
    assert_eq!(get(at, "/api/v1/streams?cursor=x").unwrap().status, 400);
}

#[test]
fn entries_are_listed_by_range_and_searched() {
    let (_server, at, mut client) = started(&[]);
    run(&mut client, ORDERS);
    let ids = |query: &str| -> Vec<String> {
        let page = read(at, &format!("/api/v1/streams/orders/entries{query}"));
        let entries = page["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("?to=3"), ["1-1", "2-1", "3-1"]);
    assert_eq!(ids("?from=2&to=3"), ["2-1", "3-1"]);
    assert_eq!(ids("?from=3-1&reverse=true"), ["3-1", "2-1", "1-1"]);
    assert_eq!(ids("?contains=mil"), ["2-1"]);
    assert_eq!(ids("?contains=large"), ["2-1"]);
    assert!(ids("?contains=nowhere").is_empty());
    assert!(ids("?count=0").is_empty());
    let page = read(at, "/api/v1/streams/orders/entries?count=2");
    assert_eq!(page["next"], "(2-1");
    assert_eq!(
        page["entries"][1]["fields"],
        json!([
            { "name": "item", "value": "milk" },
            { "name": "size", "value": "large" }
        ])
    );
    assert_eq!(ids("?from=(2-1&count=1"), ["3-1"]);
    let missing = get(at, "/api/v1/streams/text/entries").unwrap();
    assert_eq!(missing.status, 409, "{}", missing.body);
    assert_eq!(get(at, "/api/v1/streams/nothing").unwrap().status, 404);
}

#[test]
fn bytes_that_are_no_text_come_and_go_in_base64() {
    let (_server, at, mut client) = started(&[]);
    let add = json!({ "id": "1-1", "fields": [[{ "base64": "/w==" }, "<script>"]] });
    // The name of the stream is a byte that is no text, too, and a slash.
    let path = "/api/v1/streams/%ff%2F/entries";
    assert_eq!(post(at, path, &[], &add).0, 200);
    let page = read(at, path);
    assert_eq!(
        page["entries"][0]["fields"][0],
        json!({ "name": { "base64": "/w==" }, "value": "<script>" })
    );
    let streams = read(at, "/api/v1/streams");
    assert_eq!(streams["streams"][0]["name"], json!({ "base64": "/y8=" }));
    let size = client.command(&["DBSIZE"]).unwrap();
    assert!(size.to_string().contains('1'), "{size}");
}

#[test]
fn names_that_no_path_can_have_are_given_as_parameters() {
    let (_server, at, mut client) = started(&[]);
    for name in ["", ".", "..", "-"] {
        for words in [
            &["XADD", name, "1-1", "of", name][..],
            &["XGROUP", "CREATE", name, name, "0"],
        ] {
            client.command(words).unwrap();
        }
        let query = format!("?stream={name}");
        let stream = read(at, &format!("/api/v1/streams/-{query}"));
        assert_eq!(stream["name"], name);
        let entries = read(at, &format!("/api/v1/streams/-/entries{query}"));
        assert_eq!(entries["entries"][0]["fields"][0]["value"], name);
        let group = read(
            at,
            &format!("/api/v1/streams/-/groups/-{query}&group={name}"),
        );
        assert_eq!(group["name"], name);
        let key = read(at, &format!("/api/v1/keys/-?key={name}"));
        assert_eq!(key["kind"], "stream");
        let path = format!("/api/v1/streams/-/entries{query}");
        let (status, done) = post(at, &path, &[], &json!({ "fields": [["a", "b"]] }));
        assert_eq!(status, 200, "{done}");
        assert_eq!(client.command(&["XLEN", name]).unwrap().to_string(), "2");
    }
    // Without the parameter, a dash is a name like another; beside another name it is refused.
    assert_eq!(read(at, "/api/v1/streams/-")["name"], "-");
    for odd in [
        "/api/v1/streams/orders?stream=..",
        "/api/v1/streams/-?key=..",
        "/api/v1/streams?stream=..",
    ] {
        assert_eq!(get(at, odd).unwrap().status, 400, "{odd}");
    }
}

#[test]
fn an_action_says_first_what_it_would_do_and_then_does_it() {
    let (_server, at, mut client) = started(&[]);
    run(&mut client, ORDERS);
    let group = "/api/v1/streams/orders/groups/kitchen";
    let pending = || -> Vec<(String, String)> {
        let page = read(at, &format!("{group}/pending"));
        let pending = page["pending"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        pending
            .map(|of| (text(&of["id"]), text(&of["consumer"])))
            .collect()
    };
    let of = |id: &str, consumer: &str| (id.to_owned(), consumer.to_owned());
    let both = |path: &str, body: &Value, count: u64| {
        let path = format!("{group}/{path}");
        let before = pending();
        let (status, would) = post(at, &format!("{path}?dry-run=true"), &[], body);
        assert_eq!(status, 200, "{would}");
        assert_eq!(pending(), before);
        assert_eq!(
            (&would["dry_run"], &would["allowed"]),
            (&json!(true), &json!(true))
        );
        let (status, did) = post(at, &path, &[], body);
        assert_eq!(status, 200, "{did}");
        assert_eq!(did["dry_run"], json!(false));
        for told in ["command", "summary", "count"] {
            assert_eq!(would[told], did[told], "{told}");
        }
        assert_eq!(did["count"], json!(count), "{did}");
    };
    assert_eq!(pending(), [of("1-1", "ann"), of("2-1", "ann")]);
    both(
        "claim",
        &json!({ "ids": ["1-1", "9-9"], "consumer": "bob" }),
        1,
    );
    assert_eq!(pending(), [of("1-1", "bob"), of("2-1", "ann")]);
    let patient = json!({ "ids": ["1-1"], "consumer": "ann", "min_idle_ms": 10_000_000 });
    both("claim", &patient, 0);
    both("nack", &json!({ "ids": ["2-1"] }), 1);
    assert_eq!(pending(), [of("1-1", "bob"), of("2-1", "")]);
    both("ack", &json!({ "ids": ["1-1", "3-1"] }), 1);
    assert_eq!(pending(), [of("2-1", "")]);
    both("set-id", &json!({ "id": "0" }), 1);
    let groups = read(at, "/api/v1/streams/orders/groups");
    assert_eq!(groups["groups"][0]["last_delivered_id"], "0-0");

    let settings = "/api/v1/streams/orders/settings";
    let change = json!({ "maxsize": 1000 });
    let (_, would) = post(at, &format!("{settings}?dry-run=true"), &[], &change);
    let summary = would["summary"].as_str().unwrap();
    assert!(
        summary.contains("1000 IDs for each producer instead of 100"),
        "{summary}"
    );
    assert!(summary.contains("forgets 1 IDs"), "{summary}");
    assert_eq!(
        read(at, "/api/v1/streams/orders")["idempotence"]["maxsize"],
        100
    );
    let kept = json!({ "maxsize": 1000, "keep": true });
    assert_eq!(post(at, settings, &[], &kept).0, 200);
    let after = &read(at, "/api/v1/streams/orders")["idempotence"];
    assert_eq!(
        (&after["maxsize"], &after["iids"]),
        (&json!(1000), &json!(1))
    );

    let add = json!({ "idempotent": { "producer": "till", "iid": "2" }, "fields": [["a", "b"]] });
    let entries = "/api/v1/streams/orders/entries";
    let length = || read(at, "/api/v1/streams/orders")["length"].clone();
    assert_eq!(
        post(at, &format!("{entries}?dry-run=true"), &[], &add).0,
        200
    );
    assert_eq!(length(), json!(4));
    let (first, second) = (post(at, entries, &[], &add), post(at, entries, &[], &add));
    assert_eq!(first.1["id"], second.1["id"]);
    assert_eq!(length(), json!(5));
}

#[test]
fn settings_are_told_and_changed() {
    let (_server, at, mut client) = started(&[]);
    run(&mut client, ORDERS);
    let path = "/api/v1/streams/orders/settings";
    let told = || read(at, path)["settings"].clone();
    assert_eq!(told()["idmp-duration"], 100);
    assert_eq!(told()["idmp-conflict"], "IGNORE");
    let change = json!({ "settings": { "idmp-conflict": "ERROR", "idmp-stats": "OFF" } });
    let (_, would) = post(at, &format!("{path}?dry-run=true"), &[], &change);
    let summary = "idmp-conflict is 'ERROR' instead of 'IGNORE'";
    assert_eq!(
        (&would["summary"], &would["count"]),
        (&json!(summary), &json!(1))
    );
    assert_eq!(told()["idmp-conflict"], "IGNORE");
    assert_eq!(post(at, path, &[], &change).1["summary"], summary);
    assert_eq!(told()["idmp-conflict"], "ERROR");
    for odd in [
        json!({ "settings": { "odd": 1 } }),
        // Those that forget have names of their own.
        json!({ "settings": { "idmp-maxsize": 1 } }),
    ] {
        assert_eq!(post(at, path, &[], &odd).0, 400, "{odd}");
    }
    assert_eq!(post(at, path, &[], &json!({})).0, 422);

    let group = "/api/v1/streams/orders/groups/kitchen";
    let change = json!({ "settings": { "deadletter": "dead", "maxdeliveries": 3 } });
    let (status, did) = post(at, &format!("{group}/settings"), &[], &change);
    assert_eq!((status, &did["count"]), (200, &json!(2)), "{did}");
    assert_eq!(
        read(at, &format!("{group}/settings"))["settings"]["maxdeliveries"],
        3
    );
    let told = read(at, group);
    assert_eq!(
        told["dead_letters"],
        json!({ "stream": "dead", "entries": 0 })
    );
    assert_eq!(
        (&told["name"], &told["pending"]),
        (&json!("kitchen"), &json!(2))
    );
    assert_eq!(
        get(at, "/api/v1/streams/orders/groups/none")
            .unwrap()
            .status,
        404
    );
}

#[test]
fn a_window_that_is_too_small_is_advised_to_grow() {
    let (_server, at, mut client) = started(&[]);
    run(&mut client, &["XGROUP CREATE orders kitchen 0 MKSTREAM"]);
    let path = "/api/v1/streams/orders";
    let fit = || read(at, &format!("{path}/idempotence"));
    assert_eq!(
        (&fit()["producers"], &fit()["advice"]),
        (&json!(0), &Value::Null)
    );
    let told =
        json!({ "duration_seconds": 5000, "maxsize": 10, "settings": { "idmp-stats": "ON" } });
    assert_eq!(post(at, &format!("{path}/settings"), &[], &told).0, 200);
    let mut sale = 0;
    let mut sell = |count: u64| {
        for _ in 0..count {
            sale += 1;
            run(
                &mut client,
                &[&format!("XADD orders IDMP till {sale} * item tea")],
            );
        }
    };
    sell(9);
    let told = fit();
    assert_eq!(
        (&told["full"], &told["advice"]),
        (&json!(0), &Value::Null),
        "{told}"
    );
    assert_eq!(told["busiest"]["window_used_percent"], 90);
    sell(3);
    let told = fit();
    assert_eq!(
        (&told["full"], &told["dropped"]),
        (&json!(1), &json!(2)),
        "{told}"
    );
    let advice = &told["advice"];
    assert!(advice["maxsize"].as_u64().unwrap() >= 20, "{told}");
    assert_eq!(advice["duration_seconds"], 5000, "{told}");
    let apply = json!({
        "duration_seconds": advice["duration_seconds"],
        "maxsize": advice["maxsize"],
        "keep": true
    });
    assert_eq!(post(at, &format!("{path}/settings"), &[], &apply).0, 200);
    assert_eq!(fit()["full"], 0);
    run(&mut client, &["XCFGSET orders IDMP-MODE MONOTONE"]);
    assert_eq!(
        (&fit()["monotone"], &fit()["advice"]),
        (&json!(true), &Value::Null)
    );
}

#[test]
fn delayed_entries_are_listed_and_taken_back() {
    let (_server, at, mut client) = started(&[]);
    run(
        &mut client,
        &[
            "XADD mails AT 4102444800000 * to ann",
            "XADD mails AT 4102444700000 * to bob",
        ],
    );
    let path = "/api/v1/streams/mails/delayed";
    assert_eq!(read(at, "/api/v1/streams/mails")["delayed"], 2);
    let page = read(at, &format!("{path}?count=1"));
    let first = json!({
        "ticket": "@4102444700000-2",
        "due_ms": 4_102_444_700_000_u64,
        "fields": [{ "name": "to", "value": "bob" }]
    });
    assert_eq!(
        (&page["total"], &page["entries"]),
        (&json!(2), &json!([first]))
    );
    let next = page["next"].as_str().unwrap();
    let page = read(at, &format!("{path}?after={next}"));
    assert_eq!(page["entries"][0]["ticket"], "@4102444800000-1");
    assert_eq!(page["next"], Value::Null);

    let cancel = format!("{path}/cancel");
    let body = json!({ "ticket": "@4102444700000-2" });
    let (_, would) = post(at, &format!("{cancel}?dry-run=true"), &[], &body);
    assert_eq!(
        (&would["dry_run"], &would["count"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(read(at, path)["total"], 2);
    assert_eq!(post(at, &cancel, &[], &body).1["count"], 1);
    assert_eq!(read(at, path)["total"], 1);
    assert_eq!(post(at, &cancel, &[], &body).1["count"], 0);
    for query in ["", "?dry-run=true"] {
        let odd = post(
            at,
            &format!("{cancel}{query}"),
            &[],
            &json!({ "ticket": "1-1" }),
        );
        assert_eq!(odd.0, 422, "{query}");
    }

    let add = json!({ "delay_ms": 100_000_000_u64, "fields": [["to", "cleo"]] });
    let (_, did) = post(at, "/api/v1/streams/mails/entries", &[], &add);
    assert!(did["id"].as_str().unwrap().starts_with('@'), "{did}");
    assert_eq!(read(at, path)["total"], 2);
}

#[test]
fn dead_letters_go_back_to_where_they_come_from() {
    let (_server, at, mut client) = started(&[]);
    run(&mut client, ORDERS);
    run(
        &mut client,
        &[
            "XGROUP SETCFG orders kitchen DEADLETTER dead",
            "XNACK orders kitchen FATAL IDS 2 1-1 2-1",
            "XADD dead * no letter",
        ],
    );
    let dead =
        || read(at, "/api/v1/streams/orders/groups/kitchen")["dead_letters"]["entries"].clone();
    assert_eq!(dead(), 3);
    let redrive = |query: &str, body: Value| {
        let path = format!("/api/v1/streams/dead/redrive{query}");
        let (status, told) = post(at, &path, &[], &body);
        assert_eq!(status, 200, "{told}");
        told["count"].as_u64().unwrap()
    };
    for (body, count) in [
        (json!({ "destination": "orders" }), 2),
        (json!({ "destination": "orders", "count": 1 }), 1),
        (json!({ "destination": "orders", "group": "other" }), 0),
        (json!({ "destination": "small" }), 0),
        (json!({ "destination": "orders", "ids": ["1-1"] }), 0),
    ] {
        assert_eq!(redrive("?dry-run=true", body.clone()), count, "{body}");
    }
    assert_eq!(dead(), 3);
    assert_eq!(
        redrive("", json!({ "destination": "orders", "count": 1 })),
        1
    );
    assert_eq!(redrive("", json!({ "destination": "orders" })), 1);
    assert_eq!(dead(), 1);
    for odd in [0, 1001] {
        let body = json!({ "destination": "orders", "count": odd });
        assert_eq!(post(at, "/api/v1/streams/dead/redrive", &[], &body).0, 400);
    }
}

#[test]
fn keys_of_all_types_are_shown_a_page_at_a_time() {
    let (_server, at, mut client) = started(&[]);
    run(
        &mut client,
        &[
            "SET text value PX 100000",
            "RPUSH list a b c",
            "SADD set a",
            "HSET hash field value",
            "ZADD scores 1.5 a inf b",
            "XADD log 1-1 a b",
        ],
    );
    let text = read(at, "/api/v1/keys/text");
    assert_eq!(
        (&text["kind"], &text["length"]),
        (&json!("string"), &json!(5))
    );
    assert_eq!(text["elements"][0]["value"], "value");
    assert!(
        text["expires_in_ms"]
            .as_u64()
            .is_some_and(|ms| ms <= 100_000)
    );
    assert!(text["bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    assert_eq!(text["encoding"], "embstr");
    let values = |query: &str| -> (Vec<String>, Value) {
        let key = read(at, &format!("/api/v1/keys/list?{query}"));
        let elements = key["elements"].as_array().unwrap().iter();
        let values = elements.map(|of| of["value"].as_str().unwrap().to_owned());
        (values.collect(), key["cursor"].clone())
    };
    assert_eq!(
        values("count=2"),
        (vec!["a".into(), "b".into()], json!("2"))
    );
    assert_eq!(values("count=2&cursor=2"), (vec!["c".into()], Value::Null));
    assert_eq!(values("count=0"), (vec![], json!("0")));
    assert_eq!(values("cursor=18446744073709551615"), (vec![], Value::Null));
    assert_eq!(read(at, "/api/v1/keys/set")["elements"][0]["value"], "a");
    let hash = &read(at, "/api/v1/keys/hash")["elements"];
    assert_eq!(
        hash,
        &json!([{ "field": "field", "value": "value", "score": null }])
    );
    let scores = &read(at, "/api/v1/keys/scores")["elements"];
    assert_eq!(
        (&scores[0]["score"], &scores[1]["score"]),
        (&json!(1.5), &json!("inf"))
    );
    let log = read(at, "/api/v1/keys/log");
    assert_eq!(
        (&log["kind"], &log["elements"]),
        (&json!("stream"), &json!([]))
    );
    assert_eq!(get(at, "/api/v1/keys/nothing").unwrap().status, 404);
    // A long string comes in parts.
    let long = "x".repeat(STRING_BYTES_SHOWN_MAX + 1);
    client.command(&["SET", "long", &long]).unwrap();
    let part = |query: &str| {
        let key = read(at, &format!("/api/v1/keys/long{query}"));
        let value = key["elements"][0]["value"].as_str().unwrap().len();
        (value, key["cursor"].clone())
    };
    assert_eq!(part(""), (STRING_BYTES_SHOWN_MAX, json!("65536")));
    assert_eq!(part("?cursor=65536"), (1, Value::Null));
}

/// Bytes of a string that one answer shows (`shell/console/src/limits.rs`).
const STRING_BYTES_SHOWN_MAX: usize = 64 * 1024;

#[test]
fn an_action_is_refused_to_users_who_may_not_and_to_other_sites() {
    let (_server, at, mut client) = started(&[("requirepass", "open")]);
    run(&mut client, &["AUTH open"]);
    run(&mut client, ORDERS);
    run(
        &mut client,
        &["ACL SETUSER alice on >secret %R~orders +@read +hello +select +xack"],
    );
    let alice = [("authorization", ALICE)];
    let ack = "/api/v1/streams/orders/groups/kitchen/ack";
    let body = json!({ "ids": ["1-1"] });
    let (status, would) = post(at, &format!("{ack}?dry-run=true"), &alice, &body);
    assert_eq!((status, &would["allowed"]), (200, &json!(false)), "{would}");
    let (status, refused) = post(at, ack, &alice, &body);
    assert_eq!((status, &refused["error"]), (403, &json!("not-allowed")));
    // Anonymous ones are refused, and nobody has acknowledged anything.
    assert_eq!(post(at, ack, &[], &body).0, 401);
    let pending = client.command(&["XPENDING", "orders", "kitchen"]).unwrap();
    assert!(pending.to_string().contains('2'), "{pending}");
    run(&mut client, &["ACL SETUSER alice ~orders"]);
    let foreign = [alice[0], ("origin", "http://evil.example")];
    assert_eq!(post(at, ack, &foreign, &body).0, 403);
    let plain = [alice[0], ("content-type", "text/plain")];
    let answer = ask(at, "POST", ack, &plain, &body.to_string()).unwrap();
    assert_eq!(answer.status, 415);
    let (status, did) = post(at, ack, &alice, &body);
    assert_eq!((status, &did["count"]), (200, &json!(1)));
    // Another key is not shown, in no way.
    for path in [
        "/api/v1/streams/small",
        "/api/v1/streams/small/entries",
        "/api/v1/overview",
    ] {
        let answer = ask(at, "GET", path, &alice, "").unwrap();
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
    }
    let streams = ask(at, "GET", "/api/v1/streams", &alice, "").unwrap().body;
    assert!(
        streams.contains("orders") && !streams.contains("small"),
        "{streams}"
    );
}

#[test]
fn a_token_stands_for_a_password_as_long_as_that_is_right() {
    let (_server, at, mut client) = started(&[("requirepass", "open")]);
    run(
        &mut client,
        &["AUTH open", "ACL SETUSER alice on >secret +@all ~*"],
    );
    let session = |path: &str, authorization: &str| {
        let headers = [("authorization", authorization)];
        let answer = ask(at, "POST", path, &headers, "").unwrap();
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        (answer.status, told)
    };
    let begin = |authorization: &str| session("/api/v1/session", authorization);
    let overview = |authorization: &str| {
        let headers = [("authorization", authorization)];
        ask(at, "GET", "/api/v1/overview", &headers, "")
            .unwrap()
            .status
    };
    let (status, told) = begin(ALICE);
    assert_eq!((status, &told["expires_in_seconds"]), (200, &json!(43_200)));
    let token = format!("Bearer {}", told["token"].as_str().unwrap());
    assert_eq!(overview(&token), 200);
    for wrong in ["Bearer x", "Bearer ", "Basic YWxpY2U6d3Jvbmc="] {
        assert_eq!((begin(wrong).0, overview(wrong)), (401, 401), "{wrong}");
    }
    // A token makes none, so it ends some day.
    assert_eq!(begin(&token).0, 400);
    assert_eq!(
        ask(at, "POST", "/api/v1/session", &[], "").unwrap().status,
        401
    );
    // It gives no right that the user has no more, and ends with the password.
    run(&mut client, &["ACL SETUSER alice -info"]);
    assert_eq!(overview(&token), 403);
    run(&mut client, &["ACL SETUSER alice +info <secret >other"]);
    assert_eq!(overview(&token), 401);
    run(&mut client, &["ACL SETUSER alice >secret"]);
    assert_eq!(overview(&token), 200);
    assert_eq!(session("/api/v1/session/end", &token).0, 200);
    assert_eq!(overview(&token), 401);
    assert_eq!(session("/api/v1/session/end", ALICE).0, 400);
}

#[test]
fn an_action_takes_as_many_ids_as_the_bound_and_not_one_more() {
    let (_server, at, mut client) = started(&[]);
    run(&mut client, ORDERS);
    let ids = |count: usize| -> Vec<String> { (1..=count).map(|n| format!("{n}-1")).collect() };
    let ack = "/api/v1/streams/orders/groups/kitchen/ack";
    let (status, done) = post(at, ack, &[], &json!({ "ids": ids(1000) }));
    assert_eq!((status, &done["count"]), (200, &json!(2)));
    assert_eq!(post(at, ack, &[], &json!({ "ids": ids(1001) })).0, 400);
    assert_eq!(post(at, ack, &[], &json!({ "ids": [] })).0, 400);
    for odd in [json!({}), json!([]), json!({ "ids": ["1-1"], "odd": 1 })] {
        assert_eq!(post(at, ack, &[], &odd).0, 400, "{odd}");
    }
}

/// Connections at once that listen to events (`shell/console/src/limits.rs`).
const LISTENERS_MAX: usize = 16;

#[test]
fn events_tell_of_changes_to_as_many_as_may_listen() {
    let (_server, at, mut client) = started(&[]);
    let listen = || {
        let mut stream = connect(at).unwrap();
        let request = format!("GET /api/v1/events HTTP/1.1\r\nhost: {at}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream).lines().map(Result::unwrap)
    };
    let mut events = listen();
    assert_eq!(events.next().unwrap(), "HTTP/1.1 200 OK");
    let mut entries = || -> u64 {
        let data = events.find_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
        let overview: Value = serde_json::from_str(&data.unwrap()).unwrap();
        overview["streams"]["entries"].as_u64().unwrap()
    };
    assert_eq!(entries(), 0);
    run(&mut client, &["XADD orders 1-1 item tea"]);
    while entries() == 0 {}
    let mut others: Vec<_> = (1..LISTENERS_MAX).map(|_| listen()).collect();
    for other in &mut others {
        assert_eq!(other.next().unwrap(), "HTTP/1.1 200 OK");
    }
    assert_eq!(get(at, "/api/v1/events").unwrap().status, 503);
}
