//! The journal turned on and off while the server runs (`CONFIG SET appendonly`).
//!
//! *On*: the state of this moment is written as the base of a new journal, which takes every batch
//! from this moment on. What the folder held stays until the base is whole and durable, so a crash
//! on the way leaves the one or the other. Replies wait for the journal as soon as it is whole.
//! *Off*: what the journal was given is made durable and released, and a note beside it says that
//! it ends here ([`crate::turned_off`]).
//!
//! Each takes several steps, because only some of them need the shard's lock and the others take
//! long. On: [`prepare`], then under the lock [`Persistence::begin_journal`], then
//! [`Beginning::write`], then under the lock [`Persistence::journal_begun`], then
//! [`Begun::settle`]. Off: under the lock [`Persistence::end_journal`], then [`Ending::settle`],
//! then under the lock [`Persistence::journal_ended`].

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use engine::store::keyspace::Frozen;
use engine::store::log::Journalling;
use engine::{Engine, Now};
use journal::{
    FileDisk, Journal, Names, PendingRewrite, Recovery, Superseding, TornTail, contained,
};

use super::Persistence;
use crate::background::Background;
use crate::config::Config;
use crate::rewrite;
use crate::shard_log::{ShardJournal, ShardLog};
use crate::turned_off::{self, Why};

/// The pause between two looks at whether a rewrite has given up.
const PAUSE: Duration = Duration::from_millis(2);

/// Why the journal is not turned on or off while data is loaded.
pub const BEING_LOADED: &str = "the data is being loaded";

/// A log that is opened, to take the place of what the folder has.
pub struct Prepared {
    log: Superseding<FileDisk>,
    config: Config,
}

/// A journal that takes batches, and whose base is not written yet.
pub struct Beginning {
    journal: Arc<ShardJournal>,
    pending: PendingRewrite<ShardLog>,
    frozen: Frozen,
    config: Config,
    now: Now,
}

/// A journal whose base was written, or could not be.
pub struct Begun {
    journal: Arc<ShardJournal>,
    written: Result<u64, String>,
    config: Config,
}

/// Why data cannot be written just now.
pub(super) const UNFINISHED: &str = "a script that has written is not finished";

/// A journal that takes nothing more.
pub struct Ending {
    journal: Arc<ShardJournal>,
    config: Config,
}

/// Opens a log that takes the place of what the folder has, without touching that yet.
///
/// # Errors
/// Why it cannot be opened.
pub fn prepare(config: Config) -> Result<Prepared, String> {
    let disk = FileDisk::open(&config.folder).map_err(|error| in_folder(&config, &error))?;
    let names = Names::new(&config.stem);
    if turned_off::is_unread(&config.folder, &config.stem)
        .map_err(|error| in_folder(&config, &error))?
    {
        return Err(format!(
            "{} holds a journal that was not loaded, because weir was started with appendonly no; a new \
             one would replace it. Start with --appendonly yes to load it, or move it away",
            config.folder.display()
        ));
    }
    let log = Recovery::open(Arc::new(disk), names, TornTail::Refuse)
        .and_then(Recovery::supersede)
        .map_err(|error| in_folder(&config, &error))?;
    Ok(Prepared {
        log: log.with_reserve(config.reserve_bytes),
        config,
    })
}

fn in_folder(config: &Config, error: &dyn Display) -> String {
    format!("{}: {error}", config.folder.display())
}

impl Persistence {
    /// Lets a journal take batches from now on.
    ///
    /// # Errors
    /// Why it cannot begin; nothing has changed then.
    pub fn begin_journal(
        &mut self,
        engine: &mut Engine,
        prepared: Prepared,
        now: Now,
    ) -> Result<Beginning, String> {
        let Prepared { log, config } = prepared;
        if !engine.is_data_whole() {
            return Err(UNFINISHED.to_owned());
        }
        let at = engine.log().last();
        let journal = Journal::start(log.at(at), config.policy)
            .map_err(|error| in_folder(&config, &error))?;
        let journal = Arc::new(journal);
        let pending = journal
            .begin_rewrite(at)
            .map_err(|error| in_folder(&config, &error))?;
        engine.set_journalling(Journalling::On);
        let frozen = engine.freeze();
        self.journal.begin(&journal);
        self.figures.journal_begins = true;
        self.figures.rewriting = true;
        self.figures.rewrite_begun = Some(now.mono);
        self.tell(engine);
        Ok(Beginning {
            journal,
            pending,
            frozen,
            config,
            now,
        })
    }

