//! A client as the server sees it: a connection, and the reply that is on its way.

use anyhow::{Context, Result, bail, ensure};
use engine::Lsn;
use engine::Now;
use engine::clients::session::SessionId;
use resp::ArgvBuf;

use super::consumer::Consumer;
use super::counts::Counts;
use super::delayer::Delayer;
use super::ledger::{Ledger, Turn};
use super::producer::Producer;
use super::request::{Purpose, Request};
use super::scripts;
use crate::answer::Answer;

/// A client.
pub(super) struct Client {
    pub(super) session: Option<SessionId>,
    pub(super) role: Role,
    /// What was asked and not answered yet.
    pub(super) asked: Option<Asked>,
}

/// What a client does.
pub(super) enum Role {
    Produces(Producer),
    Delays(Delayer),
    Consumes(Consumer),
    ByPattern,
    /// Relies on nothing.
    Evictable,
    Other,
}

/// Requests that ran together, and their replies, which wait until they may leave.
pub(super) struct Asked {
    pub(super) sent: Vec<Sent>,
    pub(super) bytes: Vec<u8>,
    pub(super) depends_on: Lsn,
    /// The last of them waits for something to read.
    pub(super) is_blocked: bool,
}

/// A request that ran.
pub(super) struct Sent {
    pub(super) request: Request,
    pub(super) turn: Turn,
    pub(super) now: Now,
    /// The last batch when it had run.
    pub(super) at: Lsn,
}

/// A read whose reply left, and the state that it showed.
pub(super) struct Look {
    pub(super) argv: ArgvBuf,
    pub(super) now: Now,
    pub(super) at: Lsn,
    pub(super) reply: Vec<u8>,
}

impl Client {
    pub(super) fn new(role: Role) -> Client {
        Client {
            session: None,
            role,
            asked: None,
        }
    }

    /// The connection is lost, and with it whatever was on its way. The session, if there was one.
    pub(super) fn lose_connection(&mut self) -> Option<SessionId> {
        self.asked = None;
        if let Role::Consumes(consumer) = &mut self.role {
            consumer.forget();
        }
        self.session.take()
    }

