//! The weights of a layer, which may be made only while they are needed: most of those in a classifier's file
//! belong to layers behind the one that is dreamt on, and backends keep them in an order of their own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Numbers whose order is the layer's affair. Clones share them.
#[derive(Clone)]
pub struct Weights {
    len: usize,
    values: Values,
}

#[derive(Clone)]
enum Values {
    Made(Arc<Vec<f32>>),
    Later(Arc<Later>),
}

/// Weights that are made when they are needed, and kept as long as anybody holds them.
struct Later {
    make: Make,
    /// Of a vector and not of a slice, whose memory a weak pointer would keep.
    made: Mutex<Weak<Vec<f32>>>,
    /// What they are made from, if that has to be made too.
    from: Option<Weights>,
}

type Make = Box<dyn Fn() -> Result<Vec<f32>, Unread> + Send + Sync>;

/// Why weights cannot be had: what became of the file that they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread(pub String);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unread {}

impl Weights {
    /// `len` weights that `make` makes whenever they are needed, the same each time.
    pub fn later(
        len: usize,
        make: impl Fn() -> Result<Vec<f32>, Unread> + Send + Sync + 'static,
    ) -> Self {
        Self::made_by(len, Box::new(make), None)
    }

    /// `len` weights that `make` makes from these whenever they are needed.
    pub fn map(
        self,
        len: usize,
        make: impl Fn(&[f32]) -> Vec<f32> + Send + Sync + 'static,
    ) -> Self {
        let from = self.clone();
        Self::made_by(len, Box::new(move || from.get().map(|from| make(&from))), Some(self))
    }

    fn made_by(len: usize, make: Make, from: Option<Weights>) -> Self {
        let later = Later { make, made: Mutex::default(), from };
        Self { len, values: Values::Later(Arc::new(later)) }
    }

    /// The weights themselves. Those that are made later are made again once nobody holds them.
    ///
    /// # Errors
    /// If the file that they are in cannot be read any more, or is another by now.
    pub fn get(&self) -> Result<Arc<Vec<f32>>, Unread> {
        let later = match &self.values {
            Values::Made(values) => return Ok(Arc::clone(values)),
            Values::Later(later) => later,
        };
        let mut made = later.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(values) = made.upgrade() {
            return Ok(values);
        }
        let values = Arc::new((later.make)()?);
        *made = Arc::downgrade(&values);
        Ok(values)
    }

    /// The weights, which whoever runs an operation by its definition holds.
    ///
    /// # Panics
    /// If they cannot be read.
    pub(crate) fn held(&self) -> Arc<Vec<f32>> {
        self.get().expect("who runs the operation holds its weights")
    }

    /// Bytes that [`Self::get`] takes while the weights are held, those they are made from included.
    pub fn pending_bytes(&self) -> u64 {
        match &self.values {
            Values::Later(later) => {
                let from = later.from.as_ref().map_or(0, Weights::pending_bytes);
                from + (self.len * size_of::<f32>()) as u64
            }
            Values::Made(_) => 0,
        }
    }

    /// How many there are, which needs none of them.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What only clones have in common, and needs none of the weights either.
    pub fn address(&self) -> *const f32 {
        match &self.values {
            Values::Made(values) => values.as_ptr(),
            Values::Later(later) => Arc::as_ptr(later).cast(),
        }
    }

    /// The weights themselves, unless they are to be made later.
    pub fn made(&self) -> Option<&Arc<Vec<f32>>> {
        match &self.values {
            Values::Made(values) => Some(values),
            Values::Later(_) => None,
        }
    }
}

impl From<Vec<f32>> for Weights {
    fn from(values: Vec<f32>) -> Self {
        Self { len: values.len(), values: Values::Made(values.into()) }
    }
}

impl FromIterator<f32> for Weights {
    fn from_iter<I: IntoIterator<Item = f32>>(values: I) -> Self {
        values.into_iter().collect::<Vec<f32>>().into()
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} weights", self.len)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn weights_are_made_only_when_needed_and_kept_while_they_are_held() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let made = || MADE.load(Ordering::Relaxed);
        let weights = Weights::later(2, || {
            MADE.fetch_add(1, Ordering::Relaxed);
            Ok([1.0, 2.0].into())
        });
        let other = weights.clone();
        assert!(weights.len() == 2 && !weights.is_empty() && weights.made().is_none());
        assert_eq!((weights.address(), made()), (other.address(), 0));
        let held = weights.get().unwrap();
        assert_eq!((&held[..], other.get(), made()), (&[1.0, 2.0][..], Ok(held.clone()), 1));
        drop(held);
        assert_eq!((other.get().unwrap()[1], made()), (2.0, 2));
    }

    #[test]
    fn what_making_them_takes_is_known() {
        let source = Weights::later(2, || Ok([1.0, 2.0].into()));
        let doubled = source.clone().map(2, |from| from.iter().map(|x| 2.0 * x).collect());
        assert_eq!((source.pending_bytes(), doubled.pending_bytes()), (8, 16));
        assert_eq!(doubled.get().unwrap()[1], 4.0);
        assert_eq!(Weights::from(vec![1.0]).pending_bytes(), 0);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_of_all_that_is_made_from_it() {
        let lost = Unread("it is gone".into());
        let (source, said) = (lost.clone(), lost.clone());
        let source = Weights::later(1, move || Err(source.clone()));
        assert_eq!(source.get(), Err(said));
        assert_eq!(source.map(1, |from| from.into()).get(), Err(lost));
    }
}
