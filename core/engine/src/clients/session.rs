//! What the engine knows of each connected client.

use std::sync::Arc;

use batch::Lsn;
use resp::{Argv, ArgvBuf, Protocol, Sender, Span};
use values::Key;

use crate::clients::channels::Subscriptions;
use crate::clients::tracking::{ClientTracking, TrackerId};
use crate::clients::waiting::Wait;
use crate::config::ClientClass;
use crate::table::{Flags, Row};
use crate::time::{Mono, Now};
use crate::users::{Precedent, User, Users};

/// Identifies a connected client within the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// `CLIENT ID`: grows with each connection.
    pub client: u64,
    slot: u32,
}

impl SessionId {
    /// A small number that no other connected client has; it is reused when the client has gone.
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// One connected client.
#[derive(Debug)]
pub struct Session {
    /// Who it is.
    pub id: SessionId,
    /// The database that its commands use.
    pub database: u16,
    /// The protocol of its replies.
    pub protocol: Protocol,
    /// What it may do.
    user: Arc<User>,
    /// It gave a password, or none was required when it connected.
    authenticated: bool,
    /// It is authenticated and may do everything, so that nothing has to be checked.
    is_unrestricted: bool,
    /// What of its user's rules allowed its requests so far; of no use to another user.
    precedent: Precedent,
    /// `CLIENT SETNAME`; empty if none.
    pub name: Vec<u8>,
    /// `CLIENT SETINFO`: the client library and its version; empty if not said.
    pub library: (Vec<u8>, Vec<u8>),
    /// Where it comes from, `ip:port` or the path of a unix socket.
    pub address: String,
    /// Where it connected to.
    pub local_address: String,
    /// When it connected.
    pub connected: Mono,
    /// When it sent its last request.
    pub last_request: Mono,
    /// Its last command; `None` before the first.
    pub last_command: Option<&'static Row>,
    /// Requests that it sent.
    pub requests: u64,
    /// Its request that `CLIENT PAUSE` holds back.
    pub held: Option<ArgvBuf>,
    /// Its connection closes after the reply to the request that runs.
    pub closing: bool,
    /// The commands queued since `MULTI`.
    pub transaction: Option<Queue>,
    /// What its transaction that runs had queued.
    pub running: Option<Queued>,
    /// A watched key was changed since `WATCH`, so `EXEC` does nothing.
    pub watch_broken: bool,
    /// Keys that it watches.
    pub watched: Watched,
    /// What it waits for, if it is blocked.
    pub wait: Option<Wait>,
    /// What it listens to.
    pub subscriptions: Subscriptions,
    /// How it tracks keys, if it does (`CLIENT TRACKING`).
    pub tracking: Option<Box<ClientTracking>>,
    /// The number under which its reads are known, if it has ever tracked.
    pub(crate) tracker: Option<TrackerId>,
    /// The last batch that any of its requests depended on.
    pub depends_on: Lsn,
    /// It sees all commands (`MONITOR`).
    pub monitor: bool,
    /// Which replies it gets (`CLIENT REPLY`).
    pub replies: Replies,
    /// What it is, which decides how much may wait for it.
    pub class: ClientClass,
    /// Its memory when last counted, in bytes; kept for `maxmemory-clients`.
    pub(crate) counted_bytes: usize,
    /// `CLIENT NO-EVICT`.
    pub no_evict: bool,
    /// `CLIENT NO-TOUCH`: its reads do not count as uses of a key.
    pub no_touch: bool,
    /// `READONLY`: a follower of a cluster may answer its reads.
    pub reads_here: bool,
    /// Figures of its connection, which the shell keeps up to date.
    pub io: IoFigures,
}

impl Session {
    /// Bytes that the client's requests have left here: those that wait in the query buffer, are
    /// queued since `MULTI`, are held back or wait for a key, the keys that it watches, what it
    /// listens to, its prefixes, and what it said of itself. Together they are bounded by
    /// `client-query-buffer-limit`.
    #[inline]
    pub fn request_bytes(&self) -> usize {
        self.io.query_bytes
            + self.transaction.as_ref().map_or(0, |queue| queue.bytes)
            + self.held.as_ref().map_or(0, ArgvBuf::heap_bytes)
            + self.wait.as_ref().map_or(0, Wait::heap_bytes)
            + self.watched.bytes()
            + self.subscriptions.bytes()
            + self.tracking.as_ref().map_or(0, |it| it.prefixes_bytes())
            + self.name.len()
            + self.library.0.len()
            + self.library.1.len()
    }

