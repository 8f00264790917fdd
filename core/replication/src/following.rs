//! Reading behind a leader: what is asked of the log when, and when a follower wants to lead.

use crate::action::{Outbox, Source, Ticket};
use crate::lease::Patience;
use crate::place::{Seq, Steady};
use crate::reader::{Stop, StopReason};
use crate::settings::Settings;

/// A follower.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) patience: Patience,
    /// When the last valid record came.
    heard: Steady,
    /// The last record handed the lead to this node.
    invited: bool,
}

impl Following {
    pub(crate) fn new(now: Steady) -> Following {
        Following {
            patience: Patience::new(now),
            heard: now,
            invited: false,
        }
    }

    /// A valid record has come; `invited` if it hands the lead to this node.
    pub(crate) fn heard(&mut self, now: Steady, invited: bool) {
        self.patience.heard(now);
        self.heard = now;
        self.invited = invited;
    }

    pub(crate) fn wants_to_lead(&self, now: Steady, settings: &Settings) -> bool {
        let ends = self.patience.ends(settings);
        self.invited || ends.is_some_and(|ends| now >= ends)
    }

    /// Whom to ask. A replica that lags looks like a leader that is silent.
    pub(crate) fn source(&self, now: Steady, settings: &Settings) -> Source {
        match now < self.heard.plus(settings.beat.saturating_mul(2)) {
            true => Source::Any,
            false => Source::Leader,
        }
    }
}

/// The one read that is under way, or when the next begins.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    asked: Option<Asked>,
    next: Steady,
    /// Since when the log has had less than it should, or has not given what it has.
    odd_since: Option<Steady>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    ticket: Ticket,
    source: Source,
    /// When the read began, or the last record came.
    at: Steady,
}

impl Tail {
    /// The next record was found.
    pub(crate) fn found(&mut self) {
        self.odd_since = None;
    }

    /// Begins a read, if none is under way and it is time.
    pub(crate) fn ask(&mut self, now: Steady, from: Seq, source: Source, out: &mut Outbox) {
        if self.asked.is_none() && now >= self.next {
            let ticket = out.read(from, source);
            self.asked = Some(Asked {
                ticket,
                source,
                at: now,
            });
        }
    }

    /// Gives up the read that is under way; the next one begins at `next`.
    pub(crate) fn pause_until(&mut self, next: Steady) {
        self.asked = None;
        self.next = next;
    }

    /// The log is out of reach: the service may have another leader when it comes back. The next
    /// read begins at `next`.
    pub(crate) fn lost(&mut self, next: Steady) {
        self.odd_since = None;
        self.pause_until(next);
    }

    /// Returns whether this is an answer to the read that is under way.
    pub(crate) fn is_answer(&mut self, now: Steady, ticket: Ticket) -> bool {
        let asked = self.asked.as_mut().filter(|asked| asked.ticket == ticket);
        asked.map(|asked| asked.at = now).is_some()
    }

    /// Returns whether there has been no answer for too long.
    pub(crate) fn is_late(&self, now: Steady, settings: &Settings) -> bool {
        self.deadline(settings).is_some_and(|late| now >= late) && self.asked.is_some()
    }

    /// The read has ended, and this node is at `at` and has once been at `seen`. Returns whether it
    /// has read exactly what there is.
    ///
    /// # Errors
    /// The log has been shorter than what was seen of it, or without its next record, for too long.
    pub(crate) fn ended(
        &mut self,
        now: Steady,
        last: Seq,
        (at, seen): (Seq, Seq),
        settings: &Settings,
    ) -> Result<bool, Stop> {
        let source = self.asked.take().map(|asked| asked.source);
        self.next = now.plus(settings.poll);
        if last == at && at == seen {
            self.odd_since = None;
            return Ok(true);
        }
        // A replica may lag behind.
        if last <= at && source != Some(Source::Leader) {
            return Ok(false);
        }
        self.next = now.plus(settings.retry);
        let since = *self.odd_since.get_or_insert(now);
        if now < since.plus(settings.shortfall) {
            return Ok(false);
        }
        let (seq, reason) = match last > at {
            true => (at.next(), StopReason::Gap { found: last }),
            false => (last, StopReason::EndsEarlier { seen }),
        };
        Err(Stop { seq, reason })
    }

    /// When the read is late, or the next one begins.
    pub(crate) fn deadline(&self, settings: &Settings) -> Option<Steady> {
        match self.asked {
            Some(asked) => Some(asked.at.plus(settings.read_timeout)),
            None => Some(self.next),
        }
    }
}
