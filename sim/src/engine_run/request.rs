//! A request, and what its sender wants to know from the reply.

use resp::ArgvBuf;
use stream::StreamId;

use super::holds;
use super::kept;
use super::ledger::Message;
use super::many;
use super::retries;
use super::things::Kind;
use super::work::Told;

/// A request.
pub(super) struct Request {
    pub(super) argv: ArgvBuf,
    pub(super) purpose: Purpose,
}

/// Which appends of a producer are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appends {
    /// Those of its messages.
    Messages,
    /// Those under the name that is fenced off.
    Fenced,
}

/// What a writer of numbers asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// That iids are numbers from now on.
    SetUp,
    /// That this number is there.
    Append(u64),
    /// To append one that is lower than the last.
    Stale,
    /// To append one that is not the next.
    Gap,
    /// The last one, and its entry.
    Last,
    /// To append one of another producer, which is seen this once.
    Visit,
    /// How many producers are known.
    Known,
    /// How many entries there are.
    Len,
}

/// What the reply means to the one who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The ID of an appended message.
    Append(Message),
    /// The same of several messages.
    AppendTogether(Vec<Message>),
    /// What became of another message with the iid of this one, which was acknowledged.
    AppendOther(Message),
    /// The next epoch of a producer.
    Epoch,
    /// An append with an older epoch.
    Fenced,
    /// From now on, what happens to producers is counted.
    CountProducers,
    /// What was counted of these appends.
    Counted(Appends),
    /// What a writer of numbers wants to know.
    Numbered(Number),
    /// The ticket of a message that is to be appended later.
    Delay(Message),
    /// Whether that message was taken back.
    Undelay(Message),
    /// New entries of a group.
    New,
    /// Entries that the consumer has already.
    Own,
    /// Entries of others, which it has now: `[cursor, entries, deleted]`.
    Scan,
    /// Entries of others, which it has now.
    Claim,
    /// These are acknowledged.
    Acknowledge(Vec<StreamId>),
    /// This entry of a stream is gone.
    Delete(usize, StreamId),
    /// A counter after it was counted up.
    Count(u64),
    /// What a script counts up in several keys.
    Script,
    /// What a function counts up in the same keys.
    Function,
    /// These things were put into a value of a kind.
    Put(Kind, Vec<u64>),
    /// Things that were taken out of it, at most as many.
    Take(Kind, u64),
    /// Whether this thing was taken out of it.
    TakeOf(Kind, u64),
    /// Things were laid out to be moved.
    LayOut,
    /// Two counters that one transaction counts up.
    Pair,
    /// What a transaction answers that writes this value and reads it again.
    Written(String),
    /// Something of the streams that are read by a pattern.
    Many(many::Told),
    /// Something of the work.
    Work(Told),
    /// Something of the streams with bounds.
    Kept(kept::Told),
    /// Something of the held entries.
    Hold(holds::Told),
    /// Something of the retries.
    Retry(retries::Told),
    /// Entries of a stream, which it does not change.
    Entries(usize),
    /// Something that it does not change.
    Look,
    /// Whatever it may be.
    Any,
}

impl Request {
    /// A request of these words.
    pub(super) fn new<A: AsRef<[u8]>>(words: &[A], purpose: Purpose) -> Request {
        let argv = words.iter().collect();
        Request { argv, purpose }
    }

    /// Returns whether it changes nothing, so that the same state gives the same reply.
    pub(super) fn is_look(&self) -> bool {
        matches!(self.purpose, Purpose::Entries(_) | Purpose::Look)
    }
}

/// Makes a request of words of any displayable kind.
macro_rules! request {
    ($purpose:expr, $($word:expr),+ $(,)?) => {
        $crate::engine_run::request::Request::new(&[$($word.to_string()),+], $purpose)
    };
}
pub(super) use request;