    /// It may only send what is about channels (`Flags::WHILE_SUBSCRIBED`): in RESP2, a message
    /// could be taken for a reply.
    #[inline]
    pub fn only_listens(&self) -> bool {
        self.class == ClientClass::PubSub && self.protocol == Protocol::Resp2
    }

    /// Returns whether the client may run commands; the parser then accepts large requests from it.
    /// If no password is required any more, every client may.
    #[inline]
    pub fn sender(&self, users: &Users) -> Sender {
        if self.authenticated || users.is_open() {
            Sender::Trusted
        } else {
            Sender::Unauthenticated
        }
    }

    /// Who it acts as.
    pub fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Returns whether it may do everything, so that nothing has to be checked.
    #[inline]
    pub(crate) fn is_unrestricted(&self) -> bool {
        self.is_unrestricted
    }

    /// Returns whether it may make this request because it is like one that it was allowed before;
    /// otherwise [`Session::clearly_may`] has to look. Not inlined, because most clients may do
    /// everything.
    #[inline(never)]
    pub(crate) fn may_by_precedent(&self, row: &Row, argv: Argv<'_>) -> bool {
        self.user.may_by(row, argv, &self.precedent)
    }

    /// Returns whether it may make this request, as far as that is found out quickly: otherwise its
    /// user has to be asked.
    pub(crate) fn clearly_may(&mut self, row: &Row, argv: Argv<'_>) -> bool {
        self.authenticated && self.user.clearly_may(row, argv, &mut self.precedent)
    }

    /// It has said who it is, and it is true.
    pub fn authenticate(&mut self, user: Arc<User>) {
        self.authenticated = true;
        self.set_user(user);
    }

    /// It may do everything, whoever its user is: what is in a journal was allowed.
    pub(crate) fn trust(&mut self) {
        (self.authenticated, self.is_unrestricted) = (true, true);
    }

    /// It is who everybody is that has just connected.
    pub fn forget_user(&mut self, users: &Users) {
        self.authenticated = users.is_open();
        self.set_user(Arc::clone(users.default_user()));
    }

    /// Its user takes the place of the one before. It stays as authenticated as it was.
    pub(crate) fn set_user(&mut self, user: Arc<User>) {
        self.is_unrestricted = self.authenticated && user.is_all_powerful();
        self.precedent = Precedent::NONE;
        self.user = user;
    }

    /// About how many bytes the client takes.
    pub fn memory_bytes(&self) -> usize {
        self.own_bytes() + self.io.query_bytes + self.io.output_bytes
    }

    /// The same without what its connection holds.
    pub(crate) fn own_bytes(&self) -> usize {
        let tracked = self.tracking.as_ref().map_or(0, |it| it.table_bytes());
        size_of::<Session>() + self.request_bytes() + tracked - self.io.query_bytes
    }

    /// Its transaction ends. Returns what was queued, if there was one.
    pub fn end_transaction(&mut self) -> Option<Queue> {
        if let Some(tracking) = &mut self.tracking {
            tracking.transaction_ends(self.requests);
        }
        self.transaction.take()
    }

    /// How much is queued since `MULTI`, also while it runs.
    pub fn queued(&self) -> Option<Queued> {
        let waiting = self.transaction.as_ref().map(Queue::size);
        waiting.or(self.running)
    }
}

/// How much a transaction has queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// How many commands.
    pub requests: usize,
    /// Bytes of their arguments.
    pub arg_bytes: usize,
}

