//! What an answer to a publish means.
//!
//! There are three cases, and no fourth: the record is in the log under a number, it is not in the
//! log, or nobody knows. Whatever is not certainly one of the first two is the third.

use async_nats::{Message, StatusCode};
use replication::{Event, Seq, Ticket};
use tracing::warn;

use crate::api::{self, ApiError, Published, WRONG_LAST_SEQUENCE};

/// What has happened to the record of this ticket, which was meant for `stream`.
pub(crate) fn answered(stream: &str, ticket: Ticket, message: &Message) -> Event {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        // Nobody has the stream: it has no leader.
        return Event::Unavailable;
    }
    match api::decode::<Published>(&message.payload) {
        Ok(published) if published.stream == stream && !published.duplicate => Event::Acked {
            ticket,
            seq: Seq(published.seq),
        },
        Ok(published) => {
            warn!(?published, "an acknowledgement makes no sense");
            Event::Failed { ticket }
        }
        Err(ApiError::Refused { err_code, .. }) if WRONG_LAST_SEQUENCE.contains(&err_code) => {
            Event::Refused { ticket }
        }
        Err(error) => {
            warn!(%error, "the log did not acknowledge a record");
            Event::Failed { ticket }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &str, status: Option<StatusCode>) -> Message {
        Message {
            subject: "inbox".into(),
            reply: None,
            payload: payload.to_owned().into(),
            headers: None,
            status,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_no_answer() {
        let ticket = Ticket(4);
        let of = |payload| answered("S", ticket, &message(payload, None));
        let acked = Event::Acked {
            ticket,
            seq: Seq(9),
        };
        assert_eq!(of(r#"{"stream":"S","seq":9}"#), acked);
        let refused =
            r#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 9"}}"#;
        assert_eq!(of(refused), Event::Refused { ticket });
        for unclear in [
            "",
            "+OK",
            r#"{"stream":"T","seq":9}"#,
            r#"{"stream":"S","seq":9,"duplicate":true}"#,
            r#"{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"}}"#,
        ] {
            assert_eq!(of(unclear), Event::Failed { ticket }, "{unclear}");
        }
        let nobody = message("", Some(StatusCode::NO_RESPONDERS));
        assert_eq!(answered("S", ticket, &nobody), Event::Unavailable);
    }
}
