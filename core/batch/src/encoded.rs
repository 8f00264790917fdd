//! Encoded batches: bytes, and between them large arguments that others have too.
//!
//! A large argument of a request is not copied on its way to a log: the log refers to it, and
//! writes it from where it is. So what is copied while a shard is held does not depend on how large
//! values are.

use triomphe::Arc;

/// The bytes of batches, in order.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    /// Bytes that were copied; the shared ones are not among them.
    own: Vec<u8>,
    /// In the order of their places.
    shared: Vec<Shared>,
    shared_bytes: usize,
}

/// A large argument, and its place.
#[derive(Clone, Debug)]
struct Shared {
    /// The number of own bytes before it.
    at: usize,
    bytes: Arc<Vec<u8>>,
}

impl Encoded {
    /// Returns how many bytes there are, shared ones included.
    #[inline]
    pub fn len(&self) -> usize {
        self.own.len() + self.shared_bytes
    }

    /// Returns whether there are no bytes.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many of the bytes are copies.
    #[inline]
    pub fn own_len(&self) -> usize {
        self.own.len()
    }

    /// Returns how many own bytes there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.own.capacity()
    }

    /// Adds a copy of these bytes.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
    }

    /// Adds these bytes without copying them.
    pub fn push_shared(&mut self, bytes: Arc<Vec<u8>>) {
        if bytes.is_empty() {
            return;
        }
        self.shared_bytes += bytes.len();
        let at = self.own.len();
        self.shared.push(Shared { at, bytes });
    }

    /// Puts a copy of these bytes between what was added before and after there were `start` own
    /// bytes. What was added next then were own bytes, too.
    pub fn insert(&mut self, start: usize, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
        self.own[start..].rotate_right(bytes.len());
        let behind = self.shared.iter_mut().rev();
        for shared in behind.take_while(|shared| shared.at > start) {
            shared.at += bytes.len();
        }
    }

    /// Adds everything that `other` has, which is empty afterwards. Only own bytes are copied.
    pub fn append(&mut self, other: &mut Encoded) {
        let before = self.own.len();
        self.own.extend_from_slice(&other.own);
        self.shared_bytes += other.shared_bytes;
        let moved = other.shared.drain(..).map(|shared| Shared {
            at: before + shared.at,
            ..shared
        });
        self.shared.extend(moved);
        other.clear();
    }

    /// Removes everything, and keeps the room for own bytes.
    pub fn clear(&mut self) {
        self.own.clear();
        self.shared.clear();
        self.shared_bytes = 0;
    }

    /// Takes away the first `len` bytes, or all if there are fewer. If the last of them are in the
    /// midst of shared ones, those are copied.
    #[must_use]
    pub fn split_front(&mut self, len: usize) -> Encoded {
        if len >= self.len() {
            return std::mem::take(self);
        }
        if len == 0 {
            return Encoded::default();
        }
        let mut front = Encoded::default();
        let mut rest = Encoded::default();
        for slice in self.places() {
            let missing = len - front.len();
            match slice {
                Place::Shared(bytes) if bytes.len() <= missing => front.push_shared(bytes.clone()),
                Place::Shared(bytes) if missing == 0 => rest.push_shared(bytes.clone()),
                Place::Own(_) | Place::Shared(_) => {
                    let bytes = slice.bytes();
                    let (first, then) = bytes.split_at(missing.min(bytes.len()));
                    front.push(first);
                    rest.push(then);
                }
            }
        }
        *self = rest;
        front
    }

    /// Takes away the first `own` own bytes, and the shared ones between them.
    #[must_use]
    pub fn split_front_own(&mut self, own: usize) -> Encoded {
        let shared = self.shared.iter().take_while(|shared| shared.at < own);
        let shared: usize = shared.map(|shared| shared.bytes.len()).sum();
        self.split_front(own + shared)
    }

    /// The bytes, piece by piece.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.places().map(Place::bytes)
    }

    /// All bytes in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.slices()
            .for_each(|slice| bytes.extend_from_slice(slice));
        bytes
    }

    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let mut begin = 0;
        let mut shared = self.shared.iter().peekable();
        std::iter::from_fn(move || {
            let end = shared.peek().map_or(self.own.len(), |next| next.at);
            if begin < end {
                let own = &self.own[begin..end];
                begin = end;
                return Some(Place::Own(own));
            }
            Some(Place::Shared(&shared.next()?.bytes))
        })
    }
}