    /// The base of the journal was written, or not. If it was, replies wait for the journal from
    /// now on.
    ///
    /// # Errors
    /// Why there is no journal after all.
    pub fn journal_begun(
        &mut self,
        engine: &mut Engine,
        begun: &Begun,
        now: Now,
    ) -> Result<(), String> {
        self.figures.journal_begins = false;
        self.base_ended(begun.written.is_err(), now);
        let written = match &begun.written {
            Ok(_) if !self.journal.is_beginning() => {
                Err("the disk is slower than the clients, or the server stops".to_owned())
            }
            written => written.clone(),
        };
        match &written {
            Ok(bytes) => {
                self.figures.rewrites += 1;
                self.figures.rewrite_failures = 0;
                self.figures.journalling = true;
                self.journal.set_whole(&begun.journal);
                self.look_at_journal(engine, now);
                tracing::info!(bytes, "the journal is whole");
            }
            Err(_) => {
                self.figures.rewrite_failures += 1;
                engine.set_journalling(Journalling::Off);
                engine.effects_taken();
                self.journal.set_none();
            }
        }
        self.tell(engine);
        written.map(drop)
    }

    /// Lets the journal take nothing more, if there is one.
    ///
    /// # Errors
    /// [`BEING_LOADED`]: memory is not what the journal has, and the journal continues once it has
    /// been loaded.
    pub fn end_journal(
        &mut self,
        engine: &mut Engine,
        config: Config,
        now: Now,
    ) -> Result<Option<Ending>, &'static str> {
        self.follow_health(engine, now);
        if engine.server.loading.is_some() {
            return Err(BEING_LOADED);
        }
        let journal = self.journal.end();
        engine.set_journalling(Journalling::Off);
        self.figures.journalling = false;
        self.tell(engine);
        Ok(journal.map(|journal| Ending { journal, config }))
    }

    /// The journal has ended: no reply waits for one any more.
    pub fn journal_ended(&mut self, engine: &mut Engine, now: Now) {
        self.journal.set_none();
        self.look_at_journal(engine, now);
        self.tell(engine);
    }
}

impl Beginning {
    /// Writes the base, which takes a while.
    pub fn write(self, background: &Background) -> Begun {
        let Beginning {
            journal,
            pending,
            frozen,
            config,
            now,
        } = self;
        tracing::info!(folder = %config.folder.display(), "the journal begins");
        let written = contained(|| {
            let rewrite = pending.wait().map_err(io::Error::other)?;
            rewrite::write_base(&frozen, rewrite, now, &background.rewrite)
        });
        Begun {
            written: written.map_err(|error| in_folder(&config, &error)),
            journal,
            config,
        }
    }
}

impl Begun {
    /// Notes beside the journal what became of it.
    pub fn settle(self, result: &Result<(), String>) {
        let Config { folder, stem, .. } = &self.config;
        if result.is_err() {
            // It was not whole, or had not everything that came since.
            self.journal.close().ok();
            if self.written.is_ok()
                && let Err(error) = turned_off::note(folder, stem, Why::TurnedOff)
            {
                tracing::error!(%error, "the note that the journal is not complete cannot be written");
            }
        } else if let Err(error) = turned_off::forget(folder, stem) {
            tracing::warn!(%error, "the note about the previous journal cannot be removed; it does no harm");
        }
    }
}

impl Ending {
    /// Makes durable what the journal was given, and notes beside it that it ends here.
    pub fn settle(self) {
        let Config { folder, stem, .. } = &self.config;
        match self.journal.close() {
            Ok(()) => tracing::info!(folder = %folder.display(), "the journal was turned off"),
            Err(fault) => {
                tracing::error!(%fault, "the journal was turned off, and is not complete");
            }
        }
        while self.journal.is_rewriting() {
            thread::sleep(PAUSE);
        }
        if let Err(error) = turned_off::note(folder, stem, Why::TurnedOff) {
            tracing::error!(
                %error,
                "the note that the journal was turned off cannot be written: a start with appendonly yes \
                 would load it without a warning"
            );
        }
    }
}
