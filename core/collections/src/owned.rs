//! Changing what may be shared.

use triomphe::Arc;

/// Returns what an [`Arc`] holds, to be changed; if it is shared, a copy takes its place first.
/// [`Arc::make_mut`] does the same, but here the copy is out of the way of the many callers that
/// change what nobody shares.
#[inline]
pub fn owned<T: Clone>(shared: &mut Arc<T>) -> &mut T {
    if !shared.is_unique() {
        copy(shared);
    }
    Arc::get_mut(shared).expect("it was not shared, or was just made")
}

#[cold]
#[inline(never)]
fn copy<T: Clone>(shared: &mut Arc<T>) {
    *shared = Arc::new(T::clone(shared));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_copied_and_what_is_not_stays_where_it_is() {
        let mut one = Arc::new(vec![1]);
        let place = Arc::as_ptr(&one);
        owned(&mut one).push(2);
        assert_eq!(Arc::as_ptr(&one), place);
        let other = one.clone();
        owned(&mut one).push(3);
        assert_eq!((&**one, &**other), (&[1, 2, 3][..], &[1, 2][..]));
    }
}
