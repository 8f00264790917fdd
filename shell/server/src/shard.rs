//! A shard: an engine, and where its clients are served, behind one lock.

pub(crate) mod delivery;
mod go_on;
mod held;
mod inside;
mod locations;
mod orders;
mod settings;
mod stop;

use std::ops::BitOrAssign;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use engine::clients::session::SessionId;
use engine::config::ShellConfig;
use engine::{Dropped, Engine, Mono, Now};
use journal::Gate;
use parking_lot::Mutex;
use persistence::{Config, JournalSlot, Load, Persistence};
use signal_hook::iterator::Handle as Signals;
use wakeup::Alarm;

use crate::changes::Change;
use crate::clock::Clock;
use crate::dropper::Dropper;
use crate::group::Group;
use crate::mailbox::{Mailbox, Message};
use crate::memory::{self, Meter, Untold};
use crate::migrator::Migrator;
use crate::preparer::Preparer;
use crate::refusals::Refusals;
use crate::tls::IdentitySlot;

pub(crate) use held::Held;
pub(crate) use locations::{Location, Locations};

/// A shard as threads share it.
pub struct Shard {
    state: Mutex<State>,
    /// The shell's clock.
    pub clock: Clock,
    pub(crate) alarm: Arc<Alarm>,
    /// Frees what the engine has released.
    pub(crate) dropper: Dropper,
    /// Makes memory ready for what commands are about to make.
    pub(crate) preparer: Preparer,
    /// Sends keys to other servers.
    pub(crate) migrator: Migrator,
    pub(crate) untold: Untold,
    /// Sent bytes that the engine has not been told of.
    pub(crate) sent: Untold,
    /// What the main thread waits for; closing it asks the server to stop.
    signals: OnceLock<Signals>,
    /// Where the system tells of the thread that counts as the main one.
    main_thread: OnceLock<PathBuf>,
    /// The journal, as far as it is needed without the lock.
    pub(crate) journal: Arc<JournalSlot>,
    /// How far the load is.
    pub(crate) load: Load,
    /// What clients of TLS are shown.
    pub(crate) identity: IdentitySlot,
    settings_hook: Option<SettingsHook>,
    /// Where changes of settings go that wait for the system; none before the server serves.
    changes: OnceLock<mpsc::Sender<Change>>,
    /// The group that the log is shared with, if it is.
    pub(crate) group: Group,
    /// Which thread serves the next client from inside of the process.
    turn: inside::Turn,
}

/// What the binary does when settings change.
type SettingsHook = Box<dyn Fn(&ShellConfig) + Send + Sync>;

/// Who ends a batch of engine calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The I/O thread with this number, which opens what is for its own clients by itself.
    Io(usize),
    /// The thread that does what is due, which the alarm is for.
    Upkeep,
    /// Another thread.
    Other,
}

/// Whether the journal was given something. If so, it must be kicked, best without the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Submitted {
    Nothing,
    Batches,
}

impl BitOrAssign for Submitted {
    fn bitor_assign(&mut self, other: Submitted) {
        if other == Submitted::Batches {
            *self = other;
        }
    }
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) engine: Engine,
    /// How the data is kept.
    pub(crate) persistence: Persistence,
    /// Where each client is served.
    pub(crate) locations: Locations,
    /// The threads that serve clients, by number.
    pub(crate) mailboxes: Vec<Arc<Mailbox>>,
    /// What is on its way to each of them; empty unless the lock is held.
    outgoing: Vec<Vec<Message>>,
    /// Some of it was sorted out, and is to be posted.
    is_sorted: bool,
    /// Clients of each thread that get the same; empty unless that is being put together.
    recipients: Vec<Vec<(usize, SessionId)>>,
    /// No client is served any more: without a journal, what is done now would be lost.
    pub(crate) stopping: bool,
    /// Which refusals were logged.
    pub(crate) refusals: Refusals,
    /// How long the lock was held since it was last handed to a thread that may have waited.
    held: Duration,
}

impl Shard {
    /// A shard around an engine, whose data [`serve`](crate::serve) loads.
    pub fn new(engine: Engine, clock: Clock) -> Shard {
        let alarm = Arc::new(Alarm::default());
        let journal = Arc::new(JournalSlot::default());
        let config = Config::resolve(&engine.server.settings);
        let persistence = Persistence::new(config, Arc::clone(&journal), Arc::clone(&alarm));
        Shard {
            state: Mutex::new(State {
                persistence,
                engine,
                locations: Locations::default(),
                mailboxes: Vec::new(),
                outgoing: Vec::new(),
                is_sorted: false,
                recipients: Vec::new(),
                stopping: false,
                refusals: Refusals::default(),
                held: Duration::ZERO,
            }),
            clock,
            alarm,
            dropper: Dropper::default(),
            preparer: Preparer::default(),
            migrator: Migrator::default(),
            untold: Untold::default(),
            sent: Untold::default(),
            signals: OnceLock::new(),
            main_thread: OnceLock::new(),
            journal,
            load: Load::default(),
            identity: IdentitySlot::default(),
            settings_hook: None,
            changes: OnceLock::new(),
            group: Group::default(),
            turn: inside::Turn::default(),
        }
    }

