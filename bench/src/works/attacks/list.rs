//! The attacks: rows of data, one ground for those that share a server's data.
//!
//! `script` says how lines are read. A command has a row with its worst legal arguments, unless its
//! work is the same whatever the arguments.

mod clients;
mod groups;
mod hashes;
mod keys;
mod large;
mod lists;
mod places;
mod replies;
mod sets;
mod sorted_sets;
mod streams;
mod strings;

/// Data, and what is done to it.
pub(super) struct Ground {
    /// Its name.
    pub(super) name: &'static str,
    /// Settings of the server beside the usual ones.
    pub(super) flags: &'static [(&'static str, &'static str)],
    /// Requests that fill the server.
    pub(super) data: &'static [&'static str],
    /// What is done to it, in turn.
    pub(super) attacks: &'static [Attack],
}

/// What a client does.
pub(super) struct Attack {
    /// Its name.
    pub(super) title: &'static str,
    /// Requests that prepare it; not measured.
    pub(super) before: &'static [&'static str],
    /// So many clients send these requests and never read.
    pub(super) deaf: (u64, &'static [&'static str]),
    /// What the attacker sends, whose replies it reads.
    pub(super) requests: &'static [&'static str],
    /// Requests that clean up; not measured.
    pub(super) after: &'static [&'static str],
}

impl Attack {
    /// One that needs no preparation.
    const fn of(title: &'static str, requests: &'static [&'static str]) -> Attack {
        Attack {
            title,
            before: &[],
            deaf: (0, &[]),
            requests,
            after: &[],
        }
    }

    /// The same after these requests.
    const fn after(self, before: &'static [&'static str]) -> Attack {
        Attack { before, ..self }
    }

    /// The same, and these requests clean up.
    const fn then(self, after: &'static [&'static str]) -> Attack {
        Attack { after, ..self }
    }

    /// The same while clients send these requests and never read.
    const fn beside(self, count: u64, requests: &'static [&'static str]) -> Attack {
        Attack {
            deaf: (count, requests),
            ..self
        }
    }
}

/// All of them.
pub(super) const GROUNDS: &[Ground] = &[
    keys::GROUND,
    strings::GROUND,
    streams::GROUND,
    groups::GROUND,
    lists::GROUND,
    hashes::GROUND,
    sets::GROUND,
    sorted_sets::GROUND,
    places::GROUND,
    clients::GROUND,
    replies::GROUND,
    large::GROUND,
];
