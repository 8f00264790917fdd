//! Drivers that share a log on real NATS servers.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

#[path = "support/machine.rs"]
mod machine;
mod support;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use cluster::{Halt, ServiceConfig};
use machine::{Machine, wait_until};
use replication::{Seq, Settings, Status, StopReason};
use serde_json::json;
use support::{alone, jetstream, leader_of, on_three, run, servers};

/// Two nodes, of which the first leads.
fn pair(config: &ServiceConfig) -> (Machine, Machine) {
    let (a, b) = (Machine::start(config, 1), Machine::start(config, 2));
    wait_until("one leads", || a.leads() || b.leads());
    match a.leads() {
        true => (a, b),
        false => (b, a),
    }
}

fn assert_grows(durable: &[u64]) {
    assert!(durable.is_sorted_by(|a, b| a < b), "{durable:?}");
}

#[test]
fn one_of_two_leads_and_the_other_follows() {
    let Some(nats) = servers(1) else { return };
    let (leader, follower) = pair(&alone(&nats, "pair"));
    let count = 5000;
    for number in 1..=count {
        assert!(leader.execute(number));
    }
    wait_until("all of it is durable", || leader.durable() == count);
    wait_until("the other one has all of it", || {
        follower.state().numbers.len() as u64 == count
    });
    let (led, followed) = (leader.state(), follower.state());
    assert_eq!(followed.numbers, led.numbers);
    assert_grows(&led.durable);
    wait_until("each hears of both how far they are", || {
        let far = BTreeMap::from([(1, count), (2, count)]);
        leader.state().heard == far && follower.state().heard == far
    });
    // What was executed while the log was busy went there together.
    let records = led.durable.len() as u64;
    assert!(records < count / 2, "{records} groups");
    // An idle leader keeps its lease.
    sleep(Duration::from_secs(4));
    assert!(leader.standing().may_answer());
    let standing = follower.standing();
    assert_eq!(standing.status, Status::Following);
    assert!(!standing.may_answer() && standing.has_caught_up);
    let greeting = match leader.standing().status {
        Status::Leading(_) => follower.state().leader,
        other => panic!("the leader is {other:?}"),
    };
    assert!(["node 1", "node 2"].contains(&&*greeting), "{greeting}");
    let (led, followed) = (leader.state(), follower.state());
    assert_eq!((led.led, led.stepped_down), (1, 0));
    assert_eq!((followed.led, followed.durable.len()), (0, 0));
}

#[test]
fn a_leader_that_was_paused_is_fenced_off_and_follows() {
    let Some(nats) = servers(1) else { return };
    let (old, new) = pair(&alone(&nats, "paused"));
    assert!(old.execute(1));
    wait_until("the first one is durable", || old.durable() == 1);
    old.pause();
    assert!(old.execute(2));
    // Its thread is held up, and it does not know yet that it is late.
    wait_until("the other one leads", || new.leads());
    assert!(!old.standing().may_answer(), "two nodes answer");
    assert!(old.execute(3) && old.execute(4));
    assert!(new.standing().may_answer());
    assert!(new.execute(5));
    wait_until("the new one's is durable", || new.durable() == 3);
    old.go_on();
    wait_until("the old one steps down", || old.state().stepped_down == 1);
    wait_until("it follows", || old.state().numbers.len() == 3);
    // What it executed without the lead is nowhere.
    assert_eq!(old.state().numbers, [1, 2, 5]);
    assert_eq!(new.state().numbers, [1, 2, 5]);
    assert_eq!((old.durable(), old.leads()), (2, false));
}

#[test]
fn a_lead_that_is_handed_over_is_taken_at_once() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "handed-over");
    let a = Machine::start(&config, 1);
    wait_until("the first leads", || a.leads());
    let b = Machine::start(&config, 2);
    for number in 1..=100 {
        assert!(a.execute(number));
    }
    // It cannot be handed over to itself.
    a.hand_over(1);
    wait_until("it goes on", || a.state().went_on == 1);
    let begun = Instant::now();
    a.hand_over(2);
    wait_until("the other one leads", || b.leads());
    assert!(begun.elapsed() < Duration::from_secs(1));
    let (a, b) = (a.state(), b.state());
    assert_eq!(a.numbers, b.numbers);
    assert_eq!(a.durable.last(), Some(&100));
    assert_eq!((a.handed_over, a.stepped_down, a.went_on), (1, 0, 1));
}

