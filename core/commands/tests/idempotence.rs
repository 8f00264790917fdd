//! What weir alone knows of idempotent appends comes back from the log as it was lived.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use engine::limits::{PREPARED_BYTES_MIN, PRODUCERS_EVICTED_PER_TIMER_MAX};
use node::Node;

#[test]
fn settings_and_what_they_kept_are_replayed() {
    let mut node = Node::new();
    for iid in 1..5 {
        node.ask(&format!("XADD s IDMP p {iid} * f v"));
        node.wait(1000);
    }
    let look = ["XCFGGET s", "XINFO STREAM s FULL", "DEBUG DIGEST-VALUE s"];
    let changes = [
        "XCFGSET s IDMP-CONFLICT ERROR",
        // The first is over in a second, and does not come back.
        "XCFGSET s IDMP-DURATION 4 KEEPIDS",
        "XCFGSET s IDMP-DURATION 500 KEEPIDS",
        "XCFGSET s IDMP-MAXSIZE 2 KEEPIDS IDMP-CONFLICT IGNORE",
        "XCFGSET s IDMP-MAXSIZE 100 KEEPIDS IDMP-CONFLICT ERROR",
    ];
    for change in changes {
        assert_eq!(node.ask(change), "+OK\r\n");
        node.same(&look);
        node.wait(10);
    }
    node.same(&["XADD s IDMP p 1 * f v", "XADD s IDMP p 4 * f v", "XLEN s"]);
    // What changes nothing is not written down.
    let before = node.engine.log().last();
    node.ask("XCFGSET s IDMP-MAXSIZE 100 KEEPIDS IDMP-CONFLICT ERROR");
    assert_eq!(node.engine.log().last(), before);
    // A copy and a payload have them too.
    node.ask("COPY s copy");
    node.ask("RENAME copy moved");
    let settings = node.ask("XCFGGET s");
    assert_eq!(node.ask("XCFGGET moved"), settings);
    node.same(&["XCFGGET moved", "DEBUG DIGEST-VALUE moved"]);
}

#[test]
fn a_group_gives_again_what_was_held_for_too_long() {
    let mut node = Node::new();
    node.ask("XADD s 1-1 f v");
    node.ask("XADD s 1-2 f w");
    node.ask("XGROUP CREATE s g 0");
    assert_eq!(node.ask("XGROUP SETCFG s g CLAIM 1000"), "+OK\r\n");
    node.same(&[
        "XGROUP GETCFG s g",
        "XINFO STREAM s FULL",
        "DEBUG DIGEST-VALUE s",
    ]);
    let first = node.ask("XREADGROUP GROUP g ann COUNT 1 STREAMS s >");
    assert!(first.contains("1-1"), "{first}");
    node.wait(999);
    let second = node.ask("XREADGROUP GROUP g bob COUNT 1 STREAMS s >");
    assert!(second.contains("1-2"), "{second}");
    node.wait(1);
    // In the form of any other entry.
    assert_eq!(
        node.ask("XREADGROUP GROUP g bob COUNT 1 STREAMS s >"),
        first
    );
    node.same(&["XPENDING s g", "XINFO STREAM s FULL"]);
    node.wait(1000);
    let both = node.ask("XREADGROUP GROUP g eve CLAIM 500 STREAMS s >");
    assert!(
        both.contains(":1000\r\n:2\r\n"),
        "its past is told to who asks: {both}"
    );
    node.ask("XGROUP SETCFG s g CLAIM 0");
    node.wait(5000);
    assert_eq!(node.ask("XREADGROUP GROUP g bob STREAMS s >"), "*-1\r\n");
}

