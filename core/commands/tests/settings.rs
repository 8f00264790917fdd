//! Whatever a stream or a group can be told goes where the stream goes, and is left out, and told,
//! where Redis is to read the stream. Driven by the lists of settings, so that none is forgotten.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use engine::clients::session::SessionId;
use node::Node;
use resp::{ArgvBuf, Protocol, Reply};
use stream::{Beyond, Form, GroupSettings, Row, SettingValue, Settings, Stream, StreamSettings};

/// How an owner of settings is asked and told.
struct Owner {
    /// The request that tells one, of stream `s`.
    set: &'static str,
    /// The request that tells all of a stream's, with `KEY` for the stream.
    get: &'static str,
    /// What else must be told with a setting, by its word.
    companions: &'static [(&'static str, &'static str)],
    /// What an export says of one.
    beyond: fn(&'static str, Vec<u8>) -> Beyond,
}

const STREAM: Owner = Owner {
    set: "XCFGSET s",
    get: "XCFGGET KEY",
    companions: &[],
    beyond: |word, value| Beyond::Setting { word, value },
};

const GROUP: Owner = Owner {
    set: "XGROUP SETCFG s g",
    get: "XGROUP GETCFG KEY g",
    companions: &[
        ("MAXDELIVERIES", "DEADLETTER dead"),
        ("JITTER", "BACKOFF 1 2"),
    ],
    beyond: |word, value| Beyond::GroupSetting {
        group: b"g".to_vec(),
        word,
        value,
    },
};

#[test]
fn each_setting_of_a_stream_goes_where_the_stream_goes_and_not_to_redis() {
    each_setting_goes_along::<StreamSettings>(&STREAM);
}

#[test]
fn each_setting_of_a_group_goes_where_the_stream_goes_and_not_to_redis() {
    each_setting_goes_along::<GroupSettings>(&GROUP);
}

fn each_setting_goes_along<S: Settings>(owner: &Owner) {
    for row in S::ROWS {
        let value = another_value(row);
        let word = row.word;
        let companion = owner.companions.iter().find(|(of, _)| *of == word);
        let companion = companion.map_or(String::new(), |(_, with)| format!(" {with}"));

        let mut node = Node::new();
        node.ask("XADD s 1-1 f v");
        node.ask("XGROUP CREATE s g 0");
        let told = |node: &mut Node, key: &str| node.ask(&owner.get.replace("KEY", key));
        let before = told(&mut node, "s");
        let set = format!("{} {word} {value}{companion}", owner.set);
        assert_eq!(node.ask(&set), "+OK\r\n", "{set}");
        let settings = told(&mut node, "s");
        assert_ne!(settings, before, "{word}");
        assert!(settings.contains(&word.to_lowercase()), "{word}");
        let full = node.ask("XINFO STREAM s FULL");
        assert!(full.contains(&word.to_lowercase()), "{word}");

        let get = owner.get.replace("KEY", "s");
        node.same(&[&get, "XINFO STREAM s FULL", "DEBUG DIGEST-VALUE s"]);
        node.ask("COPY s copy");
        assert_eq!(told(&mut node, "copy"), settings, "{word}: COPY");
        node.ask("RENAME copy other");
        assert_eq!(told(&mut node, "other"), settings, "{word}: RENAME");
        node.ask("MOVE other 1");
        node.ask("SELECT 1");
        assert_eq!(told(&mut node, "other"), settings, "{word}: MOVE");
        node.ask("SELECT 0");
        node.wait(1000);
        restore(&mut node, "s", "again");
        assert_eq!(told(&mut node, "again"), settings, "{word}: DUMP");

        let (within, beyond) = exported(&mut node);
        let listed = (owner.beyond)(word, value.into_bytes());
        assert!(beyond.contains(&listed), "{word} is not among {beyond:?}");
        assert!(!within.is_beyond_redis(), "{word} is exported");
    }
}

/// The text of a value that is not the default.
fn another_value<S: Settings>(row: &Row<S>) -> String {
    let default = S::default();
    let default = (row.get)(&default);
    let value = match row.form {
        Form::Word(words) => {
            let mut places = (0..words.len() as u64).map(SettingValue::Number);
            places.find(|place| *place != default).unwrap()
        }
        // Far from any bound that something in the stream is beyond.
        Form::Number { max, .. } => SettingValue::Number(max),
        Form::Span { max } => SettingValue::Span(1, max),
        Form::Text { .. } => SettingValue::Text(b"other"),
    };
    assert_ne!(value, default, "{}", row.word);
    String::from_utf8(row.form.text_of(value).into_owned()).unwrap()
}

/// Makes a stream of the payload of another one.
fn restore(node: &mut Node, from: &str, to: &str) {
    let now = node.now;
    let session = node.engine.connect(String::new(), String::new(), now);
    let dumped = ask_bytes(node, session, &[b"DUMP", from.as_bytes()]);
    let start = dumped.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
    let payload = &dumped[start..dumped.len() - 2];
    let restore = [&b"RESTORE"[..], to.as_bytes(), b"0", payload];
    assert_eq!(ask_bytes(node, session, &restore), b"+OK\r\n");
}

fn ask_bytes(node: &mut Node, session: SessionId, words: &[&[u8]]) -> Vec<u8> {
    let argv: ArgvBuf = words.iter().copied().collect();
    let mut reply = Reply::new(Protocol::Resp2);
    let now = node.now;
    let _ = node
        .engine
        .request(session, argv.as_argv(), now, &mut reply);
    reply.into_bytes()
}

/// Stream `s` as `weir export` writes it, and what that has left out.
fn exported(node: &mut Node) -> (Stream, Vec<Beyond>) {
    let frozen = node.engine.freeze();
    let mut records = frozen.databases[0].iter();
    let record = records.find(|record| record.key() == b"s").unwrap();
    let stream = record.value().get::<Stream>().unwrap();
    stream.within_redis(node.now.stream_ms())
}