    /// Reads the replies to what was asked. Returns the reads.
    pub(super) fn read(
        &mut self,
        asked: Asked,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<Vec<Look>> {
        let mut rest = asked.bytes.as_slice();
        let mut looks = Vec::new();
        for sent in asked.sent {
            let before = rest;
            let answer = Answer::read(&mut rest)?;
            // A script was not finished.
            if matches!(&answer, Answer::Error(error) if error.starts_with("BUSY")) {
                counts.busy += 1;
                continue;
            }
            let purpose = &sent.request.purpose;
            self.answered(purpose, &answer, (sent.turn, sent.now), ledger, counts)
                .with_context(|| format!("reply to {:?}: {answer:?}", sent.request.argv))?;
            if sent.request.is_look() {
                looks.push(Look {
                    reply: before[..before.len() - rest.len()].to_vec(),
                    argv: sent.request.argv,
                    now: sent.now,
                    at: sent.at,
                });
            }
        }
        ensure!(rest.is_empty(), "a reply too many: {rest:?}");
        Ok(looks)
    }

    /// Reads errors in the place of replies: what was asked for may be done or not.
    pub(super) fn read_errors(&mut self, asked: &Asked, counts: &mut Counts) {
        counts.not_durable += asked.sent.len() as u64;
        if let Role::Consumes(consumer) = &mut self.role {
            consumer.received = 0;
        }
    }

    fn answered(
        &mut self,
        purpose: &Purpose,
        answer: &Answer,
        (turn, now): (Turn, Now),
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        match (&mut self.role, purpose) {
            (Role::Produces(producer), Purpose::Append(message)) => {
                producer.answered(*message, answer, ledger, counts)
            }
            (Role::Produces(producer), Purpose::AppendTogether(messages)) => {
                producer.answered_together(messages, answer, ledger, counts)
            }
            (Role::Produces(producer), Purpose::AppendOther(message)) => {
                producer.other_answered(*message, answer, ledger, counts)
            }
            (Role::Produces(producer), Purpose::Epoch) => producer.given(answer),
            (Role::Produces(producer), Purpose::Fenced) => producer.fenced(answer, counts),
            (Role::Produces(producer), Purpose::CountProducers) => {
                producer.counts_from_now(answer);
                Ok(())
            }
            (Role::Produces(producer), Purpose::Counted(appends)) => {
                producer.counted(*appends, answer, counts)
            }
            (Role::Produces(producer), Purpose::Numbered(number)) => {
                producer.numbered.answered(*number, answer, counts)
            }
            (Role::Delays(delayer), Purpose::Delay(message)) => {
                delayer.answered(*message, answer, ledger, counts)
            }
            (Role::Delays(delayer), Purpose::Undelay(message)) => {
                delayer.undelay_answered(*message, answer, ledger, counts)
            }
            (Role::Consumes(consumer), _) => {
                consumer.answered(purpose, answer, turn, ledger, counts)
            }
            (_, Purpose::Entries(stream)) => {
                let entries = answer.list().context("no entries")?;
                let stream = &mut ledger.streams[*stream];
                entries
                    .iter()
                    .try_for_each(|entry| stream.entry(entry, turn).map(drop))
            }
            (_, Purpose::Delete(stream, id)) => {
                if matches!(answer, Answer::Number(_)) {
                    ledger.streams[*stream].is_gone(*id, turn);
                }
                Ok(())
            }
            (_, Purpose::Count(counter)) => match answer {
                Answer::Error(error) if error.starts_with("MISCONF") => Ok(()),
                _ => match answer.number() {
                    Some(value) => ledger.counter(*counter, turn, value),
                    None => bail!("a counter is {answer:?}"),
                },
            },
            (_, Purpose::Written(value)) => match answer {
                Answer::List(answers) if answers.last() == Some(&text(value)) => Ok(()),
                Answer::Error(error)
                    if error.starts_with("MISCONF") || error.starts_with("EXECABORT") =>
                {
                    Ok(())
                }
                _ => bail!("what was just written is {answer:?}"),
            },
            (_, Purpose::Script | Purpose::Function) => match answer.number() {
                Some(value) => {
                    let is_function = *purpose == Purpose::Function;
                    counts.functions += u64::from(is_function);
                    counts.scripts += u64::from(!is_function);
                    ledger.counter(scripts::COUNTER, turn, value)
                }
                // It was ended or refused, or its library is not there.
                None => Ok(()),
            },
            (_, Purpose::Put(kind, things)) => {
                if matches!(answer, Answer::Number(_)) {
                    ledger.things.were_put(*kind, things);
                }
                Ok(())
            }
            (_, Purpose::Take(kind, count)) => ledger.things.were_taken(*kind, *count, answer),
            (_, Purpose::TakeOf(kind, thing)) => ledger.things.was_taken(*kind, *thing, answer),
            (_, Purpose::LayOut) => {
                ledger.things.laid_out |= answer.list().is_some();
                Ok(())
            }
            (_, Purpose::Many(told)) => ledger.many.told(*told, answer, turn, counts),
            (_, Purpose::Work(told)) => ledger.work.told(*told, answer, turn, counts),
            (_, Purpose::Kept(told)) => ledger.kept.told(*told, answer),
            (_, Purpose::Hold(told)) => {
                let at = (turn, now.stream_ms());
                ledger.holds.told(*told, answer, at, counts)
            }
            (_, Purpose::Retry(told)) => ledger.retries.told(*told, answer, turn, counts),
            (_, Purpose::Pair) => match answer.list() {
                Some([one, other]) if one.number() == other.number() => Ok(()),
                _ => bail!("half a transaction: {answer:?}"),
            },
            _ => Ok(()),
        }
    }
}

fn text(value: &str) -> Answer {
    Answer::Text(value.as_bytes().to_vec())
}
