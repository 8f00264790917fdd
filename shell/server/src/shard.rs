//! A shard: an engine, and where its clients are served, behind one lock.

mod health;
mod held;
mod homes;
mod reload;
mod settings;

use std::ops::BitOrAssign;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::error::CmdError;
use engine::server::Order;
use engine::{Dropped, Engine, Mono, Now};
use journal::{Gate, SyncPolicy, contained};
use parking_lot::Mutex;
use persistence::background::{self, Background, Ended};
use persistence::snapshot::{self, Progress, Written};
use persistence::{JournalSlot, Load, RewritePace};
use signal_hook::iterator::Handle as Signals;
use wakeup::Alarm;

use crate::changes::Change;
use crate::clock::Clock;
use crate::config_file;
use crate::dropper::Dropper;
use crate::inbox::{Inbox, Letter};
use crate::limits::JOURNAL_BACKLOG_BYTES_MAX;
use crate::memory::{self, Meter, Untold};
use crate::refusals::Refusals;

pub(crate) use held::Held;
pub(crate) use homes::{Home, Homes};

/// A shard as threads share it.
pub struct Shard {
    state: Mutex<State>,
    /// The shell's clock.
    pub clock: Clock,
    pub(crate) alarm: Arc<Alarm>,
    /// Frees what the engine has released.
    pub(crate) dropper: Dropper,
    pub(crate) untold: Untold,
    /// Sent bytes that the engine has not been told of.
    pub(crate) sent: Untold,
    /// What the main thread waits for; closing it asks the server to stop.
    signals: OnceLock<Signals>,
    pub(crate) journal: JournalSlot,
    /// How far the load is.
    pub(crate) load: Load,
    pub(crate) background: Arc<Background>,
    settings_hook: Option<SettingsHook>,
    /// Where changes of settings go that wait for the system; none before the server serves.
    changes: OnceLock<mpsc::Sender<Change>>,
}

/// What the binary does when settings change.
type SettingsHook = Box<dyn Fn(&Settings) + Send + Sync>;

/// Whether the journal was given something. If so, it has to be kicked, best without the lock.
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
    /// Where each client is served.
    pub(crate) homes: Homes,
    /// The threads that serve clients, by number.
    pub(crate) inboxes: Vec<Arc<Inbox>>,
    /// What is on its way to each of them; empty unless the lock is held.
    bags: Vec<Vec<Letter>>,
    /// Nobody is served any more, because what is done now would be lost if there is no journal.
    pub(crate) stopping: bool,
    /// When the last snapshot failed.
    snapshot_failed: Option<Mono>,
    /// When the log last had a line about the progress of a snapshot or rewrite, or about the
    /// absence of one.
    progress_told: Mono,
    /// When the journal may be rewritten automatically.
    rewrite_pace: RewritePace,
    /// What the log has of refusals.
    pub(crate) refusals: Refusals,
    /// The kind of health of the journal that the engine was last told of.
    health_kind: u8,
}

impl Shard {
    /// A shard around an engine, whose data [`serve`](crate::serve) loads.
    pub fn new(engine: Engine, clock: Clock) -> Shard {
        let alarm = Arc::new(Alarm::default());
        Shard {
            state: Mutex::new(State {
                engine,
                homes: Homes::default(),
                inboxes: Vec::new(),
                bags: Vec::new(),
                stopping: false,
                snapshot_failed: None,
                progress_told: Mono(0),
                rewrite_pace: RewritePace::default(),
                refusals: Refusals::default(),
                health_kind: 0,
            }),
            clock,
            background: Arc::new(Background::new(Arc::clone(&alarm))),
            alarm,
            dropper: Dropper::default(),
            untold: Untold::default(),
            sent: Untold::default(),
            signals: OnceLock::new(),
            journal: JournalSlot::default(),
            load: Load::default(),
            settings_hook: None,
            changes: OnceLock::new(),
        }
    }

    /// The same shard, which reports changed settings.
    #[must_use]
    pub fn on_settings_changed(
        mut self,
        hook: impl Fn(&Settings) + Send + Sync + 'static,
    ) -> Shard {
        self.settings_hook = Some(Box::new(hook));
        self
    }

