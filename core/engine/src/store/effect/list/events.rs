//! What changes of lists mean to others.

use values::End;

use crate::store::effect::event::{Class, Event, Name, Overwriting, Touch};

const fn name(text: &'static str) -> Name {
    Name::new(text, Class::List)
}

/// Elements came: each of those who wait for one takes one, as long as there are any.
const fn more(names: &'static [Name]) -> Event {
    Event::named(names, Touch::READERS.and(Touch::WAITERS_FOR_MORE))
}

/// Nothing came that anybody waits for.
const fn named(names: &'static [Name]) -> Event {
    Event::named(names, Touch::READERS)
}

const DEL_NAME: Name = Name::new("del", Class::Generic);
const LPOP_NAME: Name = name("lpop");
const RPOP_NAME: Name = name("rpop");
const LPUSHED_NAME: Name = Name::of_other("lpush", Class::List);
const RPUSHED_NAME: Name = Name::of_other("rpush", Class::List);

const LPUSH: &Event = &more(&[name("lpush")]);
const RPUSH: &Event = &more(&[name("rpush")]);

const LPOP: &Event = &named(&[LPOP_NAME]);
const LPOP_ALL: &Event = &named(&[LPOP_NAME, DEL_NAME]);
const RPOP: &Event = &named(&[RPOP_NAME]);
const RPOP_ALL: &Event = &named(&[RPOP_NAME, DEL_NAME]);

const LPUSH_LPOP: &Event = &more(&[LPUSHED_NAME, LPOP_NAME]);
const LPUSH_LPOP_ALL: &Event = &more(&[LPUSHED_NAME, LPOP_NAME, DEL_NAME]);
const LPUSH_RPOP: &Event = &more(&[LPUSHED_NAME, RPOP_NAME]);
const LPUSH_RPOP_ALL: &Event = &more(&[LPUSHED_NAME, RPOP_NAME, DEL_NAME]);
const RPUSH_LPOP: &Event = &more(&[RPUSHED_NAME, LPOP_NAME]);
const RPUSH_LPOP_ALL: &Event = &more(&[RPUSHED_NAME, LPOP_NAME, DEL_NAME]);
const RPUSH_RPOP: &Event = &more(&[RPUSHED_NAME, RPOP_NAME]);
const RPUSH_RPOP_ALL: &Event = &more(&[RPUSHED_NAME, RPOP_NAME, DEL_NAME]);

const LREM_NAME: Name = name("lrem");
const LTRIM_NAME: Name = name("ltrim");

/// An element was set.
pub const LSET: &Event = &named(&[name("lset")]);
/// An element was put in. Somebody may wait for more than there was.
pub const LINSERT: &Event = &more(&[name("linsert")]);
/// Elements were sorted and stored.
pub const SORTSTORE: &Event = &more(&[name("sortstore")]).overwriting(Overwriting::Before);

/// Whether elements are left after some were taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// There are.
    Some,
    /// There are none, and so the key goes.
    Nothing,
}

impl Left {
    /// After so many of so many were taken out.
    #[inline]
    pub fn after(taken: usize, len: usize) -> Left {
        match taken < len {
            true => Left::Some,
            false => Left::Nothing,
        }
    }
}

/// Elements were put in at an end.
#[inline]
pub fn push(end: End) -> &'static Event {
    match end {
        End::Left => LPUSH,
        End::Right => RPUSH,
    }
}

/// Elements were taken out at an end.
#[inline]
pub fn pop(end: End, left: Left) -> &'static Event {
    match (end, left) {
        (End::Left, Left::Some) => LPOP,
        (End::Left, Left::Nothing) => LPOP_ALL,
        (End::Right, Left::Some) => RPOP,
        (End::Right, Left::Nothing) => RPOP_ALL,
    }
}

/// Elements were taken out at an end and put in at one of another list.
pub fn moved(end: End, to_end: End, left: Left) -> &'static Event {
    match (to_end, end, left) {
        (End::Left, End::Left, Left::Some) => LPUSH_LPOP,
        (End::Left, End::Left, Left::Nothing) => LPUSH_LPOP_ALL,
        (End::Left, End::Right, Left::Some) => LPUSH_RPOP,
        (End::Left, End::Right, Left::Nothing) => LPUSH_RPOP_ALL,
        (End::Right, End::Left, Left::Some) => RPUSH_LPOP,
        (End::Right, End::Left, Left::Nothing) => RPUSH_LPOP_ALL,
        (End::Right, End::Right, Left::Some) => RPUSH_RPOP,
        (End::Right, End::Right, Left::Nothing) => RPUSH_RPOP_ALL,
    }
}

/// Elements were removed.
pub fn lrem(left: Left) -> &'static Event {
    match left {
        Left::Some => const { &named(&[LREM_NAME]) },
        Left::Nothing => const { &named(&[LREM_NAME, DEL_NAME]) },
    }
}

/// Elements were cut off.
pub fn ltrim(left: Left) -> &'static Event {
    match left {
        Left::Some => const { &named(&[LTRIM_NAME]) },
        Left::Nothing => const { &named(&[LTRIM_NAME, DEL_NAME]) },
    }
}