#[test]
fn what_messages_were_is_replayed_and_goes_where_the_stream_goes() {
    let mut node = Node::new();
    node.ask("XADD s IDMP p early * f v");
    assert_eq!(node.ask("XCFGSET s IDMP-CONFLICT ERROR"), "+OK\r\n");
    for iid in 1..12 {
        node.ask(&format!("XADD s IDMP p {iid} * f {iid}"));
        node.ask(&format!("XADD s IDMPAUTO q * f {iid}"));
    }
    node.ask("COPY s copy");
    // What an entry was is known after it has gone.
    node.ask("XTRIM s MAXLEN 0");
    let mut asked = vec![
        // It was not known then what that message was.
        "XADD s IDMP p early * f other".to_owned(),
        "XADD copy IDMP p 3 * f other".to_owned(),
        "DEBUG DIGEST-VALUE s copy".to_owned(),
    ];
    for iid in 1..12 {
        asked.push(format!("XADD s IDMP p {iid} REPORT * f {iid}"));
        asked.push(format!("XADD s IDMP p {iid} REPORT * f other"));
        asked.push(format!("XADD s IDMPAUTO q REPORT * f {iid}"));
    }
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    node.same(&asked);
    let told = node.ask("XADD s IDMP p 3 * f other");
    assert!(told.starts_with("-IDMPCONFLICT "), "{told}");
    let told = node.ask("XADD copy IDMP p 3 * f other");
    assert!(told.starts_with("-IDMPCONFLICT "), "{told}");
    assert!(
        node.ask("XADD s IDMP p 3 REPORT * f 3")
            .contains("duplicate")
    );
    // A conflict changes nothing, and nothing is written down.
    let before = node.engine.log().last();
    node.ask("XADD s IDMP p 3 MAXLEN 0 * f other");
    assert_eq!(node.engine.log().last(), before);
    // Without the setting, it is a duplicate as any other, and what was known is forgotten.
    node.ask("XCFGSET s IDMP-CONFLICT IGNORE");
    assert!(
        node.ask("XADD s IDMP p 3 REPORT * f other")
            .contains("duplicate")
    );
    node.ask("XCFGSET s IDMP-CONFLICT ERROR");
    assert!(
        node.ask("XADD s IDMP p 3 REPORT * f other")
            .contains("duplicate")
    );
    node.same(&["DEBUG DIGEST-VALUE s copy", "XINFO STREAM s FULL"]);
}

#[test]
fn epochs_are_replayed_and_outlive_what_is_remembered() {
    let mut node = Node::new();
    for producer in ["p", "q", "p"] {
        node.ask(&format!("XIDMPEPOCH s {producer}"));
    }
    node.ask("COPY s copy");
    node.ask("XADD s IDMP p 1 EPOCH 2 * f v");
    let asked = [
        "XADD s IDMP p 1 EPOCH 2 REPORT * f v",
        "XADD s IDMP p 1 EPOCH 1 * f v",
        "XADD s IDMP p 2 * f v",
        "XADD s IDMPAUTO p EPOCH 1 * f v",
        "XADD s IDMP q 1 EPOCH 2 * f v",
        "XADD s IDMP q 1 EPOCH 1 * f v",
        "XADD s IDMP r 1 * f v",
        "XADD copy IDMP p 3 EPOCH 1 * f v",
        "XLEN s",
        "DEBUG DIGEST-VALUE s copy",
        "XIDMPEPOCH s p",
        "XIDMPEPOCH copy q",
    ];
    node.same(&asked);
    assert_eq!(node.ask("XLEN s"), ":3\r\n");
    // All iids expire, and a fenced writer stays so.
    node.wait(200_000);
    node.engine.timer(node.now);
    node.same(&[
        "XADD s IDMP p 9 EPOCH 2 * f v",
        "XADD s IDMP p 9 EPOCH 3 * f v",
    ]);
    node.ask("XCFGSET s DURATION 5");
    node.ask("XTRIM s MAXLEN 0");
    node.same(&["XADD s IDMP p 9 EPOCH 2 * f v", "DEBUG DIGEST-VALUE s copy"]);
    // Another stream of that name knows of none.
    node.ask("DEL s");
    node.same(&[
        "XADD s IDMP p 9 EPOCH 3 * f v",
        "XIDMPEPOCH s p",
        "XINFO STREAM s FULL",
    ]);
}