    /// The same shard, which reports changed settings.
    #[must_use]
    pub fn on_settings_changed(
        mut self,
        hook: impl Fn(&ShellConfig) + Send + Sync + 'static,
    ) -> Shard {
        self.settings_hook = Some(Box::new(hook));
        self
    }

    /// Takes the lock. No thread waits for a client while it holds it, or for a disk, except for
    /// work that makes all clients wait: `SHUTDOWN SAVE`, the snapshot at the end, `DEBUG RELOAD`
    /// and `DEBUG LOADAOF`. A panic while it is held ends the process.
    #[inline]
    pub(crate) fn lock(&self) -> Held<'_> {
        let state = self.state.lock();
        let message = match state.persistence.is_journalling() {
            true => held::FAILED,
            false => held::FAILED_WITHOUT_JOURNAL,
        };
        Held::new(state, message)
    }

    /// Ends a batch of engine calls: delivers what the engine has for others, and appends to
    /// `messages` what is for connections of the caller; sets the alarm for an earlier deadline;
    /// carries out orders.
    pub(crate) fn finish(
        &self,
        state: &mut State,
        now: Now,
        caller: Caller,
        messages: &mut Vec<Message>,
    ) -> Submitted {
        if state.engine.has_outbox() || state.is_sorted {
            delivery::deliver(state, caller, messages);
        }
        let mut submitted = Submitted::Nothing;
        if state.engine.log().has_bytes() {
            let last = state.engine.log().last();
            if self.journal.submit(state.engine.effects(), last) {
                submitted = Submitted::Batches;
                state.engine.effects_taken();
            }
        }
        if state.engine.has_orders() {
            // Some orders wait for the journal, which must then know of its work.
            self.journal.kick();
            for order in state.engine.take_orders() {
                self.carry_out(state, &order);
            }
            delivery::deliver(state, caller, messages);
        }
        if let Some(due) = state.engine.next_deadline(now) {
            match caller {
                Caller::Upkeep => {
                    self.alarm.set(due.0);
                }
                Caller::Io(_) | Caller::Other => self.alarm.set_from_outside(due.0),
            }
        }
        submitted
    }

    /// Tells the engine what threads did without the lock.
    #[inline]
    pub(crate) fn tell_untold(&self, engine: &mut Engine) {
        memory::add(engine, self.untold.take());
        let shell = &mut engine.server.shell;
        shell.sent_bytes = shell.sent_bytes.saturating_add_signed(self.sent.take());
    }

    /// Takes what the engine has released, if there is something, to be handed to the dropper
    /// without the lock.
    #[inline]
    pub(crate) fn take_dropped(
        &self,
        state: &mut State,
        meter: &mut Meter,
    ) -> Option<Vec<Dropped>> {
        if state.engine.dropped_bytes() == 0 {
            return None;
        }
        let dropped = state.engine.take_dropped();
        self.dropper.announce(&dropped);
        meter.dropped_taken();
        Some(dropped)
    }

    /// Adds something that the engine never had to what is handed to the dropper.
    #[cold]
    pub(crate) fn release(
        &self,
        state: &mut State,
        spent: Dropped,
        dropped: &mut Option<Vec<Dropped>>,
    ) {
        // Like the rest, it counts as free from now on.
        memory::add(&mut state.engine, -(spent.bytes().cast_signed() as i64));
        self.dropper.announce(std::slice::from_ref(&spent));
        dropped.get_or_insert_default().push(spent);
    }

    /// The calling thread counts as the main one in figures of the process. Only the first call
    /// counts.
    pub(crate) fn is_main_thread(&self) {
        if let Ok(thread) = std::fs::read_link("/proc/thread-self") {
            self.main_thread
                .get_or_init(|| Path::new("/proc").join(thread));
        }
    }

    /// Where the system tells of the main thread.
    pub(crate) fn main_thread(&self) -> Option<&Path> {
        self.main_thread.get().map(PathBuf::as_path)
    }

    /// When something is due next.
    pub(crate) fn alarm_at(&self) -> Mono {
        Mono(self.alarm.at_ms())
    }

    /// A gate for the thread that reads `mailbox`.
    pub(crate) fn gate(&self, mailbox: &Arc<Mailbox>) -> Gate {
        let mailbox = Arc::clone(mailbox);
        let gate = Gate::new(move || mailbox.wake()).under(self.journal.lease());
        let state = self.lock();
        self.journal
            .add(&gate, state.engine.server.loading.is_some());
        gate
    }
}

/// The I/O thread that also accepts connections.
pub(crate) const ACCEPTING_THREAD: usize = 0;
