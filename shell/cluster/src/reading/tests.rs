use async_nats::HeaderMap;
use serde_json::json;

use super::*;

const TICKET: Ticket = Ticket(3);

fn reading(from: u64, source: Source) -> Reading {
    Reading::new(Read {
        ticket: TICKET,
        from: Seq(from),
        source,
    })
}

fn message(payload: &str, status: Option<u16>, headers: &[(&'static str, u64)]) -> Message {
    let mut map = HeaderMap::new();
    for &(name, value) in headers {
        map.insert(name, value.to_string());
    }
    Message {
        subject: "inbox".into(),
        reply: None,
        payload: payload.to_owned().into(),
        headers: Some(map),
        status: status.map(|status| StatusCode::try_from(status).unwrap()),
        description: None,
        length: 0,
    }
}

/// A record as a replica sends it.
fn record(seq: u64) -> Message {
    message(&format!("record {seq}"), None, &[(SEQUENCE, seq)])
}

/// A record as the leader sends it.
fn record_of_leader(seq: u64) -> Message {
    let data = BASE64_STANDARD.encode(format!("record {seq}"));
    let json = json!({ "message": { "seq": seq, "data": data } });
    message(&json.to_string(), None, &[])
}

fn bounds(first_seq: u64, last_seq: u64) -> Message {
    let state = json!({ "first_seq": first_seq, "last_seq": last_seq });
    let json = json!({ "config": {}, "state": state });
    message(&json.to_string(), None, &[])
}

fn found(seq: u64, trimmed_to: u64) -> Event {
    Event::Found {
        ticket: TICKET,
        seq: Seq(seq),
        trimmed_to: Seq(trimmed_to),
        bytes: format!("record {seq}").into_bytes(),
    }
}

fn end(last: u64, trimmed_to: u64) -> Event {
    Event::End {
        ticket: TICKET,
        last: Seq(last),
        trimmed_to: Seq(trimmed_to),
    }
}

#[test]
fn a_replica_is_asked_until_it_has_no_more() {
    let mut reading = reading(5, Source::Any);
    assert_eq!(reading.question(), Question::Replica(Seq(5)));
    assert_eq!(reading.answered(&record(5)), Progress::Record(found(5, 1)));
    assert_eq!(reading.answered(&record(6)), Progress::Record(found(6, 1)));
    let more = message("", Some(204), &[(PENDING, 2)]);
    assert_eq!(reading.answered(&more), Progress::Ask(None));
    assert_eq!(reading.question(), Question::Replica(Seq(7)));
    assert_eq!(reading.answered(&record(7)), Progress::Record(found(7, 1)));
    let no_more = message("", Some(204), &[(PENDING, 0)]);
    assert_eq!(reading.answered(&no_more), Progress::Done(vec![end(7, 1)]));
}

#[test]
fn a_replica_that_has_nothing_is_at_the_end() {
    let nothing = message("", Some(404), &[]);
    let answer = reading(5, Source::Any).answered(&nothing);
    assert_eq!(answer, Progress::Done(vec![end(4, 1)]));
}

#[test]
fn a_replica_that_leaves_something_out_is_not_believed() {
    let mut reading = reading(5, Source::Any);
    assert_eq!(reading.answered(&record(8)), Progress::Ask(None));
    assert_eq!(reading.question(), Question::Bounds);
    // It was trimmed in fact, which the record that follows shows.
    assert_eq!(reading.answered(&bounds(8, 8)), Progress::Ask(None));
    assert_eq!(reading.question(), Question::Leader(Seq(8)));
    assert_eq!(
        reading.answered(&record_of_leader(8)),
        Progress::Done(vec![found(8, 8), end(8, 8)])
    );
}

#[test]
fn the_leader_is_asked_for_its_bounds_and_then_for_each_record() {
    let mut reading = reading(5, Source::Leader);
    assert_eq!(reading.question(), Question::Bounds);
    assert_eq!(reading.answered(&bounds(2, 6)), Progress::Ask(None));
    assert_eq!(reading.question(), Question::Leader(Seq(5)));
    assert_eq!(
        reading.answered(&record_of_leader(5)),
        Progress::Ask(Some(found(5, 2)))
    );
    assert_eq!(
        reading.answered(&record_of_leader(6)),
        Progress::Done(vec![found(6, 2), end(6, 2)])
    );
}

#[test]
fn a_record_that_the_leader_lacks_ends_the_read_before_the_end() {
    let mut reading = reading(5, Source::Leader);
    assert_eq!(reading.answered(&bounds(1, 6)), Progress::Ask(None));
    let none = r#"{"error":{"code":404,"err_code":10037,"description":"no message found"}}"#;
    assert_eq!(
        reading.answered(&message(none, None, &[])),
        Progress::Done(vec![end(6, 1)])
    );
}

#[test]
fn a_log_that_is_shorter_than_what_is_wanted_ends_where_it_ends() {
    let answer = reading(9, Source::Leader).answered(&bounds(1, 6));
    assert_eq!(answer, Progress::Done(vec![end(6, 1)]));
    let answer = reading(1, Source::Leader).answered(&bounds(0, 0));
    assert_eq!(answer, Progress::Done(vec![end(0, 1)]), "an empty log");
    let answer = reading(1, Source::Leader).answered(&bounds(7, 6));
    assert_eq!(answer, Progress::Done(vec![end(6, 7)]), "all was trimmed");
}

#[test]
fn whatever_else_is_answered_the_log_is_out_of_reach() {
    let lost = Progress::Done(vec![Event::Unavailable]);
    for source in [Source::Any, Source::Leader] {
        let nobody = message("", Some(503), &[]);
        assert_eq!(reading(1, source).answered(&nobody), lost);
    }
    let refused = r#"{"error":{"code":503,"err_code":10008,"description":"unavailable"}}"#;
    for nonsense in ["", "{}", "nonsense", refused] {
        let nonsense = message(nonsense, None, &[]);
        assert_eq!(reading(1, Source::Leader).answered(&nonsense), lost);
        let mut reading = reading(1, Source::Leader);
        reading.answered(&bounds(1, 1));
        assert_eq!(reading.answered(&nonsense), lost);
    }
    let busy = message("", Some(408), &[]);
    assert_eq!(reading(1, Source::Any).answered(&busy), lost);
    let mut other = reading(1, Source::Leader);
    other.answered(&bounds(1, 2));
    assert_eq!(other.answered(&record_of_leader(2)), lost, "not asked for");
}

#[test]
fn a_question_without_an_answer_goes_to_somebody_else() {
    let mut of_any = reading(5, Source::Any);
    assert_eq!(of_any.question(), Question::Replica(Seq(5)));
    of_any.unanswered();
    assert_eq!(of_any.question(), Question::Bounds);
    of_any.unanswered();
    assert_eq!(of_any.question(), Question::Replica(Seq(5)));
    of_any.unanswered();
    assert_eq!(of_any.answered(&bounds(1, 6)), Progress::Ask(None));
    assert_eq!(of_any.question(), Question::Leader(Seq(5)));
    of_any.unanswered();
    assert_eq!(of_any.question(), Question::Replica(Seq(5)));

    let mut of_leader = reading(5, Source::Leader);
    for _ in 0..2 {
        assert_eq!(of_leader.question(), Question::Bounds);
        of_leader.unanswered();
    }
}
