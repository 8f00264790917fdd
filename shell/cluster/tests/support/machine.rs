//! A node whose state is a list of numbers: what the tests let a driver drive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use batch::{Encoded, Lsn};
use cluster::{
    Beginning, Driver, DriverConfig, Halt, Inapplicable, Lead, LogServers, Presence, Replica,
    ServiceConfig, Standing,
};
use parking_lot::{Condvar, Mutex};
use replication::{Deposed, Epoch, NodeId, ReadGroup, Settings, Stop};

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node with its driver.
pub(crate) struct Machine {
    list: Arc<List>,
    driver: Driver,
}

#[derive(Default)]
struct List {
    state: Mutex<State>,
    goes_on: Condvar,
}

/// What a node knows.
#[derive(Clone, Default)]
pub(crate) struct State {
    /// One number for each batch, executed or applied.
    pub(crate) numbers: Vec<u64>,
    /// How many of them are in the log for ever, as the leader was told; each time that it was.
    pub(crate) durable: Vec<u64>,
    /// Since when it leads.
    pub(crate) leads: Option<Lead>,
    /// What the last other leader said of itself.
    pub(crate) leader: String,
    /// How far each node was when it last said so.
    pub(crate) heard: BTreeMap<u64, u64>,
    /// Who keeps the log, as this node was last told.
    pub(crate) servers: LogServers,
    /// How often it began to lead, handed the lead over, and dropped its state.
    pub(crate) led: usize,
    pub(crate) handed_over: usize,
    pub(crate) stepped_down: usize,
    /// How often a hand-over came to nothing.
    pub(crate) went_on: usize,
    /// Why it serves nobody.
    pub(crate) halted: Option<Halt>,
    is_paused: bool,
}

impl Machine {
    pub(crate) fn start(service: &ServiceConfig, id: u64) -> Machine {
        let config = DriverConfig {
            service: service.clone(),
            settings: Settings::DEFAULT,
            id: NodeId(id),
            greeting: format!("node {id}"),
            version: "test".to_owned(),
        };
        let list = Arc::<List>::default();
        let replica = Handle(list.clone());
        let driver = Driver::start(config, Beginning::default(), replica).unwrap();
        Machine { list, driver }
    }

    pub(crate) fn state(&self) -> State {
        self.list.state.lock().clone()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.driver.standing()
    }

    pub(crate) fn leads(&self) -> bool {
        self.list.state.lock().leads.is_some()
    }

    /// Up to which batch the leader was told that the log has them.
    pub(crate) fn durable(&self) -> u64 {
        self.list.state.lock().durable.last().copied().unwrap_or(0)
    }

    /// Executes, if this node leads: adds a number to the list, and hands that in.
    pub(crate) fn execute(&self, number: u64) -> bool {
        let mut state = self.list.state.lock();
        let Some(lead) = state.leads.clone() else {
            return false;
        };
        state.numbers.push(number);
        let lsn = Lsn::new(state.numbers.len() as u64);
        let batch = Encoded::from(number.to_le_bytes().to_vec());
        lead.append(lsn, lsn, batch);
        true
    }

    pub(crate) fn hand_over(&self, to: u64) {
        self.driver.hand_over(NodeId(to));
    }

    /// Holds the thread of the driver up the next time that it tells something of the log.
    pub(crate) fn pause(&self) {
        self.list.state.lock().is_paused = true;
    }

    pub(crate) fn go_on(&self) {
        self.list.state.lock().is_paused = false;
        self.list.goes_on.notify_all();
    }
}

/// Waits until this is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        sleep(Duration::from_millis(1));
    }
}

struct Handle(Arc<List>);

impl Replica for Handle {
    fn apply(&mut self, group: ReadGroup) -> Result<(), Inapplicable> {
        let mut state = self.0.state.lock();
        let (numbers, rest) = group.bytes.as_chunks::<8>();
        assert!(rest.is_empty());
        assert_eq!(group.first.number(), state.numbers.len() as u64 + 1);
        let numbers = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes));
        state.numbers.extend(numbers);
        assert_eq!(group.last.number(), state.numbers.len() as u64);
        Ok(())
    }

    fn begun(&mut self, _: Epoch, greeting: &[u8]) {
        let greeting = String::from_utf8_lossy(greeting);
        self.0.state.lock().leader = greeting.into_owned();
    }

    fn stands(&mut self, _: &Standing) {}

    fn heard(&mut self, presence: Presence) {
        let mut state = self.0.state.lock();
        state.heard.insert(presence.id.0, presence.lsn.number());
    }

    fn kept_by(&mut self, servers: LogServers) {
        self.0.state.lock().servers = servers;
    }

    fn durable(&mut self, lsn: Lsn) {
        let mut state = self.0.state.lock();
        state.durable.push(lsn.number());
        while state.is_paused {
            self.0.goes_on.wait(&mut state);
        }
    }

    fn lead(&mut self, lead: Lead) {
        let mut state = self.0.state.lock();
        state.leads = Some(lead);
        state.led += 1;
    }

    fn go_on(&mut self) {
        self.0.state.lock().went_on += 1;
    }

    fn hand_over(&mut self) {
        let mut state = self.0.state.lock();
        state.leads = None;
        state.handed_over += 1;
    }

    fn step_down(&mut self, _: Deposed) -> Beginning {
        let mut state = self.0.state.lock();
        state.leads = None;
        state.numbers.clear();
        state.stepped_down += 1;
        Beginning::default()
    }

    fn left_behind(&mut self, _: &Stop) -> Option<Beginning> {
        None
    }

    fn halt(&mut self, why: Halt) {
        let mut state = self.0.state.lock();
        state.leads = None;
        state.halted = Some(why);
    }
}