/// The keys that a client watches.
#[derive(Debug, Default)]
pub struct Watched {
    keys: Vec<(u16, Key)>,
    /// Bytes of all names that are on the heap.
    name_bytes: usize,
}

/// About how many bytes a watched key takes beside its name, here and where all watches are.
const WATCHED_KEY_BYTES: usize = 384;

impl Watched {
    /// Adds a key, which must not be among them.
    pub fn push(&mut self, database: u16, key: Key) {
        self.name_bytes += key.heap_bytes();
        self.keys.push((database, key));
    }

    /// Database and name of each.
    pub fn keys(&self) -> &[(u16, Key)] {
        &self.keys
    }

    /// About how many bytes they take; names that others watch too count in full.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() * WATCHED_KEY_BYTES + self.name_bytes
    }
}

/// Figures of a connection for `CLIENT LIST`, set by the shell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IoFigures {
    /// The socket's number.
    pub fd: i32,
    /// Bytes that wait in the query buffer.
    pub query_bytes: usize,
    /// Bytes that wait to be sent.
    pub output_bytes: usize,
    /// Bytes received since it connected.
    pub received_bytes: u64,
    /// Bytes sent since it connected.
    pub sent_bytes: u64,
}

/// Which replies a client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replies {
    /// All.
    On,
    /// None.
    Off,
    /// None to the next command.
    SkipNext,
    /// None to this command, all after it.
    SkipThis,
}

/// Commands queued since `MULTI`.
#[derive(Debug)]
pub struct Queue {
    /// The requests, in order.
    pub requests: Vec<ArgvBuf>,
    /// What they do to the server, all together.
    pub flags: Flags,
    /// Those that write only free memory.
    pub frees: bool,
    /// One was refused, so `EXEC` must refuse all.
    pub aborted: bool,
    /// Bytes of all arguments.
    pub arg_bytes: usize,
    /// About how many bytes the requests take.
    pub bytes: usize,
}

/// What the allocator adds to a queued request, about, in bytes.
const QUEUED_EXTRA_BYTES: usize = 32;

impl Queue {
    /// How much it has.
    pub fn size(&self) -> Queued {
        Queued {
            requests: self.requests.len(),
            arg_bytes: self.arg_bytes,
        }
    }

    /// Adds a request.
    pub(crate) fn push(&mut self, argv: Argv<'_>) {
        let (len, arg_bytes) = (argv.len(), argv.bytes_len());
        self.arg_bytes += arg_bytes;
        self.bytes += size_of::<ArgvBuf>() + len * size_of::<Span>() + arg_bytes;
        self.bytes += QUEUED_EXTRA_BYTES;
        self.requests.push(argv.to_owned());
    }
}

impl Default for Queue {
    fn default() -> Queue {
        Queue {
            requests: Vec::new(),
            flags: Flags::NONE,
            frees: true,
            aborted: false,
            arg_bytes: 0,
            bytes: 0,
        }
    }
}

impl Session {
    fn new(
        id: SessionId,
        address: String,
        local_address: String,
        users: &Users,
        now: Now,
    ) -> Session {
        let (user, authenticated) = (Arc::clone(users.default_user()), users.is_open());
        Session {
            id,
            database: 0,
            protocol: Protocol::Resp2,
            is_unrestricted: authenticated && user.is_all_powerful(),
            user,
            authenticated,
            precedent: Precedent::NONE,
            name: Vec::new(),
            library: (Vec::new(), Vec::new()),
            address,
            local_address,
            connected: now.mono,
            last_request: now.mono,
            last_command: None,
            requests: 0,
            held: None,
            closing: false,
            transaction: None,
            running: None,
            watch_broken: false,
            watched: Watched::default(),
            wait: None,
            subscriptions: Subscriptions::default(),
            tracking: None,
            tracker: None,
            depends_on: Lsn::ZERO,
            monitor: false,
            replies: Replies::On,
            class: ClientClass::Normal,
            counted_bytes: 0,
            no_evict: false,
            no_touch: false,
            reads_here: false,
            io: IoFigures::default(),
        }
    }
}

