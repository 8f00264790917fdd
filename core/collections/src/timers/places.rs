//! Numbered places for small things that come and go.
//!
//! Places are in chunks, so that a new one never moves the others, and a chunk that holds nothing
//! takes no memory.

/// How many places a chunk has.
const CHUNK_LEN: u32 = u64::BITS;

/// Places, some of which are taken.
#[derive(Clone, Debug)]
pub(super) struct Places<T> {
    chunks: Vec<Chunk<T>>,
    /// The chunks that have a free place.
    spacious: Vec<u32>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Chunk<T> {
    /// Which places are free.
    free: u64,
    /// The places up to the last one that was ever taken.
    places: Vec<T>,
}

impl<T: Copy> Places<T> {
    pub(super) const fn new() -> Self {
        Places {
            chunks: Vec::new(),
            spacious: Vec::new(),
            len: 0,
        }
    }

    /// How many are taken.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes a place. Returns its number.
    pub(super) fn take(&mut self, content: T) -> u32 {
        let index = match self.spacious.last() {
            Some(index) => *index,
            None => self.add_chunk(),
        };
        let chunk = &mut self.chunks[index as usize];
        let place = chunk.free.trailing_zeros();
        chunk.free &= chunk.free - 1;
        match chunk.places.get_mut(place as usize) {
            Some(free) => *free = content,
            None => {
                if chunk.places.is_empty() {
                    chunk.places.reserve_exact(CHUNK_LEN as usize);
                }
                chunk.places.push(content);
            }
        }
        if chunk.free == 0 {
            self.spacious.pop();
        }
        self.len += 1;
        index * CHUNK_LEN + place
    }

    #[cold]
    fn add_chunk(&mut self) -> u32 {
        let index = self.chunks.len() as u32;
        self.chunks.push(Chunk {
            free: u64::MAX,
            places: Vec::new(),
        });
        self.spacious.push(index);
        index
    }

    /// Frees a place that is taken.
    pub(super) fn give_back(&mut self, place: u32) {
        self.len -= 1;
        if self.len == 0 {
            *self = Places::new();
            return;
        }
        let index = place / CHUNK_LEN;
        let chunk = &mut self.chunks[index as usize];
        if chunk.free == 0 {
            self.spacious.push(index);
        }
        chunk.free |= 1 << (place % CHUNK_LEN);
        if chunk.free == u64::MAX {
            chunk.places = Vec::new();
        }
    }

    /// What is in a place that is taken.
    #[inline]
    pub(super) fn get(&self, place: u32) -> &T {
        let chunk = &self.chunks[(place / CHUNK_LEN) as usize];
        &chunk.places[(place % CHUNK_LEN) as usize]
    }

    /// The same, to be changed.
    #[inline]
    pub(super) fn get_mut(&mut self, place: u32) -> &mut T {
        let chunk = &mut self.chunks[(place / CHUNK_LEN) as usize];
        &mut chunk.places[(place % CHUNK_LEN) as usize]
    }

    /// All that is in places, with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.chunks).flat_map(|(index, chunk)| {
            let places = (0..).zip(&chunk.places);
            let taken = places.filter(|(place, _)| chunk.free & (1 << place) == 0);
            taken.map(move |(place, content)| (index * CHUNK_LEN + place, content))
        })
    }

    /// How many places have memory.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks
            .iter()
            .map(|chunk| chunk.places.capacity())
            .sum()
    }
}
