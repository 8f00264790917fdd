//! Sessions that clients may resume, up to a number, for a time, and within a bound in bytes.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::server::StoresServerSessions;

use crate::limits::TLS_SESSIONS_BYTES_MAX;

/// Sessions that clients may resume.
#[derive(Debug)]
pub(super) struct Sessions {
    sessions_max: usize,
    timeout: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<Vec<u8>, Session>,
    /// Their keys, the oldest first, with when they were kept. A key may be there without its
    /// session.
    by_age: VecDeque<(Instant, Vec<u8>)>,
    /// Of keys and sessions together.
    bytes: usize,
}

#[derive(Debug)]
struct Session {
    at: Instant,
    value: Vec<u8>,
}

/// What a session takes beside its key, which is there twice, and its value.
const OVERHEAD_BYTES: usize = 128;

/// What a key takes that is kept by age.
fn size(key: &[u8]) -> usize {
    OVERHEAD_BYTES + 2 * key.len()
}

impl Sessions {
    /// None yet; 0 of `sessions_max` stands for no bound but that in bytes.
    pub(super) fn new(sessions_max: usize, timeout: Duration) -> Sessions {
        Sessions {
            sessions_max: match sessions_max {
                0 => usize::MAX,
                some => some,
            },
            timeout,
            kept: Mutex::default(),
        }
    }

    fn is_valid(&self, at: Instant, now: Instant) -> bool {
        now.saturating_duration_since(at) < self.timeout
    }

    fn put_at(&self, key: Vec<u8>, value: Vec<u8>, now: Instant) -> bool {
        let added = size(&key) + value.len();
        if added > TLS_SESSIONS_BYTES_MAX {
            return false;
        }
        let mut kept = self.kept.lock();
        while let Some((at, _)) = kept.by_age.front()
            && (!self.is_valid(*at, now)
                || kept.by_age.len() >= self.sessions_max
                || kept.bytes + added > TLS_SESSIONS_BYTES_MAX)
        {
            kept.forget_oldest();
        }
        kept.bytes += added;
        kept.by_age.push_back((now, key.clone()));
        if let Some(replaced) = kept.by_key.insert(key, Session { at: now, value }) {
            kept.bytes -= replaced.value.len();
        }
        true
    }

    fn get_at(&self, key: &[u8], now: Instant) -> Option<Vec<u8>> {
        let kept = self.kept.lock();
        let session = kept.by_key.get(key)?;
        self.is_valid(session.at, now)
            .then(|| session.value.clone())
    }

    fn take_at(&self, key: &[u8], now: Instant) -> Option<Vec<u8>> {
        let mut kept = self.kept.lock();
        let session = kept.by_key.remove(key)?;
        kept.bytes -= session.value.len();
        self.is_valid(session.at, now).then_some(session.value)
    }
}

impl Kept {
    fn forget_oldest(&mut self) {
        let Some((at, key)) = self.by_age.pop_front() else {
            return;
        };
        self.bytes -= size(&key);
        // It may have been kept again since.
        if self
            .by_key
            .get(&key)
            .is_some_and(|session| session.at == at)
            && let Some(session) = self.by_key.remove(&key)
        {
            self.bytes -= session.value.len();
        }
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.put_at(key, value, Instant::now())
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.get_at(key, Instant::now())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.take_at(key, Instant::now())
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_session_is_kept_for_its_time_and_taken_once() {
        let (sessions, now) = (Sessions::new(10, SECOND * 300), Instant::now());
        assert!(sessions.put_at(b"a".to_vec(), b"one".to_vec(), now));
        assert_eq!(sessions.get_at(b"a", now + SECOND * 299).unwrap(), b"one");
        assert_eq!(sessions.get_at(b"a", now + SECOND * 300), None);
        assert_eq!(sessions.take_at(b"a", now).unwrap(), b"one");
        assert_eq!(sessions.take_at(b"a", now), None);
    }

    #[test]
    fn the_oldest_give_way_by_number_and_by_bytes_whatever_was_taken_meanwhile() {
        let (sessions, now) = (Sessions::new(3, SECOND), Instant::now());
        for key in 0..100_u8 {
            sessions.put_at(vec![key], vec![key], now);
            if key % 2 == 0 {
                sessions.take_at(&[key], now);
            }
        }
        assert_eq!(sessions.kept.lock().by_age.len(), 3);
        assert_eq!(sessions.get_at(&[99], now), Some(vec![99]));
        assert_eq!(sessions.get_at(&[95], now), None);

        let sessions = Sessions::new(0, SECOND);
        const LARGE: usize = 1 << 20;
        for key in 0..100_u8 {
            assert!(sessions.put_at(vec![key], vec![0; LARGE], now));
            assert!(sessions.kept.lock().bytes <= TLS_SESSIONS_BYTES_MAX);
        }
        assert_eq!(sessions.kept.lock().by_key.len(), 31);
        assert!(!sessions.put_at(vec![1], vec![0; TLS_SESSIONS_BYTES_MAX], now));
        let later = now + SECOND;
        assert!(sessions.put_at(vec![1], vec![1], later));
        assert_eq!(sessions.kept.lock().bytes, size(&[1]) + 1);
    }
}