    /// Takes the lock. Nobody waits for a client while holding it. Only work that makes everybody
    /// wait also waits for a disk: `SHUTDOWN SAVE`, the snapshot at the end, `DEBUG RELOAD` and
    /// `DEBUG LOADAOF`. A panic while it is held ends the process.
    #[inline]
    pub(crate) fn lock(&self) -> Held<'_> {
        let state = self.state.lock();
        let message = match state.engine.node.shell.persistence.journalling {
            true => held::FAILED,
            false => held::FAILED_WITHOUT_JOURNAL,
        };
        Held::new(state, message)
    }

    /// Ends a batch of engine calls by thread `own`: delivers what the engine has for others, and
    /// appends to `letters` what is for connections of that thread; tells the timer of an earlier
    /// deadline; carries out orders.
    pub(crate) fn finish(
        &self,
        state: &mut State,
        now: Now,
        own: usize,
        letters: &mut Vec<Letter>,
    ) -> Submitted {
        if state.engine.has_outbox() {
            deliver(state, own, letters);
        }
        let mut submitted = Submitted::Nothing;
        if state.engine.log().has_bytes()
            && let Some(journal) = self.journal.taking()
        {
            let last = journal::Lsn::new(state.engine.log().last().0);
            journal.submit(state.engine.effects(), last);
            submitted = Submitted::Batches;
            state.engine.effects_taken();
        }
        if state.engine.has_orders() {
            // Some orders wait for the journal, which must then know of its work.
            self.kick_journal();
            for order in state.engine.take_orders() {
                self.carry_out(state, &order);
            }
            deliver(state, own, letters);
        }
        if let Some(due) = state.engine.next_deadline(now) {
            if own == TIMER_THREAD {
                self.alarm.set(due.0);
            } else {
                self.alarm.set_from_outside(due.0);
            }
        }
        submitted
    }

    /// Tells the engine what threads did without the lock.
    #[inline]
    pub(crate) fn tell_untold(&self, engine: &mut Engine) {
        memory::add(engine, self.untold.take());
        let shell = &mut engine.node.shell;
        shell.sent_bytes = shell.sent_bytes.saturating_add_signed(self.sent.take());
    }

    /// Takes what the engine has released, to be handed to the dropper without the lock.
    pub(crate) fn take_dropped(&self, state: &mut State, meter: &mut Meter) -> Vec<Dropped> {
        let dropped = state.engine.take_dropped();
        self.dropper.announce(&dropped);
        meter.dropped_taken();
        dropped
    }

    /// Lets the journal's thread start on what was submitted.
    pub(crate) fn kick_journal(&self) {
        if let Some(journal) = self.journal.taking() {
            journal.kick();
        }
    }

    /// Returns whether so much waits for the journal's thread that anyone who adds to it must wait.
    pub(crate) fn is_journal_behind(&self) -> bool {
        let journal = self.journal.awaited();
        journal.is_some_and(|journal| journal.backlog_bytes() > JOURNAL_BACKLOG_BYTES_MAX)
    }

    /// Returns whether the journal has to begin early, because replies wait for its syncs.
    pub(crate) fn syncs_first(&self) -> bool {
        let journal = self.journal.whole();
        journal.is_some_and(|journal| journal.syncs_first())
    }

    fn carry_out(&self, state: &mut State, order: &Order) {
        let is_loading = state.engine.node.loading.is_some();
        match order {
            Order::ClientEvicted { client, bytes } => tracing::warn!(
                client,
                bytes,
                "a client is disconnected: all clients take more than maxmemory-clients allows"
            ),
            Order::SettingsChanged => self.settings_changed(state),
            Order::ChangeSettings { waiting, pairs } => self.change(state, *waiting, pairs),
            Order::Shutdown { save: false, .. } => self.ask_to_stop(state),
            // Data that is not loaded yet must not replace what is on the disk.
            Order::Shutdown { .. } if is_loading => self.ask_to_stop(state),
            Order::Reload { waiting, .. } | Order::ReloadJournal { waiting } if is_loading => {
                state.engine.end_wait(*waiting, Err(CmdError::Loading));
            }
            Order::Shutdown {
                save: true,
                waiting,
            } => {
                let written = self.write_snapshot(state);
                state.engine.node.shell.persistence.snapshotting = false;
                match written {
                    Ok(()) => self.ask_to_stop(state),
                    Err(error) => state.engine.end_wait(*waiting, Err(error)),
                }
            }
            Order::RewriteJournal => self.begin_rewrite(state),
            Order::RewriteConfiguration { waiting } => {
                self.rewrite_configuration(state, *waiting);
            }
            Order::Reload { reload, waiting } => {
                let result = self.reload(state, *reload);
                state.engine.end_wait(*waiting, result);
            }
            Order::ReloadJournal { waiting } => {
                let result = self.reload_journal(state);
                state.engine.end_wait(*waiting, result);
            }
            Order::Snapshot { waiting } => self.begin_snapshot(state, *waiting),
        }
    }

    fn ask_to_stop(&self, state: &mut State) {
        tracing::info!("SHUTDOWN received, stopping");
        state.stopping = true;
        self.end();
    }

    /// When the timer looks next.
    pub(crate) fn alarm_at(&self) -> Mono {
        Mono(self.alarm.at_ms())
    }

    /// Makes the main thread end the server.
    pub(crate) fn end(&self) {
        if let Some(signals) = self.signals.get() {
            signals.close();
        }
    }

    fn begin_rewrite(&self, state: &mut State) {
        let Some(journal) = self.journal.whole() else {
            // It was turned off meanwhile.
            state.engine.node.shell.persistence.rewriting = false;
            return;
        };
        let now = self.clock.now();
        state.engine.node.shell.persistence.rewrite_begun = Some(now.mono);
        state.rewrite_pace.begun(now.mono);
        let begun = persistence::begin_rewrite(&journal, &mut state.engine, &self.background, now);
        if let Err(error) = begun {
            self.background.note(Ended::Rewrite(Err(error)));
        }
    }

    fn rewrite_configuration(&self, state: &State, waiting: SessionId) {
        let path = PathBuf::from(&state.engine.node.shell.config_file);
        let settings = state.engine.node.settings.clone();
        let ended = Arc::clone(&self.background);
        let write = move || {
            let result = config_file::rewrite(&path, &settings)
                .map_err(|error| format!("{}: {error}", path.display()));
            ended.note(Ended::Configuration { waiting, result });
        };
        if let Err(error) = background::spawn("weir-config", write) {
            let result = Err(error.to_string());
            self.background
                .note(Ended::Configuration { waiting, result });
        }
    }

    fn begin_snapshot(&self, state: &mut State, waiting: Option<SessionId>) {
        let frozen = state.engine.freeze();
        let changes = state.engine.stats().changes;
        let now = self.clock.now();
        state.engine.node.shell.persistence.snapshot_begun = Some(now.mono);
        let path = snapshot_path(state);
        let ended = Arc::clone(&self.background);
        let write = move || {
            let result = contained(|| snapshot::write_file(&frozen, &path, now, &ended.snapshot));
            let result = result.map_err(|error| format!("{}: {error}", path.display()));
            ended.note(Ended::Snapshot {
                waiting,
                result,
                changes,
            });
        };
        if let Err(error) = background::spawn("weir-snapshot", write) {
            let result = Err(error.to_string());
            self.background.note(Ended::Snapshot {
                waiting,
                result,
                changes,
            });
        }
    }

    /// Tells the engine that a snapshot with this many changes was written.
    fn snapshot_written(&self, state: &mut State, bytes: u64, changes: u64, now: Now) {
        let persistence = &mut state.engine.node.shell.persistence;
        persistence.snapshot_failed = false;
        persistence.snapshot_failures = 0;
        persistence.snapshots += 1;
        persistence.snapshot_at_s = now.unix().0 / 1000;
        persistence.snapshot_changes = changes;
        tracing::info!(bytes, "snapshot written");
    }

    /// Tells the engine of work that has ended.
    pub(crate) fn look_at_background(&self, state: &mut State, now: Now) {
        for ended in self.background.collect() {
            match ended {
                Ended::Snapshot {
                    waiting,
                    result,
                    changes,
                } => {
                    let persistence = &mut state.engine.node.shell.persistence;
                    persistence.snapshotting = false;
                    self.background.snapshot.end();
                    let begun = persistence.snapshot_begun.take();
                    persistence.snapshot_took_s = took_s(begun, now);
                    match &result {
                        Ok(bytes) => self.snapshot_written(state, *bytes, changes, now),
                        Err(error) => {
                            persistence.snapshot_failed = true;
                            persistence.snapshot_failures += 1;
                            state.snapshot_failed = Some(now.mono);
                            tracing::error!(error, "the snapshot was not written");
                        }
                    }
                    if let Some(session) = waiting {
                        let result = result.map(drop).map_err(CmdError::SaveFailed);
                        state.engine.end_wait(session, result);
                    }
                }
                Ended::Configuration { waiting, result } => {
                    match &result {
                        Ok(()) => tracing::info!("configuration file rewritten"),
                        Err(error) => {
                            tracing::error!(error, "the configuration file was not rewritten");
                        }
                    }
                    let result = result.map_err(CmdError::ConfigFileNotWritten);
                    state.engine.end_wait(waiting, result);
                }
                Ended::Rewrite(result) => {
                    let persistence = &mut state.engine.node.shell.persistence;
                    persistence.rewriting = false;
                    self.background.rewrite.end();
                    persistence.rewrite_failed = result.is_err();
                    state.rewrite_pace.ended(result.is_ok(), now.mono);
                    let begun = persistence.rewrite_begun.take();
                    persistence.rewrite_took_s = took_s(begun, now);
                    match result {
                        Ok(bytes) => {
                            persistence.rewrites += 1;
                            persistence.rewrite_failures = 0;
                            tracing::info!(bytes, "journal rewritten");
                        }
                        Err(error) => {
                            persistence.rewrite_failures += 1;
                            tracing::error!(
                                error,
                                "the journal was not rewritten; it is as it was"
                            );
                        }
                    }
                }
            }
        }
    }

    /// Tells the engine, and now and then the log, how far snapshots and rewrites are.
    pub(crate) fn look_at_progress(&self, state: &mut State, now: Now) {
        let (snapshot, rewrite) = (&self.background.snapshot, &self.background.rewrite);
        let (snapshot, rewrite) = (snapshot.written(), rewrite.written());
        let persistence = &mut state.engine.node.shell.persistence;
        persistence.keys_written = snapshot.keys + rewrite.keys;
        persistence.keys_to_write = snapshot.keys_total + rewrite.keys_total;
        if persistence.keys_to_write == 0 {
            state.progress_told = now.mono;
        } else if now.mono >= state.progress_told.plus(PROGRESS_MS) {
            state.progress_told = now.mono;
            for (work, written) in [("snapshot", snapshot), ("rewrite", rewrite)] {
                let Written {
                    keys,
                    keys_total: of,
                    bytes,
                } = written;
                if of > 0 {
                    tracing::info!(work, keys, of, bytes, "writing");
                }
            }
        }
    }

    /// Begins a snapshot if a save point was reached.
    pub(crate) fn look_at_save_points(&self, state: &mut State, now: Now) {
        let changes = state.engine.stats().changes;
        let node = &mut state.engine.node;
        let persistence = &mut node.shell.persistence;
        let last_s = match persistence.snapshot_at_s {
            0 => node.started.unix().0 / 1000,
            at_s => at_s,
        };
        let changes = changes - persistence.snapshot_changes;
        let elapsed_s = (now.unix().0 / 1000)
            .saturating_sub(last_s)
            .max(0)
            .unsigned_abs();
        let Some(point) = node.config.save_points.reached(changes, elapsed_s) else {
            return;
        };
        let rests = state
            .snapshot_failed
            .is_some_and(|at| now.mono < at.plus(SNAPSHOT_RETRY_MS));
        if persistence.snapshotting || (persistence.snapshot_failed && rests) {
            return;
        }
        tracing::info!(
            changes,
            seconds = point.seconds,
            "a save point was reached; a snapshot begins"
        );
        persistence.snapshotting = true;
        node.orders.push(Order::Snapshot { waiting: None });
    }

    /// Writes a snapshot before the server stops, if there are save points. Nobody is served
    /// meanwhile. Returns whether the server may stop.
    pub(crate) fn save_before_stop(&self) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let changes = state.engine.stats().changes;
        let persistence = &state.engine.node.shell.persistence;
        if state.engine.node.loading.is_some()
            || state.engine.node.config.save_points.is_empty()
            || changes == persistence.snapshot_changes
        {
            return true;
        }
        match self.write_snapshot(state) {
            Ok(()) => {
                state.stopping = true;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the server goes on");
                false
            }
        }
    }

    /// Writes a snapshot while everybody waits.
    fn write_snapshot(&self, state: &mut State) -> Result<(), CmdError> {
        let (now, path) = (self.clock.now(), snapshot_path(state));
        let changes = state.engine.stats().changes;
        let frozen = state.engine.freeze();
        let written = snapshot::write_file(&frozen, &path, now, &Progress::default());
        let bytes = written
            .map_err(|error| CmdError::SaveFailed(format!("{}: {error}", path.display())))?;
        self.snapshot_written(state, bytes, changes, now);
        Ok(())
    }

    /// A gate for the thread that reads `inbox`.
    pub(crate) fn gate(&self, inbox: &Arc<Inbox>) -> Gate {
        let inbox = Arc::clone(inbox);
        let gate = Gate::new(move || inbox.wake());
        let state = self.lock();
        self.journal.add(&gate, state.engine.node.loading.is_some());
        gate
    }

    /// Commits what the journal was given, makes it durable and ends its thread.
    pub(crate) fn close_journal(&self) {
        let is_beginning = self.journal.is_beginning();
        let journal = self.journal.end();
        if let Some(Err(fault)) = journal.map(|journal| journal.close())
            && !is_beginning
        {
            tracing::error!(%fault, "the journal was not closed in order");
        }
    }

    /// Sets what `SHUTDOWN` closes so that the server stops. Only the first call counts.
    pub(crate) fn stops_by(&self, signals: Signals) {
        self.signals.get_or_init(|| signals);
    }

    /// Tells the threads that serve clients to end.
    pub(crate) fn stop(&self) {
        for inbox in &self.lock().inboxes {
            inbox.post(Letter::Stop);
        }
    }
}

