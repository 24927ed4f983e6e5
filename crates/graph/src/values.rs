//! Where the numbers of a tensor lie: in memory, or in a scratch file where pictures are larger than that.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A tensor's numbers, which are a slice wherever they lie. Clones lie where the original does.
pub struct Values {
    kept: Kept,
    storage: Storage,
}

enum Kept {
    Memory(Vec<f32>),
    Scratch(Box<dyn Stored>),
}

/// Numbers that lie elsewhere than in a vector, and are owned as one's are.
pub trait Stored: AsRef<[f32]> + AsMut<[f32]> + Send + Sync {}

/// A place outside the memory where numbers lie while they are worked on.
pub trait Scratch: Send + Sync {
    /// `len` zeros; `None` if they are to lie in memory, since they are few or, as [`Self::failure`] tells, cannot
    /// be had.
    fn zeros(&self, len: usize) -> Option<Box<dyn Stored>>;

    /// What became of numbers that could not be had.
    fn failure(&self) -> Option<String>;

    /// Hears that so many bytes of what lies there have just been touched by somebody who holds them as a slice, so
    /// that whoever keeps the process within its memory can let them go before there are too many.
    fn touched(&self, bytes: usize);

    /// How many bytes there is room for.
    fn room(&self) -> u64;

    /// What people call it: its folder.
    fn place(&self) -> String;
}

/// Numbers that are copied before whoever keeps the process within its memory hears of it.
const COPIED: usize = 1 << 18;

/// Where new numbers are to lie. Default: in memory.
#[derive(Clone, Default)]
pub struct Storage(Option<Arc<dyn Scratch>>);

impl Storage {
    /// A place outside the memory.
    pub fn scratch(scratch: Arc<dyn Scratch>) -> Self {
        Self(Some(scratch))
    }

    /// The place, if it is outside the memory.
    pub fn as_scratch(&self) -> Option<&dyn Scratch> {
        self.0.as_deref()
    }

    /// How many bytes the system may bring into the memory around a number that is touched in a file.
    pub const AROUND: usize = 64 << 10;

    /// Tells whoever keeps the process within its memory of `bytes` that have just been touched there.
    pub fn touched(&self, bytes: usize) {
        if let Some(scratch) = &self.0 {
            scratch.touched(bytes);
        }
    }

    /// As [`Self::touched`], of so many `places` that lie `apart` bytes from each other, of each of which little is
    /// used.
    pub fn touched_apart(&self, places: usize, apart: usize) {
        self.touched(places.saturating_mul(apart.min(Self::AROUND)));
    }

    /// `len` zeros that lie there.
    pub fn zeros(&self, len: usize) -> Values {
        let stored = self.0.as_ref().and_then(|scratch| scratch.zeros(len));
        let kept = stored.map_or_else(|| Kept::Memory(vec![0.0; len]), Kept::Scratch);
        Values { kept, storage: self.clone() }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "scratch" } else { "memory" })
    }
}

impl Values {
    /// Where they lie, and what is made of them is to lie.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The same, which stay where they are; what is made of them is to lie in `storage`.
    #[must_use]
    pub fn of_storage(self, storage: &Storage) -> Self {
        Self { storage: storage.clone(), ..self }
    }

    /// The same in a vector.
    pub fn into_vec(self) -> Vec<f32> {
        match self.kept {
            Kept::Memory(values) => values,
            Kept::Scratch(stored) => (*stored).as_ref().to_vec(),
        }
    }
}

impl Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.kept {
            Kept::Memory(values) => values,
            Kept::Scratch(stored) => (**stored).as_ref(),
        }
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.kept {
            Kept::Memory(values) => values,
            Kept::Scratch(stored) => (**stored).as_mut(),
        }
    }
}

impl Clone for Values {
    fn clone(&self) -> Self {
        let mut clone = match &self.kept {
            Kept::Memory(values) => return Self::from(values.clone()).of_storage(&self.storage),
            Kept::Scratch(_) => self.storage.zeros(self.len()),
        };
        for (to, from) in clone.chunks_mut(COPIED).zip(self.chunks(COPIED)) {
            to.copy_from_slice(from);
            self.storage.touched(2 * size_of_val(from));
        }
        clone
    }
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self { kept: Kept::Memory(values), storage: Storage::default() }
    }
}

impl FromIterator<f32> for Values {
    fn from_iter<I: IntoIterator<Item = f32>>(values: I) -> Self {
        Vec::from_iter(values).into()
    }
}

impl<'a> IntoIterator for &'a Values {
    type Item = &'a f32;
    type IntoIter = std::slice::Iter<'a, f32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Values {
    type Item = &'a mut f32;
    type IntoIter = std::slice::IterMut<'a, f32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl PartialEq<[f32]> for Values {
    fn eq(&self, other: &[f32]) -> bool {
        **self == *other
    }
}

impl<const N: usize> PartialEq<[f32; N]> for Values {
    fn eq(&self, other: &[f32; N]) -> bool {
        **self == *other
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Takes two requests of more than two numbers.
    struct Two(AtomicUsize);

    struct Shelf(Vec<f32>);

    impl AsRef<[f32]> for Shelf {
        fn as_ref(&self) -> &[f32] {
            &self.0
        }
    }

    impl AsMut<[f32]> for Shelf {
        fn as_mut(&mut self) -> &mut [f32] {
            &mut self.0
        }
    }

    impl Stored for Shelf {}

    impl Scratch for Two {
        fn zeros(&self, len: usize) -> Option<Box<dyn Stored>> {
            let fits = len > 2 && self.0.fetch_add(1, Ordering::Relaxed) < 2;
            fits.then(|| Box::new(Shelf(vec![0.0; len])) as Box<dyn Stored>)
        }

        fn failure(&self) -> Option<String> {
            (self.0.load(Ordering::Relaxed) > 2).then(|| "full".into())
        }

        fn touched(&self, _: usize) {}

        fn room(&self) -> u64 {
            0
        }

        fn place(&self) -> String {
            String::new()
        }
    }

    #[test]
    fn values_are_the_same_wherever_they_lie_and_their_clones_lie_with_them() {
        let scratch = Arc::new(Two(AtomicUsize::new(0)));
        let storage = Storage::scratch(Arc::clone(&scratch) as Arc<dyn Scratch>);
        let mut values = storage.zeros(3);
        values[1] = 2.0;
        let clone = values.clone();
        assert_eq!(clone, [0.0, 2.0, 0.0]);
        assert!(matches!(clone.kept, Kept::Scratch(_)));
        // What is small lies in memory, and what is made of it need not.
        let small = clone.storage().zeros(2);
        assert!(matches!(small.kept, Kept::Memory(_)) && small.storage().as_scratch().is_some());
        assert!(scratch.failure().is_none());
        let third = clone.clone();
        assert_eq!((&third, scratch.failure().as_deref()), (&clone, Some("full")));
        assert!(matches!(third.kept, Kept::Memory(_)));
        assert_eq!(clone.into_vec(), third.into_vec());
    }
}