/// A piece of the bytes.
#[derive(Clone, Copy)]
enum Place<'a> {
    Own(&'a [u8]),
    Shared(&'a Arc<Vec<u8>>),
}

impl<'a> Place<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Place::Own(bytes) => bytes,
            Place::Shared(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Encoded {
    fn from(own: Vec<u8>) -> Encoded {
        Encoded {
            own,
            ..Encoded::default()
        }
    }
}

/// Equal if the bytes are, wherever they are kept.
impl PartialEq for Encoded {
    fn eq(&self, other: &Encoded) -> bool {
        self.to_vec() == other.to_vec()
    }
}

impl Eq for Encoded {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(Vec<u8>),
        Share(Vec<u8>),
        Insert(Vec<u8>),
        Begin,
        Append(Vec<(bool, Vec<u8>)>),
        SplitFront(usize),
        Clear,
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..6)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => bytes().prop_map(Step::Push),
            3 => bytes().prop_map(Step::Share),
            2 => bytes().prop_map(Step::Insert),
            2 => Just(Step::Begin),
            1 => prop::collection::vec((any::<bool>(), bytes()), 0..4).prop_map(Step::Append),
            2 => (0..12usize).prop_map(Step::SplitFront),
            1 => Just(Step::Clear),
        ]
    }

    fn add(to: &mut Encoded, is_shared: bool, bytes: Vec<u8>) {
        match is_shared {
            true => to.push_shared(Arc::new(bytes)),
            false => to.push(&bytes),
        }
    }

    proptest! {
        #[test]
        fn bytes_are_as_if_none_were_shared(steps in prop::collection::vec(step(), 0..24)) {
            let (mut encoded, mut plain) = (Encoded::default(), Vec::new());
            // Where the last batch begins: in own bytes, and in all.
            let mut begin = (0, 0);
            for step in steps {
                match step {
                    Step::Push(bytes) => {
                        plain.extend(&bytes);
                        encoded.push(&bytes);
                    }
                    Step::Share(bytes) => {
                        // A batch begins with own bytes.
                        plain.push(b'$');
                        encoded.push(b"$");
                        plain.extend(&bytes);
                        add(&mut encoded, true, bytes);
                    }
                    Step::Insert(bytes) => {
                        encoded.insert(begin.0, &bytes);
                        plain.splice(begin.1..begin.1, bytes);
                    }
                    Step::Begin => {
                        plain.push(b'\n');
                        encoded.push(b"\n");
                        begin = (encoded.own_len(), plain.len());
                    }
                    Step::Append(parts) => {
                        // As a batch, it begins with own bytes.
                        let mut other = Encoded::from(b"*".to_vec());
                        plain.push(b'*');
                        for (is_shared, bytes) in parts {
                            plain.extend(&bytes);
                            add(&mut other, is_shared, bytes);
                        }
                        encoded.append(&mut other);
                        prop_assert!(other.is_empty());
                    }
                    Step::SplitFront(len) => {
                        let front = encoded.split_front(len);
                        let rest = plain.split_off(len.min(plain.len()));
                        prop_assert_eq!(front.to_vec(), plain);
                        plain = rest;
                        begin = (encoded.own_len(), plain.len());
                    }
                    Step::Clear => {
                        encoded.clear();
                        plain.clear();
                        begin = (0, 0);
                    }
                }
                prop_assert_eq!(encoded.len(), plain.len());
                prop_assert_eq!(encoded.is_empty(), plain.is_empty());
                prop_assert_eq!(encoded.to_vec(), &*plain);
                prop_assert!(encoded.slices().all(|slice| !slice.is_empty()));
            }
        }
    }

    #[test]
    fn shared_bytes_are_not_copied() {
        let large = Arc::new(vec![b'v'; 1 << 20]);
        let mut encoded = Encoded::default();
        encoded.push(b"before");
        encoded.push_shared(large.clone());
        encoded.push(b"after");
        assert_eq!((encoded.len(), encoded.own_len()), ((1 << 20) + 11, 11));
        let mut all = Encoded::from(b"first".to_vec());
        all.append(&mut encoded);
        all.insert(5, b"MULTI");
        let is_shared = |slice: &[u8]| std::ptr::eq(slice, large.as_slice());
        assert_eq!(all.slices().filter(|slice| is_shared(slice)).count(), 1);
        let front = all.split_front(5 + 5 + 6 + (1 << 20));
        assert_eq!(front.slices().filter(|slice| is_shared(slice)).count(), 1);
        assert_eq!(all.to_vec(), b"after");
    }
}