#[test]
fn what_happens_to_producers_is_counted_and_goes_where_the_stream_goes() {
    let mut node = Node::new();
    node.ask("XADD s IDMP early 1 * f v");
    node.ask("XADD s IDMP early 1 * f v");
    // Without the setting, nothing is counted, and a refusal is not written down.
    node.ask("XIDMPEPOCH s q");
    let before = node.engine.log().last();
    node.ask("XADD s IDMP q 1 * f v");
    assert_eq!(node.engine.log().last(), before);
    assert!(!node.ask("XINFO STREAM s FULL").contains("idmp-stats"));
    node.ask("XCFGSET s IDMP-MAXSIZE 3 IDMP-STATS ON IDMP-CONFLICT ERROR");
    for iid in 1..9 {
        node.ask(&format!("XADD s IDMP p {iid} * f v"));
    }
    node.ask("XADD s IDMP p 7 * f v");
    node.ask("XADD s IDMP p 7 * f other");
    node.ask("XADD s IDMP q 1 * f v");
    node.ask("XADD s IDMP q 1 EPOCH 1 * f v");
    // Who names an epoch that was not given is told so, and nothing is counted.
    node.ask("XADD s IDMP q 2 EPOCH 9 * f v");
    node.ask("COPY s copy");
    let looks = [
        "XINFO PRODUCERS s PID p",
        "XINFO PRODUCERS copy PID q",
        "XINFO STREAM s FULL",
        "DEBUG DIGEST-VALUE s copy",
    ];
    node.same(&looks);
    let told = node.ask("XINFO PRODUCERS s PID p");
    let counts = "duplicates\r\n:1\r\n$9\r\nconflicts\r\n:1\r\n$6\r\nfenced\r\n:0\r\n\
                  $5\r\nstale\r\n:0\r\n$4\r\ngaps\r\n:0\r\n$7\r\ndropped\r\n:5\r\n\
                  $7\r\nevicted\r\n:0\r\n";
    assert!(told.ends_with(counts), "{told}");
    // All iids expire. Upkeep frees their memory, and nobody can tell.
    node.wait(200_000);
    let before = [
        node.ask("XINFO PRODUCERS s"),
        node.ask("XINFO STREAM s FULL"),
    ];
    node.engine.timer(node.now);
    assert_eq!(node.ask("XINFO PRODUCERS s"), before[0]);
    assert_eq!(node.ask("XINFO STREAM s FULL"), before[1]);
    node.same(&looks);
    // What is counted no longer is forgotten.
    node.ask("XCFGSET s IDMP-STATS OFF");
    node.ask("XCFGSET s IDMP-STATS ON");
    assert_eq!(
        node.ask("XINFO PRODUCERS s PID p"),
        "*2\r\n$1\r\n0\r\n*0\r\n"
    );
    node.same(&looks);
}

#[test]
fn only_a_file_says_that_an_append_was_refused() {
    let mut node = Node::new();
    node.ask("XADD s 1-1 f v");
    node.ask("XCFGSET s IDMP-STATS ON");
    let refused = node.ask("XIDMPRECORD s p 1 fenced");
    assert_eq!(
        refused,
        "-ERR Invalid stream ID specified as stream command argument\r\n"
    );
    assert!(node.ask("XINFO PRODUCERS s").ends_with("*0\r\n"));
}

#[test]
fn numbers_are_replayed_and_never_forgotten() {
    let mut node = Node::new();
    for iid in [1, 2, 5] {
        node.ask(&format!("XADD s IDMP early {iid} * f v"));
        node.ask(&format!("XADD s IDMP late {iid} * f v"));
    }
    assert_eq!(node.ask("XCFGSET s IDMP-MODE MONOTONE"), "+OK\r\n");
    // What a window has when its producer goes on counts, and is forgotten if it never does.
    node.same(&["XADD s IDMP early 4 * f v", "XIDMPLAST s early"]);
    node.ask("XADD s IDMP early 6 * f v");
    node.ask("XADD s IDMP p 3 * f v");
    node.ask("XADD s IDMP p 7 * f v");
    node.wait(200_000);
    node.engine.timer(node.now);
    node.ask("COPY s copy");
    let looks = [
        "XADD s IDMP p 7 REPORT * f v",
        "XADD s IDMP p 6 * f v",
        "XADD s IDMP p x * f v",
        "XADD s IDMPAUTO p * f v",
        "XADD s IDMP early 6 REPORT * f v",
        "XADD s IDMP early 5 * f v",
        "XIDMPLAST s p",
        "XIDMPLAST copy early",
        "XIDMPLAST s late",
        "XINFO PRODUCERS s PID p",
        "XINFO STREAM s FULL",
        "DEBUG DIGEST-VALUE s copy",
    ];
    node.same(&looks);
    assert!(
        node.ask("XADD s IDMP p 6 * f v")
            .starts_with("-IDMPSTALE 7 ")
    );
    assert_eq!(node.ask("XIDMPLAST s late"), "*-1\r\n");
    assert_eq!(node.ask("XIDMPLAST none p"), "*-1\r\n");
    // A change of the window has no meaning for numbers, and takes none away.
    node.ask("XCFGSET s DURATION 5 IDMP-GAPS ERROR");
    node.same(&["XADD s IDMP p 9 * f v", "XADD s IDMP p 8 * f v"]);
    assert_eq!(
        node.ask("XADD s IDMP p 10 * f v"),
        "-IDMPGAP 9 is the producer's next idempotent ID\r\n"
    );
    node.ask("XTRIM s MAXLEN 0");
    node.same(&looks);
    // Another stream of that name knows of none, nor does one that went back to windows.
    node.ask("XCFGSET copy IDMP-MODE WINDOW");
    node.same(&["XIDMPLAST copy p", "XADD copy IDMP p 1 REPORT * f v"]);
    node.ask("XCFGSET copy IDMP-MODE MONOTONE");
    node.same(&["XIDMPLAST copy p", "DEBUG DIGEST-VALUE copy"]);
    node.ask("DEL s");
    node.same(&["XADD s IDMP p x REPORT * f v", "XIDMPLAST s p"]);
}

