//! A node of a group: follows, wants to lead, leads.
//!
//! Everything comes in through [`Node::apply`] and a few calls of the owner, with the time; what is
//! to be done goes out through [`Node::take_actions`]. After each event the node does all that is
//! due, so the order of events decides everything.

use std::collections::VecDeque;

use batch::Lsn;

use crate::action::{Action, Deposed, Event, Outbox, Source, Ticket};
use crate::claiming::{Claimant, Claiming, Won};
use crate::following::{Following, Tail};
use crate::group::{Group, GroupError};
use crate::leading::{Leading, Progress};
use crate::lease::Lease;
use crate::limits::GREETING_BYTES_MAX;
use crate::place::{Epoch, Mark, NodeId, Position, Seq, Steady};
use crate::reader::{Entry, Reader, Stop, Verdict};
use crate::settings::Settings;

/// Who a node is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its number in the group.
    pub id: NodeId,
    /// Random bits, others at each start: nonces are made of them.
    pub entropy: u64,
    /// What it says of itself when it becomes the leader, such as its address. What is beyond
    /// [`GREETING_BYTES_MAX`] is cut off.
    pub greeting: Vec<u8>,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It follows.
    Following,
    /// It has heard nothing of a leader, and tries to become one.
    Candidate,
    /// It leads.
    Leading(Epoch),
    /// It led in this epoch, and finds out what became of records in doubt. Nothing becomes durable
    /// meanwhile.
    InDoubt(Epoch),
    /// It has stepped down or stopped.
    Ended,
}

/// The state machine of a node.
#[derive(Debug)]
pub struct Node {
    settings: Settings,
    identity: Identity,
    reader: Reader,
    role: Role,
    lease: Lease,
    tail: Tail,
    /// What the engine has handed in and is not known to be in the log.
    pending: VecDeque<Group>,
    claims: u64,
    is_handing_over: bool,
    reached_end: Option<Steady>,
    out: Outbox,
}

#[derive(Debug)]
enum Role {
    Following(Following),
    Claiming(Claiming),
    Leading(Leading),
    Ended,
}

impl Node {
    /// A follower whose engine has everything up to `at`: the start, or a snapshot. `mark` is the
    /// last one that this node has kept. `now` must not be before the log is read for the first
    /// time.
    pub fn new(
        settings: Settings,
        mut identity: Identity,
        at: Position,
        mark: Option<Mark>,
        now: Steady,
    ) -> Node {
        identity.greeting.truncate(GREETING_BYTES_MAX);
        Node {
            settings,
            identity,
            reader: Reader::new(at, mark),
            role: Role::Following(Following::new(now)),
            lease: Lease::default(),
            tail: Tail::default(),
            pending: VecDeque::new(),
            claims: 0,
            is_handing_over: false,
            reached_end: None,
            out: Outbox::default(),
        }
    }

    /// Tells the node what has happened.
    pub fn apply(&mut self, now: Steady, event: Event) {
        match event {
            Event::Acked { ticket, seq } => self.acked(now, ticket, seq),
            Event::Refused { ticket } | Event::Failed { ticket } => self.not_acked(now, ticket),
            Event::Found {
                ticket,
                seq,
                trimmed_to,
                bytes,
            } => {
                if self.is_reading() && self.tail.is_answer(now, ticket) {
                    self.found(now, seq, trimmed_to, &bytes);
                }
            }
            Event::End {
                ticket,
                last,
                trimmed_to,
            } => {
                if self.is_reading() && self.tail.is_answer(now, ticket) {
                    self.ended(now, last, trimmed_to);
                }
            }
            Event::Unavailable => self.lost(now),
            Event::Tick => {}
        }
        self.go_on(now);
    }

    /// Takes a group from the engine of the leader. See [`Node::wants_commit`].
    ///
    /// # Errors
    /// [`GroupError::NotLeading`] and [`GroupError::HandingOver`], or [`GroupError::NotNext`] if it
    /// does not follow what was handed in before. The group is dropped then.
    pub fn commit(&mut self, now: Steady, group: Group) -> Result<(), GroupError> {
        if self.leads().is_none() {
            return Err(GroupError::NotLeading);
        }
        if self.is_handing_over {
            return Err(GroupError::HandingOver);
        }
        let before = match self.pending.back() {
            Some(last) => last.last(),
            None => self.reader.at().lsn,
        };
        if group.first() != before.next() {
            let first = group.first();
            return Err(GroupError::NotNext { first, before });
        }
        self.pending.push_back(group);
        self.go_on(now);
        Ok(())
    }

