//! `weir cluster recover`: a new log from the newest snapshot and what is whole behind it, where
//! the old one has lost something.
//!
//! Without `--confirm`, it says what would be given up, and changes nothing. With it, all that is
//! left of the old log is copied to a file first. What is good becomes a snapshot, and only when
//! that was read back is the stream made again, behind it. So an attempt that ends in the midst is
//! begun again: the snapshot or the old log has everything at any moment.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use cluster::{Bounds, Judged, KeptRecord, SnapshotStore};
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn};
use persistence::snapshot::Progress;
use replication::{Chain, Entry, Epoch, Kind, Position, Record, Seq, StopReason, Verdict};

use super::named_log::{NamedLog, Told, beginning};

/// What is asked for besides the log.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options<'a> {
    /// The last batch that is kept, as the operator says who has read what is given up.
    confirm: Option<&'a str>,
    /// Where the old log is copied to.
    backup: Option<&'a Path>,
}

impl<'a> Options<'a> {
    /// Takes them off the front of the arguments; the settings are left.
    fn take(mut arguments: &'a [String]) -> (Options<'a>, &'a [String]) {
        let mut options = Options::default();
        loop {
            match arguments {
                [option, lsn, rest @ ..] if option == "--confirm" => {
                    options.confirm = Some(lsn);
                    arguments = rest;
                }
                [option, folder, rest @ ..] if option == "--backup" => {
                    options.backup = Some(Path::new(folder));
                    arguments = rest;
                }
                _ => return (options, arguments),
            }
        }
    }
}

/// Says what is whole and what would be given up; does it if that was confirmed.
pub(super) fn run(arguments: &[String]) -> anyhow::Result<String> {
    let (options, settings) = Options::take(arguments);
    let log = NamedLog::of(settings)?;
    let store = log.store.as_deref().context(
        "log-snapshots is not set: what is whole becomes a snapshot that the new log follows, so \
         name a place, here and on all servers of the group",
    )?;
    nobody_runs(&log)?;
    let plan = Plan::make(&log, store)?;
    let mut text = plan.told()?;
    let lsn = plan.whole.lsn;
    let Some(confirmed) = options.confirm else {
        writeln!(
            text,
            "Nothing was changed. To have a log that ends with LSN {lsn}, while all weirs of the \
             group stay stopped:\nweir cluster recover --confirm {lsn} --backup FOLDER ..."
        )?;
        return Ok(text);
    };
    ensure!(
        confirmed == lsn.to_string(),
        "{text}Nothing was changed: --confirm names LSN {confirmed}, and what is whole ends with \
         {lsn}"
    );
    let folder = options.backup.context("--backup FOLDER is missing")?;
    text.push_str(&plan.carry_out(&log, store, folder)?);
    Ok(text)
}

/// # Errors
/// A node of the group runs.
fn nobody_runs(log: &NamedLog) -> anyhow::Result<()> {
    let before = cluster::bounds(&log.service)?;
    if let Some(node) = cluster::heard(&log.service)? {
        bail!("a weir of the group runs ({node}): stop all of them first; nothing was changed");
    }
    ensure!(
        before == cluster::bounds(&log.service)?,
        "somebody appends to the log: stop all weirs of the group first; nothing was changed"
    );
    Ok(())
}

/// What is left of a log, and what of it can be kept.
struct Plan {
    /// The last record of the snapshot that it begins with; none without one.
    snapshot: Option<Seq>,
    /// Snapshots that cannot be loaded.
    unusable: Vec<String>,
    /// Where older snapshots are.
    older: Vec<Position>,
    /// All that can be kept.
    engine: Engine,
    whole: Position,
    /// What the stream has; none if there is none.
    bounds: Option<Bounds>,
    /// Why the log cannot be read on; none if it can.
    wrong: Option<String>,
    given_up: GivenUp,
}

/// Records that are there and cannot be applied.
#[derive(Default)]
struct GivenUp {
    records: u64,
    /// Those that can be read, with the batches that they say they have.
    batches: Option<(Lsn, Lsn)>,
    first: Option<(Seq, String)>,
    last: Option<(Seq, String)>,
    /// The greatest epoch that any of them has.
    epoch: u64,
}

impl GivenUp {
    fn add(&mut self, record: KeptRecord) {
        let KeptRecord { seq, time, bytes } = record;
        self.records += 1;
        self.first.get_or_insert((seq, time.clone()));
        self.last = Some((seq, time));
        let Ok(record) = Record::decode(&bytes) else {
            return;
        };
        self.epoch = self.epoch.max(record.epoch.number);
        if let Kind::Batch { first, .. } = record.kind {
            let (low, high) = self.batches.unwrap_or((first, record.last));
            self.batches = Some((low.min(first), high.max(record.last)));
        }
    }
}