#[test]
fn who_was_evicted_is_replayed_and_not_decided_again() {
    let mut node = Node::new();
    node.ask("XADD s IDMP early 1 * f v");
    node.ask("XCFGSET s IDMP-PIDS 2 IDMP-STATS ON");
    for (mode, first) in [("WINDOW", 1), ("MONOTONE", 13)] {
        node.ask(&format!("XCFGSET s IDMP-MODE {mode}"));
        for number in first..first + 6 {
            node.wait(1);
            node.ask(&format!("XADD s IDMP p{} {number} * f v", number % 4));
            node.ask(&format!("XADD s IDMP stays {number} * f v"));
        }
        let mut looks = vec![
            "XIDMPLAST s early".to_owned(),
            "XIDMPLAST s stays".to_owned(),
            "XINFO STREAM s FULL".to_owned(),
            "DEBUG DIGEST-VALUE s".to_owned(),
        ];
        for number in 0..4 {
            looks.push(format!("XINFO PRODUCERS s PID p{number}"));
        }
        // Who comes back is new, and makes somebody else go, there as here.
        looks.push("XADD s IDMP p1 99 REPORT * f v".to_owned());
        looks.push("XIDMPLAST s p2".to_owned());
        looks.push("XIDMPLAST s stays".to_owned());
        let looks: Vec<&str> = looks.iter().map(String::as_str).collect();
        node.same(&looks);
    }
    assert_eq!(node.ask("XIDMPLAST s p2"), "*-1\r\n");
    assert_ne!(node.ask("XIDMPLAST s stays"), "*-1\r\n");
    let full = node.ask("XINFO STREAM s FULL");
    assert!(full.contains("pids-tracked\r\n:2\r\n"), "{full}");
    assert!(full.contains("evicted\r\n:13\r\n"), "{full}");
    assert!(node.ask("INFO stats").contains("idmp_evicted:13\r\n"));
    // A retry is no activity: it adds nothing.
    node.ask("XADD s IDMP stays 18 * f v");
    node.ask("XADD s IDMP new 1 * f v");
    node.same(&["XIDMPLAST s stays", "XIDMPLAST s p1", "XIDMPLAST s new"]);
    assert_eq!(node.ask("XIDMPLAST s stays"), "*-1\r\n");
}

#[test]
fn a_lower_number_of_producers_is_reached_by_and_by() {
    const PRODUCERS: usize = 5_000;
    let tracked = |node: &mut Node| {
        let told = node.ask("XINFO STREAM s");
        let (_, after) = told.split_once("pids-tracked\r\n:").unwrap();
        after.split_once('\r').unwrap().0.parse::<usize>().unwrap()
    };
    let mut node = Node::new();
    for number in 0..PRODUCERS {
        node.ask(&format!("XADD s IDMP p{number} 1 * f v"));
    }
    assert_eq!(node.ask("XCFGSET s IDMP-PIDS 100"), "+OK\r\n");
    // It is not known yet who was active when.
    assert_eq!(tracked(&mut node), PRODUCERS);
    let (mut before, mut calls) = (PRODUCERS, 0);
    while before > 100 {
        node.wait(1);
        assert!(node.engine.next_deadline(node.now).unwrap() <= node.now.mono);
        node.engine.run_schedule(node.now);
        let left = tracked(&mut node);
        assert!(before - left <= PRODUCERS_EVICTED_PER_TIMER_MAX);
        (before, calls) = (left, calls + 1);
    }
    assert!((10..40).contains(&calls), "{calls}");
    node.same(&[
        "XIDMPLAST s p4899",
        "XIDMPLAST s p4900",
        "XINFO STREAM s",
        "DEBUG DIGEST-VALUE s",
    ]);
    node.wait(1);
    node.engine.run_schedule(node.now);
    assert!(node.engine.next_deadline(node.now) > Some(node.now.mono));
}

