//! Every order in which the two sides of each protocol can meet. A thread that sleeps for ever
//! makes loom report a deadlock, which fails the test.

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::{Alarm, Answer, Gate, Mailbox};

const NO_PANIC: &str = "no thread of a model panics";

/// A thread's sleep, as a poller's waker or `unpark` ends it: a wake-up that comes early counts.
#[derive(Default)]
struct Sleep {
    woken: Mutex<bool>,
    condition: Condvar,
}

impl Sleep {
    fn wake(&self) {
        *self.woken.lock().expect(NO_PANIC) = true;
        self.condition.notify_one();
    }

    fn sleep(&self) {
        let mut woken = self.woken.lock().expect(NO_PANIC);
        while !*woken {
            woken = self.condition.wait(woken).expect(NO_PANIC);
        }
        *woken = false;
    }
}

fn sleeper() -> (Arc<Sleep>, crate::Wake) {
    let sleep = Arc::new(Sleep::default());
    let woken = Arc::clone(&sleep);
    (sleep, Box::new(move || woken.wake()))
}

#[test]
fn nothing_that_was_left_stays_while_its_thread_sleeps() {
    loom::model(|| {
        let (sleep, wake) = sleeper();
        let mailbox = Arc::new(Mailbox::new(wake));
        let senders = [1, 2].map(|item| {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || mailbox.post(item))
        });
        let mut items = Vec::new();
        while items.len() < 2 {
            sleep.sleep();
            mailbox.collect(&mut items);
        }
        for sender in senders {
            sender.join().unwrap();
        }
        items.sort_unstable();
        assert_eq!(items, [1, 2]);
    });
}

#[test]
fn things_of_one_sender_keep_their_order() {
    loom::model(|| {
        let (sleep, wake) = sleeper();
        let mailbox = Arc::new(Mailbox::new(wake));
        let sender = {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || {
                mailbox.post(1);
                mailbox.post_all(&mut vec![2, 3]);
            })
        };
        let mut items = Vec::new();
        while items.len() < 3 {
            sleep.sleep();
            mailbox.collect(&mut items);
        }
        sender.join().unwrap();
        assert_eq!(items, [1, 2, 3]);
    });
}

#[test]
fn who_sleeps_for_a_release_is_woken_by_it() {
    loom::model(|| {
        let (sleep, wake) = sleeper();
        let gate = Gate::new(wake);
        let releaser = gate.releaser();
        let other = thread::spawn(move || {
            releaser.release(1);
            releaser.release(2);
        });
        while !gate.is_open_for(2) {
            if gate.may_sleep(2) {
                sleep.sleep();
            }
            gate.awake();
        }
        other.join().unwrap();
        assert_eq!(gate.answer(2), Some(Answer::Released));
    });
}

#[test]
fn who_sleeps_for_a_release_learns_that_it_will_not_come() {
    loom::model(|| {
        let (sleep, wake) = sleeper();
        let gate = Gate::new(wake);
        let releaser = gate.releaser();
        let other = thread::spawn(move || {
            releaser.release(1);
            releaser.refuse(true);
        });
        let answer = loop {
            if gate.may_sleep(2) {
                sleep.sleep();
            }
            gate.awake();
            if let Some(answer) = gate.answer(2) {
                break answer;
            }
        };
        other.join().unwrap();
        assert_eq!(answer, Answer::Refused);
    });
}

#[test]
fn a_deadline_that_is_added_during_a_look_is_not_slept_through() {
    const NOW: u64 = 10;
    loom::model(|| {
        let (sleep, wake) = sleeper();
        let alarm = Arc::new(Alarm::default());
        alarm.wakes(wake);
        let deadlines = Arc::new(Mutex::new(Vec::new()));
        let other = {
            let (alarm, deadlines) = (Arc::clone(&alarm), Arc::clone(&deadlines));
            thread::spawn(move || {
                let mut deadlines = deadlines.lock().unwrap();
                deadlines.push(NOW);
                alarm.set_from_outside(NOW);
            })
        };
        let mut done = 0;
        while done < 1 {
            if alarm.at_ms() > NOW {
                sleep.sleep();
                continue;
            }
            alarm.begin_look();
            let mut deadlines = deadlines.lock().unwrap();
            done += deadlines.drain(..).count();
        }
        other.join().unwrap();
    });
}