impl Plan {
    /// Finds the newest snapshot that can be loaded, and reads the log on from there.
    fn make(log: &NamedLog, store: &dyn SnapshotStore) -> anyhow::Result<Plan> {
        let mut unusable = Vec::new();
        let mut found = store.snapshots()?;
        let mut loaded = None;
        while let Some(seq) = found.newest() {
            let mut engine = log.empty();
            match store.take(seq, &mut engine, log.clock.now()) {
                Ok(at) => {
                    loaded = Some((engine, at));
                    break;
                }
                Err(error) => unusable.push(error.to_string()),
            }
            found = found.without(seq);
        }
        let mut older = Vec::new();
        while let Some(seq) = found.newest() {
            older.extend(store.position(seq));
            found = found.without(seq);
        }
        let bounds = cluster::bounds(&log.service)?;
        let snapshot = loaded.as_ref().map(|(_, at)| at.seq);
        let begins_at_start = bounds.is_some_and(|it| it.first <= Seq::ZERO.next());
        let (engine, at) = match loaded {
            Some(loaded) => loaded,
            None if begins_at_start => (log.empty(), Position::default()),
            None => bail!(
                "there is no whole snapshot, and the log does not begin at its first record: \
                 nothing can be recovered. Find the snapshots (log-snapshots)"
            ),
        };
        let mut plan = Plan {
            snapshot,
            unusable,
            older,
            engine,
            whole: at,
            bounds,
            wrong: None,
            given_up: GivenUp::default(),
        };
        let from = plan.read_on(log, at)?;
        if let Some(from) = from.filter(|_| plan.bounds.is_some()) {
            cluster::kept(&log.service, from, &mut |record| {
                plan.given_up.add(record);
                Ok(())
            })?;
        }
        plan.given_up.epoch = plan.given_up.epoch.max(plan.whole.epoch.number);
        Ok(plan)
    }

    /// Applies what is whole behind the snapshot. Returns from which record on the rest is given
    /// up, if something is wrong.
    fn read_on(&mut self, log: &NamedLog, at: Position) -> anyhow::Result<Option<Seq>> {
        let Some(bounds) = self.bounds else {
            self.wrong = Some("there is no stream: all of the log is gone".to_owned());
            return Ok(None);
        };
        if bounds.last < at.seq {
            self.wrong = Some(format!(
                "the log ends at record {}, before the snapshot",
                bounds.last
            ));
            return Ok(None);
        }
        if at.seq >= bounds.first && !is_in(log, &at)? {
            self.wrong = Some(format!(
                "record {} of the log is not the one at which the snapshot was made: it is another \
                 log",
                at.seq
            ));
            return Ok(Some(bounds.first));
        }
        let mut told = Told::begin();
        let mut replay = self.engine.begin_replay_after(at.lsn, log.clock.now());
        let mut failed = None;
        let engine = &mut self.engine;
        let reading = cluster::verify(
            &log.service,
            |_| Some(at),
            &mut |log: Bounds, Judged { at, verdict, .. }| {
                told.at(at.seq, log);
                if let Verdict::Valid(Entry::Group(group)) = verdict
                    && failed.is_none()
                {
                    let batches = (group.first, group.last);
                    failed = engine
                        .replay_group(&mut replay, &group.bytes, Author::Weir, batches)
                        .err();
                }
            },
        )?;
        if let Some(error) = failed {
            bail!("a group of the log cannot be applied, which is an error of weir: {error}");
        }
        let last = self.engine.log().last();
        drop(self.engine.end_replay(replay, last, Journalling::Replaying));
        self.whole = reading.whole;
        if let Some(stop) = reading.stop {
            self.wrong = Some(if let StopReason::Trimmed { first } = stop.reason {
                format!("the log begins at record {first} only, behind what the snapshot has")
            } else {
                format!("record {}: {}", stop.seq, stop.reason)
            });
            return Ok(Some(self.whole.seq.next()));
        }
        if let Some(stop) = before_the_snapshot(log, &self.older, at)? {
            self.wrong = Some(format!("{stop}; the snapshot has what was there"));
        }
        Ok(None)
    }

    /// What is whole and what would be given up, in plain words.
    fn told(&self) -> Result<String, std::fmt::Error> {
        let Plan {
            whole, given_up, ..
        } = self;
        let mut text = String::new();
        for unusable in &self.unusable {
            writeln!(text, "not used: {unusable}")?;
        }
        match self.snapshot {
            Some(seq) => writeln!(text, "newest whole snapshot: record {seq}")?,
            None => writeln!(text, "no snapshot; the log is there from its first record")?,
        }
        let (lsn, epoch) = (whole.lsn, whole.epoch.number);
        writeln!(
            text,
            "whole up to record {}: LSN {lsn}, epoch {epoch}",
            whole.seq
        )?;
        match &self.wrong {
            Some(wrong) => writeln!(text, "WRONG: {wrong}")?,
            None => writeln!(
                text,
                "nothing is wrong with what is there; if weirs stop because they have seen more of \
                 the log, it has lost its end"
            )?,
        }
        if let (Some((first, from)), Some((last, to))) = (&given_up.first, &given_up.last) {
            let batches = given_up.batches.map_or_else(
                || "without any batch that can be read".to_owned(),
                |(first, last)| format!("with LSN {first} to {last}"),
            );
            writeln!(
                text,
                "GIVEN UP: {} records that are there and do not follow what is whole, {first} to \
                 {last}, {batches}, written from {from} to {to}",
                given_up.records
            )?;
        }
        writeln!(
            text,
            "GIVEN UP: whatever there was behind LSN {lsn}. What clients were told of it is no \
             longer true; a retry of an append that is lost is taken as new"
        )?;
        Ok(text)
    }