#[test]
fn many_entries_are_appended_together_or_not_at_all() {
    let mut node = Node::new();
    node.ask("XADD s IDMP p 2 * f 2");
    let before = node.engine.log().last();
    let told = node.ask("XADDM s IDMP p ENTRIES 3 1 1 f 1 2 1 f 2 3 1 f 3");
    assert_eq!(told.matches("added").count(), 2, "{told}");
    assert_eq!(told.matches("duplicate").count(), 1, "{told}");
    // It is one batch.
    assert_eq!(node.engine.log().last(), before.next());
    // A retry is answered with the same IDs, whoever its neighbours are.
    let ids = |told: &str| {
        let ids = told.lines().filter(|line| line.contains('-'));
        ids.map(str::to_owned).collect::<Vec<_>>()
    };
    let again = node.ask("XADDM s IDMP p ENTRIES 3 1 1 f 1 2 1 f 2 3 1 f 3");
    assert_eq!(ids(&again), ids(&told));
    node.ask("COPY s copy");
    node.same(&[
        "XADDM s IDMP p ENTRIES 2 3 1 f 3 4 1 f 4",
        "XADDM copy MAXLEN = 2 ENTRIES 2 1 f 3 1 f 4",
        "XRANGE s - +",
        "XRANGE copy - +",
        "DEBUG DIGEST-VALUE s copy",
        "XINFO STREAM s FULL",
    ]);
    // One that is refused takes all others with it.
    node.ask("XCFGSET s IDMP-CONFLICT ERROR IDMP-STATS ON");
    node.ask("XADDM s IDMP p ENTRIES 1 5 1 f 5");
    let len = node.ask("XLEN s");
    let told = node.ask("XADDM s IDMP p ENTRIES 3 6 1 f 6 5 1 f other 7 1 f 7");
    assert!(told.starts_with("-IDMPCONFLICT "), "{told}");
    assert_eq!(node.ask("XLEN s"), len);
    let counted = node.ask("XINFO PRODUCERS s PID p");
    assert!(counted.contains("conflicts\r\n:1\r\n"), "{counted}");
    node.same(&["XINFO PRODUCERS s PID p", "DEBUG DIGEST-VALUE s"]);
}

#[test]
fn the_entries_of_one_call_have_a_bounded_number_of_bytes() {
    let mut node = Node::new();
    let value = "x".repeat(PREPARED_BYTES_MIN - "fgy".len());
    let added = node.ask(&format!("XADDM s ENTRIES 2 1 f {value} 1 g y"));
    assert_eq!(added.matches("added").count(), 2);
    let too_large = node.ask(&format!("XADDM s ENTRIES 2 1 f {value} 1 g yy"));
    assert!(
        too_large.starts_with("-ERR the entries of one XADDM"),
        "{too_large}"
    );
    assert_eq!(node.ask("XLEN s"), ":2\r\n");
}

/// Any calls of XADDM do what as many of XADD do.
#[test]
fn many_entries_are_what_as_many_appends_are() {
    let mut random = 7_u64;
    let mut below = |n: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % n
    };
    for run in 0..40 {
        let (mut one, mut many) = (Node::new(), Node::new());
        for node in [&mut one, &mut many] {
            node.ask("XGROUP CREATE s g 0 MKSTREAM");
            if run % 2 == 1 {
                node.ask("XCFGSET s IDMP-MODE MONOTONE IDMP-STATS ON");
            }
        }
        for _ in 0..30 {
            let iids: Vec<u64> = (0..1 + below(6)).map(|_| below(40)).collect();
            let entries = iids.iter().map(|iid| format!(" {iid} 1 f {iid}"));
            let entries: String = entries.collect();
            let told = many.ask(&format!("XADDM s IDMP p ENTRIES {}{entries}", iids.len()));
            let mut expected = format!("*{}\r\n", iids.len());
            for iid in iids {
                let alone = one.ask(&format!("XADD s IDMP p {iid} REPORT * f {iid}"));
                expected += match alone.starts_with("-IDMPSTALE ") {
                    true => "*2\r\n$-1\r\n$5\r\nstale\r\n",
                    false => &alone,
                };
            }
            assert_eq!(told, expected);
        }
        let looks = ["XRANGE s - +", "XINFO STREAM s FULL", "XINFO PRODUCERS s"];
        for look in looks {
            assert_eq!(one.ask(look), many.ask(look), "{look}");
        }
        many.same(&looks);
    }
}
