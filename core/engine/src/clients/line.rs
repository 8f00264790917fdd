//! A client as `CLIENT LIST`, `CLIENT INFO` and `ACL LOG` show it: one line of `name=value` pairs.

use resp::Protocol;

use crate::clients::channels::Listening;
use crate::clients::session::Session;
use crate::clients::tracking::TrackedReads;
use crate::clients::watch::Watches;
use crate::time::{Mono, Now};

/// The line of a client, its end included.
pub fn line(session: &Session, watches: &Watches, now: Now) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let since_s = |then: Mono| now.mono.0.saturating_sub(then.0) / 1000;
    let queued = session.queued();
    let multi = queued.map_or(-1, |queued| queued.requests as i64);
    let command = session.last_command.map(|found| found.full_name());
    let io = session.io;
    let memory = session.memory_bytes();
    let queued_bytes = queued.map_or(0, |queued| queued.arg_bytes);
    format!(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} \
         multi={multi} watch={} qbuf={} qbuf-free=0 argv-mem=0 multi-mem={queued_bytes} rbs=0 rbp=0 obl={} oll=0 \
         omem=0 tot-mem={memory} events=r cmd={} user={} redir={} resp={} lib-name={} lib-ver={} \
         io-thread=0 tot-net-in={} tot-net-out={} tot-cmds={}\n",
        session.id.client,
        session.address,
        session.local_address,
        io.fd,
        text(&session.name),
        since_s(session.connected),
        since_s(session.last_request),
        flags(session, watches),
        session.database,
        session.subscriptions.len(Listening::Channel),
        session.subscriptions.len(Listening::Pattern),
        session.subscriptions.len(Listening::Shard),
        session.watched.keys().len(),
        io.query_bytes,
        io.output_bytes,
        command.as_deref().unwrap_or("NULL"),
        text(session.user().name()),
        redirect(session),
        match session.protocol {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        },
        text(&session.library.0),
        text(&session.library.1),
        io.received_bytes,
        io.sent_bytes,
        session.requests,
    )
}

/// Which client is told what this one tracks: 0 is the client itself, -1 nobody.
pub fn redirect(session: &Session) -> i64 {
    match &session.tracking {
        None => -1,
        Some(tracking) => tracking.options.redirect.map_or(0, |id| id.client as i64),
    }
}

/// The flags of a client, a letter each.
fn flags(session: &Session, watches: &Watches) -> String {
    let tracking = session.tracking.as_deref();
    let special = [
        (session.monitor, 'O'),
        (!session.subscriptions.is_empty(), 'P'),
        (session.queued().is_some(), 'x'),
        (session.wait.is_some() || session.held.is_some(), 'b'),
        (tracking.is_some(), 't'),
        (tracking.is_some_and(|it| it.redirect_is_broken), 'R'),
        (
            tracking.is_some_and(|it| it.options.reads == TrackedReads::Broadcast),
            'B',
        ),
        (watches.is_broken(session.id), 'd'),
        (session.closing, 'c'),
        (
            !session.address.is_empty() && session.address == session.local_address,
            'U',
        ),
        (session.no_evict, 'e'),
        (session.no_touch, 'T'),
    ];
    let letters = special.into_iter().filter(|(set, _)| *set);
    let letters: String = letters.map(|(_, letter)| letter).collect();
    if letters.is_empty() {
        "N".to_owned()
    } else {
        letters
    }
}