    /// Copies the old log, keeps what is whole as a snapshot, and begins the log again behind it.
    fn carry_out(
        self,
        log: &NamedLog,
        store: &dyn SnapshotStore,
        folder: &Path,
    ) -> anyhow::Result<String> {
        let mut text = String::new();
        if self.bounds.is_some() {
            let (path, records) = copy(log, folder).context("the old log is not copied")?;
            writeln!(text, "copied {records} records to {}", path.display())?;
        }
        // A node says where the snapshots are how far it has read.
        store.say_read(Seq::ZERO)?;
        let read = store.live(Duration::MAX)?.into_iter().map(|(_, seq)| seq);
        let known = self.bounds.map(|bounds| bounds.last).into_iter();
        let known = known.chain(read).chain(store.snapshots()?.newest()).max();
        let epoch = Epoch {
            number: self.given_up.epoch.saturating_add(1),
            nonce: crate::seed()?,
        };
        let (at, first) = self.whole.begin_again(known.unwrap_or_default(), epoch);
        let (frozen, now) = (self.engine.freeze(), log.clock.now());
        let kept = store.keep(&frozen, &at, log.empty(), now, &Progress::default());
        let bytes = kept.context("what is whole is not kept, and the old log is as before")?;
        writeln!(text, "kept a snapshot of record {}, {bytes} bytes", at.seq)?;
        let again = "; the snapshot has all that is whole: do the same again";
        cluster::begin_again(&log.service, &at, &first)
            .with_context(|| format!("the new log is not there{again}"))?;
        let reading = cluster::verify(&log.service, |_| Some(at), &mut |_, _| {})?;
        let is_good = reading.stop.is_none() && reading.whole == at && is_in(log, &at)?;
        ensure!(is_good, "the new log is not what it must be{again}");
        writeln!(
            text,
            "the log begins again with record {}, behind LSN {}: start the weirs of the group",
            at.seq, at.lsn
        )?;
        Ok(text)
    }
}

/// Returns whether the record at which this position is, is in the log.
fn is_in(log: &NamedLog, at: &Position) -> anyhow::Result<bool> {
    if at.seq == Seq::ZERO {
        return Ok(true);
    }
    let record = cluster::record(&log.service, at.seq)?;
    Ok(record.is_some_and(|it| Chain::after(&it.bytes) == at.tip))
}

/// What is wrong with the log before the snapshot, if nothing is wrong behind it.
fn before_the_snapshot(
    log: &NamedLog,
    older: &[Position],
    at: Position,
) -> anyhow::Result<Option<String>> {
    let read = |log| Some(beginning(log, older).unwrap_or(at));
    let reading = cluster::verify(&log.service, read, &mut |_, _| {})?;
    Ok(reading
        .stop
        .map(|stop| format!("record {}: {}", stop.seq, stop.reason)))
}

/// Copies all that is left of the log into a new file, and syncs that. Returns which file it is and
/// how many records it has.
fn copy(log: &NamedLog, folder: &Path) -> anyhow::Result<(PathBuf, u64)> {
    let group = &log.service.group;
    let mut number = 1;
    let path = loop {
        let path = folder.join(format!("{group}-{number}.records"));
        if !path.exists() {
            break path;
        }
        number += 1;
    };
    let part = path.with_extension("part");
    let mut file = BufWriter::new(File::create(&part)?);
    let mut records = 0;
    cluster::kept(&log.service, Seq::ZERO.next(), &mut |record| {
        records += 1;
        file.write_all(&record.seq.0.to_le_bytes())?;
        let bytes = u32::try_from(record.bytes.len()).map_err(io::Error::other)?;
        file.write_all(&bytes.to_le_bytes())?;
        file.write_all(&record.bytes)
    })?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    fs::rename(&part, &path)?;
    File::open(folder)?.sync_all()?;
    Ok((path, records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_before_the_settings() {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        let line = words("--confirm 7 --backup d weir.conf --confirm 8");
        let (options, rest) = Options::take(&line);
        assert_eq!(
            (options.confirm, options.backup),
            (Some("7"), Some(Path::new("d")))
        );
        assert_eq!(rest, words("weir.conf --confirm 8"));
        let line = words("--confirm");
        assert_eq!(Options::take(&line), (Options::default(), &line[..]));
    }
}
