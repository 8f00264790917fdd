//! The sizes of small memory that an allocator gives: what asks for a little less gets as much.

/// Up to this size, memory is not worth a head that says how long it is or who shares it.
pub(crate) const SMALL_BYTES_MAX: usize = 128;

/// Hands the sizes up to [`SMALL_BYTES_MAX`] to a macro, each with the name of its variant.
macro_rules! small_sizes {
    ($with:ident) => {
        $with! {
            Of16: 16,
            Of32: 32,
            Of48: 48,
            Of64: 64,
            Of80: 80,
            Of96: 96,
            Of112: 112,
            Of128: 128,
        }
    };
}

pub(crate) use small_sizes;