impl Session {
    /// The answer to a request is known: at once, or because its wait has ended. Returns whether
    /// the client wants it; `before` is what it wanted when the request began. What the request
    /// changed about replies counts from now on.
    ///
    /// A transaction that asks for no replies still gets its own: an array that lacks an element
    /// would confuse the client.
    #[inline]
    pub(crate) fn wants_answer(&mut self, before: Replies) -> bool {
        let wanted = before == Replies::On || self.replies == Replies::On;
        self.replies = match self.replies {
            Replies::SkipNext => Replies::SkipThis,
            Replies::SkipThis => Replies::On,
            replies @ (Replies::On | Replies::Off) => replies,
        };
        wanted
    }
}

/// All connected clients.
#[derive(Debug, Default)]
pub struct Sessions {
    slots: Vec<Option<Box<Session>>>,
    free: Vec<u32>,
    last_client: u64,
    count: usize,
}

impl Sessions {
    /// Adds a new client.
    pub(crate) fn connect(
        &mut self,
        address: String,
        local_address: String,
        users: &Users,
        now: Now,
    ) -> SessionId {
        self.last_client += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        let id = SessionId {
            client: self.last_client,
            slot,
        };
        self.slots[slot as usize] = Some(Box::new(Session::new(
            id,
            address,
            local_address,
            users,
            now,
        )));
        self.count += 1;
        id
    }

    /// Returns how many clients are connected.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether no client is connected.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The client with this ID, unless it is gone or is the one whose command runs now.
    pub fn find(&self, id: SessionId) -> Option<&Session> {
        self.slots
            .get(id.slot as usize)?
            .as_deref()
            .filter(|session| session.id == id)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.slots
            .get_mut(id.slot as usize)?
            .as_deref_mut()
            .filter(|session| session.id == id)
    }

    /// All clients except the one whose command runs now, in no particular order: callers sort
    /// them.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().filter_map(|slot| slot.as_deref())
    }

    /// The same, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.slots.iter_mut().filter_map(|slot| slot.as_deref_mut())
    }

    /// Takes a client out while its command runs, so that the command can see the others.
    #[inline]
    pub(crate) fn take(&mut self, id: SessionId) -> Option<Box<Session>> {
        self.slots
            .get_mut(id.slot as usize)?
            .take_if(|session| session.id == id)
    }

    /// Puts back a client that was taken out.
    #[inline]
    pub(crate) fn put_back(&mut self, session: Box<Session>) {
        let slot = session.id.slot as usize;
        self.slots[slot] = Some(session);
    }

    /// Notes that a client that was taken out goes.
    pub(crate) fn disconnect(&mut self, session: &Session) {
        self.free.push(session.id.slot);
        self.count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::command::CommandTable;
    use crate::config::{ClientClass, Settings};
    use crate::time::Now;
    use crate::{Engine, IoFigures};

    #[test]
    fn how_much_may_wait_for_a_client_depends_on_its_class() {
        let mut settings = Settings::default();
        let limits = "normal 1mb 0 0 replica 2mb 0 0 pubsub 3mb 0 0";
        settings.set("client-output-buffer-limit", limits).unwrap();
        let mut engine = Engine::new(settings, 1, Now::default(), &CommandTable::EMPTY);
        let client = engine.connect(String::new(), String::new(), Now::default());
        for (class, megabytes) in [
            (ClientClass::Normal, 1),
            (ClientClass::Replica, 2),
            (ClientClass::PubSub, 3),
        ] {
            engine.server.sessions.find_mut(client).unwrap().class = class;
            assert_eq!(engine.output_limits(client).hard_bytes, megabytes << 20);
            let terms = engine.begin_requests(client, IoFigures::default()).unwrap();
            assert_eq!(terms.output_limits, engine.output_limits(client));
        }
    }
}