    /// Has the leader hand over to another node, as soon as all that was committed is durable. The
    /// engine executes nothing while [`Node::is_handing_over`]. Does nothing if this node does not
    /// lead, is in doubt, or is the one named.
    pub fn hand_over(&mut self, now: Steady, to: NodeId) {
        if let Role::Leading(leading) = &mut self.role
            && to != self.identity.id
        {
            leading.hand_over(to);
            self.is_handing_over = true;
        }
        self.go_on(now);
    }

    /// What is to be done now.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.out.actions)
    }

    /// Returns whether a group of this length should be handed in now: it is sent at once then.
    /// While this is false, what the engine does should gather into one group.
    pub fn wants_commit(&self, bytes: usize) -> bool {
        match &self.role {
            Role::Leading(leading) => leading.has_room(bytes, &self.pending, &self.settings),
            Role::Following(_) | Role::Claiming(_) | Role::Ended => false,
        }
    }

    /// How many records of a leader are on their way: sent, and not known to be in the log.
    pub fn under_way(&self) -> usize {
        match &self.role {
            Role::Leading(leading) => leading.under_way(),
            Role::Following(_) | Role::Claiming(_) | Role::Ended => 0,
        }
    }

    /// Returns whether the lead is being handed over: nothing may be executed, and in the end the
    /// node either follows ([`Action::HandedOver`]) or leads as before.
    pub fn is_handing_over(&self) -> bool {
        self.is_handing_over
    }

    /// Until when clients may be answered: both reads, and replies to what has become durable. To
    /// be compared with the clock *after* a request has been executed. No other node answers before
    /// that, unless clocks differ by more than the margin.
    pub fn may_answer_until(&self) -> Option<Steady> {
        self.leads().and_then(|_| self.lease.until())
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn next_deadline(&self) -> Option<Steady> {
        match &self.role {
            Role::Following(following) => {
                let ends = following.patience.ends(&self.settings);
                let tail = self.tail.deadline(&self.settings);
                ends.into_iter().chain(tail).min()
            }
            Role::Claiming(claiming) => match claiming.waits_since() {
                Some(since) => Some(since.plus(self.settings.ack_timeout)),
                None => self.tail.deadline(&self.settings),
            },
            Role::Leading(leading) => Some(leading.deadline(&self.settings)),
            Role::Ended => None,
        }
    }

    /// What the node is doing.
    pub fn status(&self) -> Status {
        match &self.role {
            Role::Following(_) => Status::Following,
            Role::Claiming(claiming) => match claiming.claimant {
                Claimant::Candidate => Status::Candidate,
                Claimant::Leader(epoch) => Status::InDoubt(epoch),
            },
            Role::Leading(leading) => Status::Leading(leading.epoch),
            Role::Ended => Status::Ended,
        }
    }

    /// How far this node knows the log, at a place from which it can be read on: what a snapshot of
    /// a follower's engine is at.
    pub fn position(&self) -> &Position {
        self.reader.whole()
    }

    /// What this node has seen of the log. The owner keeps it on its disk from time to time, and
    /// hands the last one it kept to the next [`Node::new`].
    pub fn mark(&self) -> Mark {
        self.reader.mark()
    }

    /// Returns whether this node has read all that it has ever seen. Before, a follower answers
    /// nobody: it would take back what it has shown.
    pub fn has_caught_up(&self) -> bool {
        self.reader.has_caught_up()
    }

    /// When a follower last had read all that a replica of the log had. Before that, it knows
    /// nothing of how old its state is.
    pub fn reached_end(&self) -> Option<Steady> {
        self.reached_end
    }

    /// The epoch in which this node leads, even if in doubt.
    fn leads(&self) -> Option<Epoch> {
        match self.status() {
            Status::Leading(epoch) | Status::InDoubt(epoch) => Some(epoch),
            Status::Following | Status::Candidate | Status::Ended => None,
        }
    }

    fn is_reading(&self) -> bool {
        match &self.role {
            Role::Following(_) => true,
            Role::Claiming(claiming) => claiming.waits_since().is_none(),
            Role::Leading(_) | Role::Ended => false,
        }
    }

    fn acked(&mut self, now: Steady, ticket: Ticket, seq: Seq) {
        match &mut self.role {
            Role::Claiming(claiming) if claiming.waits_for(ticket) => {
                match claiming.acked(seq, self.reader.at()) {
                    Some(won) => self.lead(now, won),
                    None => self.not_acked(now, ticket),
                }
            }
            Role::Leading(leading) => {
                let progress = leading.acked(ticket, seq, &mut self.lease, &self.settings);
                match progress {
                    Progress::None => {}
                    Progress::To(end) => {
                        self.reader.appended(end);
                        self.durable(end.lsn);
                    }
                    Progress::HandedOver(end) => {
                        self.reader.appended(end);
                        self.handed_over(now);
                    }
                    Progress::InDoubt => self.doubt(now),
                }
            }
            Role::Following(_) | Role::Claiming(_) | Role::Ended => {}
        }
    }

    fn not_acked(&mut self, now: Steady, ticket: Ticket) {
        match &mut self.role {
            Role::Claiming(claiming) if claiming.waits_for(ticket) => {
                claiming.doubt();
                self.tail.pause_until(now.plus(self.settings.retry));
            }
            Role::Leading(leading) if leading.waits_for(ticket) => self.doubt(now),
            Role::Following(_) | Role::Claiming(_) | Role::Leading(_) | Role::Ended => {}
        }
    }

    fn lost(&mut self, now: Steady) {
        let retry = now.plus(self.settings.retry);
        match &mut self.role {
            Role::Following(following) => {
                following.patience.lost();
                self.tail.lost(retry);
            }
            Role::Claiming(claiming) => {
                claiming.doubt();
                self.tail.lost(retry);
            }
            Role::Leading(leading) => {
                if leading.waits() {
                    self.doubt(now);
                    self.tail.lost(retry);
                }
            }
            Role::Ended => {}
        }
    }

    /// A record was read.
    fn found(&mut self, now: Steady, seq: Seq, trimmed_to: Seq, bytes: &[u8]) {
        let at = self.reader.at().seq;
        if seq == at
            && let Err(stop) = self.reader.verify_last(bytes)
        {
            return self.stop(stop);
        }
        if seq <= at {
            return;
        }
        let entry = match self.reader.read(seq, trimmed_to, bytes) {
            Err(stop) => return self.stop(stop),
            Ok(Verdict::Void) => return self.tail.found(),
            Ok(Verdict::Valid(entry)) => entry,
        };
        self.tail.found();
        match &mut self.role {
            Role::Following(_) => self.follow(now, entry),
            Role::Claiming(claiming) => {
                let claimant = claiming.claimant;
                if let Entry::Epoch(epoch, _) = &entry
                    && let Some(won) = claiming.found(*epoch, self.reader.at())
                {
                    return self.lead(now, won);
                }
                match claimant {
                    Claimant::Candidate => {
                        self.role = Role::Following(Following::new(now));
                        self.follow(now, entry);
                    }
                    Claimant::Leader(_) => self.find_own(now, entry),
                }
            }
            Role::Leading(_) | Role::Ended => {}
        }
    }

    /// A follower has read a valid record.
    fn follow(&mut self, now: Steady, entry: Entry) {
        if let Role::Following(following) = &mut self.role {
            following.patience.reached(now);
            following.heard(now, entry == Entry::HandOver(self.identity.id));
        }
        match entry {
            Entry::Group(group) => self.out.push(Action::Apply(group)),
            Entry::Epoch(epoch, greeting) => self.out.push(Action::Begun { epoch, greeting }),
            Entry::Part | Entry::Beat | Entry::HandOver(_) => {}
        }
    }

    /// A leader in doubt has read a valid record, which does not begin the epoch that it wants.
    fn find_own(&mut self, now: Steady, entry: Entry) {
        match entry {
            Entry::Part | Entry::Beat => {}
            Entry::Group(group) => self.durable(group.last),
            Entry::HandOver(_) => self.handed_over(now),
            Entry::Epoch(by, _) => {
                self.role = Role::Ended;
                self.lease.end();
                self.pending.clear();
                self.out.push(Action::StepDown(Deposed { by }));
            }
        }
    }

    /// All that there is was read.
    fn ended(&mut self, now: Steady, last: Seq, trimmed_to: Seq) {
        let at = self.reader.at().seq;
        if trimmed_to > at.next() {
            return self.stop(self.reader.missing(last, trimmed_to));
        }
        let seen = self.reader.mark().seq.max(at);
        let is_all_there = match self.tail.ended(now, last, (at, seen), &self.settings) {
            Err(stop) => return self.stop(stop),
            Ok(is_all_there) => is_all_there,
        };
        match &mut self.role {
            Role::Following(following) => {
                following.patience.reached(now);
                if is_all_there {
                    self.reached_end = Some(now);
                }
            }
            Role::Claiming(claiming) if is_all_there => {
                let nonce = self.identity.entropy.wrapping_add(self.claims);
                self.claims += 1;
                let greeting = &self.identity.greeting;
                claiming.publish(now, self.reader.at(), nonce, greeting, &mut self.out);
            }
            Role::Claiming(_) | Role::Leading(_) | Role::Ended => {}
        }
    }

    /// The epoch has begun that this node wanted.
    fn lead(&mut self, now: Steady, won: Won) {
        self.reader.appended(won.at);
        self.tail.pause_until(now);
        self.lease.extend(won.sent, &self.settings);
        self.is_handing_over = false;
        let was_leading = self.leads().is_some();
        self.role = Role::Leading(Leading::new(won.at, now));
        if !was_leading {
            self.out.push(Action::Lead(won.epoch));
        }
    }

    /// What was sent is in doubt: only the log can tell.
    fn doubt(&mut self, now: Steady) {
        if let Some(epoch) = self.leads() {
            self.role = Role::Claiming(Claiming::new(Claimant::Leader(epoch)));
            self.tail.pause_until(now);
        }
    }

    /// The log has everything up to here.
    fn durable(&mut self, lsn: Lsn) {
        let before = self.pending.len();
        while self
            .pending
            .pop_front_if(|group| group.last() <= lsn)
            .is_some()
        {}
        let count = before - self.pending.len();
        if let Role::Leading(leading) = &mut self.role {
            leading.forget_groups(count);
        }
        if count > 0 {
            self.out.push(Action::Durable(lsn));
        }
    }

    /// The lead is given to another node; the engine has nothing that is not in the log.
    fn handed_over(&mut self, now: Steady) {
        self.lease.end();
        self.is_handing_over = false;
        self.role = Role::Following(Following::new(now));
        self.out.push(Action::HandedOver);
    }

    fn stop(&mut self, stop: Stop) {
        self.role = Role::Ended;
        self.lease.end();
        self.out.push(Action::Stop(stop));
    }

    /// Does what is due.
    fn go_on(&mut self, now: Steady) {
        let settings = &self.settings;
        match &mut self.role {
            Role::Following(following) if following.wants_to_lead(now, settings) => {
                self.role = Role::Claiming(Claiming::new(Claimant::Candidate));
                self.tail.pause_until(now);
            }
            Role::Following(following) if self.tail.is_late(now, settings) => {
                following.patience.lost();
                self.tail.lost(now);
            }
            Role::Claiming(claiming) => {
                let waits = claiming.waits_since();
                if waits.is_some_and(|since| now >= since.plus(settings.ack_timeout)) {
                    claiming.doubt();
                }
                if self.tail.is_late(now, settings) {
                    self.tail.lost(now);
                }
            }
            Role::Leading(leading) if leading.waits() && now >= leading.deadline(settings) => {
                self.doubt(now);
            }
            Role::Following(_) | Role::Leading(_) | Role::Ended => {}
        }
        let last = self.reader.at().seq;
        match &mut self.role {
            Role::Following(following) => {
                let source = following.source(now, &self.settings);
                self.tail.ask(now, last.next(), source, &mut self.out);
            }
            // From the last record on, to see whether it still is what it was.
            Role::Claiming(claiming) if claiming.waits_since().is_none() => {
                let from = last.max(Seq::ZERO.next());
                self.tail.ask(now, from, Source::Leader, &mut self.out);
            }
            Role::Leading(leading) => leading.send(
                now,
                &self.pending,
                &mut self.lease,
                &self.settings,
                &mut self.out,
            ),
            Role::Claiming(_) | Role::Ended => {}
        }
    }
}