impl State {
    /// These are the threads that serve clients.
    pub(crate) fn set_inboxes(&mut self, inboxes: &[Arc<Inbox>]) {
        self.inboxes = inboxes.to_vec();
        self.bags = inboxes.iter().map(|_| Vec::new()).collect();
    }
}

/// The thread that also does what is due.
pub(crate) const TIMER_THREAD: usize = 0;

/// How long after a failed snapshot save points begin no other, in milliseconds; as in Redis.
const SNAPSHOT_RETRY_MS: u64 = 5000;

/// How often the log has a line about the progress of a snapshot or rewrite, in milliseconds.
const PROGRESS_MS: u64 = 2000;

fn took_s(begun: Option<Mono>, now: Now) -> Option<u64> {
    begun.map(|begun| now.mono.0.saturating_sub(begun.0) / 1000)
}

/// Posts what the engine has for clients that did not just ask.
fn deliver(state: &mut State, own: usize, letters: &mut Vec<Letter>) {
    for delivery in state.engine.take_outbox() {
        let Some(home) = state.homes.find(delivery.session) else {
            continue;
        };
        let letter = Letter::Delivery(home.place, delivery);
        if home.thread == own {
            letters.push(letter);
        } else if let Some(bag) = state.bags.get_mut(home.thread) {
            bag.push(letter);
        }
    }
    for (inbox, bag) in state.inboxes.iter().zip(&mut state.bags) {
        if !bag.is_empty() {
            inbox.post_all(bag);
        }
    }
}

