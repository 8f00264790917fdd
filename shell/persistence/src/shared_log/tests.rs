use std::sync::atomic::AtomicUsize;

use journal::Gate;

use super::*;

/// What a test's clock shows is set by the test; each test has one of its own.
macro_rules! clock {
    ($ms:ident) => {
        static $ms: AtomicU64 = AtomicU64::new(0);
    };
}

fn batches(bytes: &[u8]) -> Encoded {
    Encoded::from(bytes.to_vec())
}

type Sent = Arc<Mutex<Vec<(u64, u64, Vec<u8>)>>>;

fn outlet() -> (Outlet, Sent) {
    let sent = Sent::default();
    let into = Arc::clone(&sent);
    let outlet = move |first: Lsn, last: Lsn, batches: Encoded| {
        let group = (first.number(), last.number(), batches.to_vec());
        into.lock().push(group);
    };
    (Box::new(outlet), sent)
}

fn gate(log: &SharedLog) -> (Gate, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&wakes);
    let gate = Gate::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let gate = gate.under(Some(log.lease()));
    log.notify(gate.listener());
    (gate, wakes)
}

#[test]
fn what_a_leader_does_goes_to_the_log_in_order_and_replies_wait_for_it() {
    clock!(MS);
    let log = SharedLog::new(|| Duration::from_millis(MS.load(Ordering::SeqCst)));
    let (gate, _) = gate(&log);
    assert!(
        !log.submit(&mut batches(b"x"), Lsn::new(1)),
        "a follower has nothing"
    );
    let (outlet, sent) = outlet();
    log.extend_lease(Some(Duration::from_millis(10)));
    log.lead(Lsn::new(4), outlet);
    assert!(log.submit(&mut batches(b"a"), Lsn::new(5)));
    assert!(log.submit(&mut batches(b"b"), Lsn::new(7)));
    assert_eq!((log.backlog_bytes(), sent.lock().len()), (2, 0));
    log.kick();
    log.kick();
    assert!(log.submit(&mut batches(b"c"), Lsn::new(8)));
    log.kick();
    let groups = [(5, 7, b"ab".to_vec()), (8, 8, b"c".to_vec())];
    assert_eq!(*sent.lock(), groups);
    assert_eq!((gate.answer(Lsn::new(7)), log.backlog_bytes()), (None, 3));
    MS.store(3, Ordering::SeqCst);
    log.note_durable(Lsn::new(7));
    assert_eq!(
        (gate.answer(Lsn::new(7)), log.backlog_bytes()),
        (Some(Ok(())), 1)
    );
    let (commits, times) = log.take_commits();
    assert_eq!((commits.groups, commits.batches, commits.bytes), (1, 3, 2));
    assert_eq!(times, [Duration::from_millis(3)]);
    let (again, times) = log.take_commits();
    assert_eq!((again.groups, times.len()), (1, 0));
    assert_eq!(gate.answer(Lsn::new(8)), None);
}

#[test]
fn a_leader_answers_only_while_its_lease_runs_and_is_woken_when_it_does_again() {
    clock!(MS);
    let log = SharedLog::new(|| Duration::from_millis(MS.load(Ordering::SeqCst)));
    let (gate, wakes) = gate(&log);
    let (outlet, _) = outlet();
    log.extend_lease(Some(Duration::from_millis(10)));
    log.lead(Lsn::ZERO, outlet);
    MS.store(9, Ordering::SeqCst);
    assert!(gate.is_open_for(Lsn::ZERO));
    MS.store(10, Ordering::SeqCst);
    assert!(!gate.is_open_for(Lsn::ZERO));
    assert!(gate.may_sleep(Lsn::ZERO));
    let before = wakes.load(Ordering::SeqCst);
    log.extend_lease(Some(Duration::from_millis(20)));
    assert_eq!(wakes.load(Ordering::SeqCst), before + 1);
    assert!(gate.is_open_for(Lsn::ZERO));
    // It does not lead at all any more.
    log.extend_lease(None);
    assert!(!gate.is_open_for(Lsn::ZERO));
}

#[test]
fn a_log_that_does_not_answer_is_noticed_and_so_is_that_it_does_again() {
    clock!(MS);
    let log = SharedLog::new(|| Duration::from_millis(MS.load(Ordering::SeqCst)));
    let (gate, _) = gate(&log);
    let (outlet, _) = outlet();
    let (lease, patience) = (Duration::from_secs(1000), Some(Duration::from_millis(100)));
    log.extend_lease(Some(lease));
    log.lead(Lsn::ZERO, outlet);
    MS.store(500, Ordering::SeqCst);
    log.look_for_stall(patience);
    assert_eq!(log.part(), Part::Leads, "nothing waits");
    assert!(log.submit(&mut batches(b"a"), Lsn::new(1)));
    log.kick();
    MS.store(599, Ordering::SeqCst);
    log.look_for_stall(patience);
    assert_eq!(log.part(), Part::Leads);
    MS.store(600, Ordering::SeqCst);
    log.look_for_stall(None);
    assert_eq!(log.part(), Part::Leads, "patience may be endless");
    log.look_for_stall(patience);
    assert_eq!(log.part(), Part::LeadsInVain);
    assert!(matches!(log.writes(), Writes::Refused(_)));
    assert!(matches!(gate.answer(Lsn::new(1)), Some(Err(_))));
    log.note_durable(Lsn::new(1));
    log.look_for_stall(patience);
    assert_eq!((log.part(), log.writes()), (Part::Leads, Writes::Accepted));
    // Without a lease nobody is answered, and at some point told so.
    log.extend_lease(Some(Duration::ZERO));
    assert_eq!(gate.answer(Lsn::new(1)), None);
    MS.store(700, Ordering::SeqCst);
    log.look_for_stall(patience);
    assert!(matches!(gate.answer(Lsn::new(1)), Some(Err(_))));
}

#[test]
fn what_waits_when_the_lead_is_lost_is_refused_and_never_sent() {
    clock!(MS);
    let log = SharedLog::new(|| Duration::from_millis(MS.load(Ordering::SeqCst)));
    let (gate, wakes) = gate(&log);
    let (outlet, sent) = outlet();
    log.extend_lease(Some(Duration::from_secs(1)));
    log.lead(Lsn::ZERO, outlet);
    assert!(log.submit(&mut batches(b"a"), Lsn::new(1)));
    assert!(gate.may_sleep(Lsn::new(1)));
    log.be_silent();
    assert!(wakes.load(Ordering::SeqCst) > 0);
    for lsn in [Lsn::ZERO, Lsn::new(1)] {
        assert!(matches!(gate.answer(lsn), Some(Err(_))));
    }
    log.kick();
    assert_eq!((sent.lock().len(), log.backlog_bytes()), (0, 0));
    log.follow();
    assert_eq!(gate.answer(Lsn::ZERO), Some(Ok(())));
    assert_eq!(
        (log.part(), log.writes()),
        (Part::Follows, Writes::Elsewhere)
    );
}
