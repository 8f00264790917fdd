//! `XREDRIVE`: dead letters go back to the group that they come from.

use engine::REDIS_VERSION;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::limits::{DEAD_LETTERS_BYTES_MAX, REDRIVE_COUNT_MAX, REDRIVE_LOOKS_PER_LETTER};
use engine::store::apply::Store;
use engine::store::effect::{Effect, GroupChange, StreamChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::ArgvBuf;
use stream::{EntryRef, GivenBack, References, Stream, StreamId};

use super::dead_letters::origin;
use super::ids_block::{IDS, parse_ids, parse_ids_block};
use super::interval::parse_start;
use super::write_id;

/// `XREDRIVE source destination [GROUP group] [START id] [COUNT count] | [IDS numids id [id …]]`
pub(super) struct XRedrive;

pub(super) struct Parsed<'a> {
    source: &'a [u8],
    destination: &'a [u8],
    group: Option<&'a [u8]>,
    chosen: Chosen,
}

/// Which dead letters are looked at.
enum Chosen {
    These(Vec<StreamId>),
    /// Those from an ID on, of which at most this many go back.
    From(StreamId, u64),
}

/// How many go back unless the call says it.
const COUNT_DEFAULT: u64 = 100;

impl Command for XRedrive {
    const SPEC: Spec = Spec {
        summary: "Gives dead letters back to the group that they come from.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(N) with N being the number of dead letters looked at.",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENY_OOM),
        keys: &[
            KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
            KeySpec::at(2, KeyFlags::RW.and(KeyFlags::INSERT)),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::string("group").token("GROUP").optional(),
            Arg::string("id").token("START").optional(),
            Arg::integer("count").token("COUNT").optional(),
            IDS.optional(),
        ],
        compat: Compat::Own,
        ..Spec::named("xredrive")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let (source, destination) = (args.required()?, args.required()?);
        if source == destination {
            return Err(CmdError::Stream(StreamError::DeadLetterToItself));
        }
        let (mut group, mut ids, mut start, mut count) = (None, None, None, None);
        while args.left() > 0 {
            if args.keyword_with_value("GROUP") {
                group = Some(args.required()?);
            } else if args.keyword_with_value("START") {
                start = Some(parse_start(args.required()?)?);
            } else if args.keyword_with_value("COUNT") {
                let given = parse_i64(args.required()?).and_then(|given| u64::try_from(given).ok());
                let given = given.filter(|given| (1..=REDRIVE_COUNT_MAX).contains(given));
                count = Some(given.ok_or(CmdError::Stream(StreamError::RedriveCount))?);
            } else if args.keyword("IDS") {
                ids = Some(parse_ids(parse_ids_block(args)?)?);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        let chosen = match ids {
            Some(_) if start.is_some() || count.is_some() => {
                return Err(CmdError::Stream(StreamError::RedriveChoice));
            }
            Some(ids) => Chosen::These(ids.into_vec()),
            None => Chosen::From(
                start.unwrap_or(StreamId::MIN),
                count.unwrap_or(COUNT_DEFAULT),
            ),
        };
        Ok(Parsed {
            source,
            destination,
            group,
            chosen,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.get::<Stream>(cmd.destination)?;
        let (letters, cursor) = match ctx.store.get::<Stream>(cmd.source)? {
            Some(stream) => cmd.find(stream),
            None => (Vec::new(), StreamId::MIN),
        };
        let mut returned = Vec::with_capacity(letters.len());
        for letter in &letters {
            if letter.put_back(cmd.destination, &mut ctx.store)? {
                returned.push(letter.id);
            }
        }
        if !returned.is_empty() {
            let delete = StreamChange::Delete {
                ids: &returned,
                references: References::Keep,
            };
            ctx.store
                .apply(&Effect::on(cmd.source, delete), event::XDEL);
        }
        ctx.reply.array(2);
        write_id(ctx.reply, cursor);
        ctx.reply.array(returned.len());
        ctx.reply.each(returned, write_id);
        Ok(Flow::Done)
    }
}

/// A dead letter, and where it comes from.
struct Letter {
    id: StreamId,
    group: Vec<u8>,
    original: StreamId,
    /// The fields of the entry that it was.
    fields: ArgvBuf,
}

/// Dead letters that go back by one command, which moves no more than it may.
#[derive(Default)]
struct Letters {
    letters: Vec<Letter>,
    bytes: usize,
}

impl Letters {
    fn is_full(&self) -> bool {
        self.bytes >= DEAD_LETTERS_BYTES_MAX
    }

    fn push(&mut self, letter: Letter) {
        self.bytes += letter.fields.as_argv().bytes_len();
        self.letters.push(letter);
    }
}

impl Parsed<'_> {
    /// The dead letters that may go back, and where the next call goes on; at the end, 0-0.
    fn find(&self, stream: &Stream) -> (Vec<Letter>, StreamId) {
        let mut found = Letters::default();
        match &self.chosen {
            Chosen::These(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids.dedup();
                let mut look = stream.entries().look_up();
                for entry in ids.iter().filter_map(|id| look.entry(*id)) {
                    if found.is_full() {
                        break;
                    }
                    self.read(&entry).into_iter().for_each(|it| found.push(it));
                }
            }
            Chosen::From(start, count) => {
                let mut looks = count.saturating_mul(REDRIVE_LOOKS_PER_LETTER);
                for entry in stream.entries().range(*start, StreamId::MAX) {
                    let is_enough = looks == 0 || found.letters.len() as u64 == *count;
                    if is_enough || found.is_full() {
                        return (found.letters, entry.id());
                    }
                    looks -= 1;
                    self.read(&entry).into_iter().for_each(|it| found.push(it));
                }
            }
        }
        (found.letters, StreamId::MIN)
    }

    /// Reads an entry, if it is a dead letter of the destination and the group.
    fn read(&self, entry: &EntryRef<'_>) -> Option<Letter> {
        let mut fields = entry.fields();
        let origin = origin(&mut fields)?;
        let is_asked = origin.stream == self.destination
            && self.group.is_none_or(|group| group == origin.group);
        let fields: ArgvBuf = fields.flat_map(|(field, value)| [field, value]).collect();
        let is_whole = is_asked && !fields.as_argv().is_empty();
        is_whole.then(|| Letter {
            id: entry.id(),
            group: origin.group.to_vec(),
            original: origin.id,
            fields,
        })
    }
}

impl Letter {
    /// Gives the entry back to its group. Returns whether it is there now: not without the group.
    ///
    /// An entry that the group will get anyhow, or has pending, is left as it is. One that is gone
    /// from the stream is appended to it.
    fn put_back(&self, key: &[u8], store: &mut Store<'_>) -> Result<bool, CmdError> {
        let now_ms = store.now().stream_ms();
        let Some(stream) = store.get::<Stream>(key)? else {
            return Ok(false);
        };
        let Some(group) = stream.groups().find(&self.group) else {
            return Ok(false);
        };
        if stream.entries().contains(self.original) {
            if group.has_settled(self.original) {
                let entries = &[GivenBack {
                    id: self.original,
                    delivery_count: 0,
                    not_before_ms: None,
                }];
                let give_back = GroupChange::GiveBack { entries };
                let give_back = Effect::on_group(key, &self.group, give_back);
                store.apply(&give_back, event::GIVEN_BACK);
            }
            return Ok(true);
        }
        let Ok(id) = stream.next_id(now_ms) else {
            return Ok(false);
        };
        let append = StreamChange::Append {
            id,
            fields: self.fields.as_argv(),
            idempotent: None,
        };
        store.apply(&Effect::on(key, append), event::XADD);
        Ok(true)
    }
}