/// Returns where snapshots are.
fn snapshot_path(state: &State) -> PathBuf {
    let settings = &state.engine.node.settings;
    Path::new(settings.text("dir")).join(settings.text("dbfilename"))
}

/// The policy that the setting `appendfsync` names.
pub fn sync_policy(settings: &Settings) -> SyncPolicy {
    match settings.text("appendfsync") {
        "always" => SyncPolicy::Always,
        "everysec" => SyncPolicy::EverySecond,
        "no" => SyncPolicy::Never,
        word => panic!("no policy is called {word}"),
    }
}

#[cfg(test)]
mod tests {
    use engine::config::Kind;

    use super::*;

    #[test]
    fn each_word_of_appendfsync_names_a_policy_of_its_own() {
        let mut settings = Settings::default();
        assert_eq!(sync_policy(&settings), SyncPolicy::Always);
        let Some(Kind::Choice(words)) = settings.row("appendfsync").map(|row| row.kind) else {
            unreachable!("it is a choice");
        };
        let mut policies = Vec::new();
        for word in words {
            settings.set("appendfsync", word).unwrap();
            policies.push(sync_policy(&settings));
        }
        policies.dedup();
        assert_eq!(policies.len(), 3);
    }

    #[test]
    #[should_panic(expected = "no setting is called apendonly")]
    fn a_misspelt_name_is_no_default() {
        Settings::default().flag("apendonly");
    }
}