#[test]
fn when_a_leader_is_gone_another_one_takes_over_and_has_all_that_was_acknowledged() {
    let Some(nats) = servers(1) else { return };
    let (leader, follower) = pair(&alone(&nats, "gone"));
    for number in 1..=1000 {
        assert!(leader.execute(number));
    }
    wait_until("something is durable", || leader.durable() > 0);
    let told = leader.durable();
    let begun = Instant::now();
    drop(leader);
    wait_until("the other one leads", || follower.leads());
    let has = follower.state().numbers.len() as u64;
    assert!(has >= told, "{has} of {told}");
    assert!(follower.execute(2000));
    wait_until("it has appended", || follower.durable() == has + 1);
    let elapsed = begun.elapsed();
    // It waits for a lease and the margin first.
    let patience = Settings::DEFAULT.patience();
    let expected = patience - Settings::DEFAULT.poll * 20..patience + Duration::from_secs(1);
    assert!(expected.contains(&elapsed), "{elapsed:?}");
    let numbers = follower.state().numbers;
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn a_log_that_somebody_else_writes_to_stops_whoever_reads_it() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "foreign");
    let (leader, follower) = pair(&config);
    assert!(leader.execute(1));
    wait_until("it is durable", || leader.durable() == 1);
    run(jetstream(&config, "weir.foreign.log", json!("no record")));
    wait_until("the follower halts", || follower.state().halted.is_some());
    // The leader appends, is refused, and reads what is there.
    wait_until("the leader halts", || leader.state().halted.is_some());
    for machine in [leader, follower] {
        let Some(Halt::Log(stop)) = machine.state().halted else {
            panic!("it halts for another reason");
        };
        assert!(matches!(stop.reason, StopReason::Damaged(_)), "{stop}");
        assert!(stop.seq > Seq(1), "{stop}");
        assert_eq!(machine.standing().status, Status::Ended);
        assert!(!machine.standing().may_answer());
    }
}

#[test]
fn nothing_that_was_acknowledged_is_lost_with_the_server_that_leads_the_stream() {
    let Some(mut nats) = servers(3) else { return };
    let config = on_three(&nats, "lost");
    let (first, second) = pair(&config);
    let machines = [&first, &second];
    let mut executed = 0;
    let mut execute_until = |what: &str, is_so: &dyn Fn(&Machine) -> bool| {
        wait_until(what, || {
            let leader = machines.into_iter().find(|machine| machine.leads());
            leader.is_some_and(|leader| {
                executed += 1;
                leader.execute(executed);
                is_so(leader)
            })
        });
    };
    execute_until("something is durable", &|leader| leader.durable() > 200);
    wait_until("they know who keeps the log", || {
        machines.iter().all(|machine| {
            let keepers = machine.state().servers.keepers;
            let current = keepers.iter().filter(|server| server.is_current);
            keepers.len() == 3 && keepers[0].leads && current.count() == 3
        })
    });
    let lost = run(leader_of(&config, &nats));
    nats.kill(lost).unwrap();
    let before = machines.map(Machine::durable);
    let before = before.into_iter().max().unwrap();
    execute_until("there is more", &|leader| leader.durable() > before + 200);
    // Whoever reads the log from the start finds what was told, once and in its place.
    let third = Machine::start(&config, 3);
    let told = machines.map(Machine::durable);
    let told = told.into_iter().max().unwrap();
    wait_until("a third one has all of it", || {
        third.state().numbers.len() as u64 >= told
    });
    let read = third.state().numbers;
    let is_in_order = read.is_sorted_by(|a, b| a < b);
    assert!(is_in_order, "something is doubled or out of order");
    for machine in machines {
        let state = machine.state();
        assert_grows(&state.durable);
        if state.stepped_down == 0 {
            let durable = usize::try_from(state.durable.last().copied().unwrap_or(0)).unwrap();
            assert_eq!(state.numbers[..durable], read[..durable]);
        }
    }
}
