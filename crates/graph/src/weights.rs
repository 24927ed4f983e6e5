//! The weights of a layer, which may be put in order only when they are first needed: most of those in a
//! classifier's file belong to layers behind the one that is dreamt on.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

/// Numbers whose order is the layer's affair. Clones share them.
#[derive(Clone)]
pub struct Weights {
    len: usize,
    values: Values,
}

#[derive(Clone)]
enum Values {
    Made(Arc<[f32]>),
    Later(Arc<Later>),
}

/// Weights that are made when they are needed.
struct Later {
    values: LazyLock<Arc<[f32]>, Make>,
    /// What they are made from, if that has to be made too.
    from: Option<Weights>,
}

type Make = Box<dyn FnOnce() -> Arc<[f32]> + Send>;

impl Weights {
    /// `len` weights that `make` makes once they are needed.
    pub fn later(len: usize, make: impl FnOnce() -> Arc<[f32]> + Send + 'static) -> Self {
        let values = LazyLock::new(Box::new(make) as Make);
        Self { len, values: Values::Later(Arc::new(Later { values, from: None })) }
    }

    /// `len` weights that `make` makes from these once they are needed.
    pub fn map(self, len: usize, make: impl FnOnce(&[f32]) -> Arc<[f32]> + Send + 'static) -> Self {
        let from = self.clone();
        let values = LazyLock::new(Box::new(move || make(&from)) as Make);
        Self { len, values: Values::Later(Arc::new(Later { values, from: Some(self) })) }
    }

    /// Bytes that are still to be taken until the weights are made, those they are made from included.
    pub fn pending_bytes(&self) -> u64 {
        match &self.values {
            Values::Later(later) if LazyLock::get(&later.values).is_none() => {
                let from = later.from.as_ref().map_or(0, Weights::pending_bytes);
                from + (self.len * size_of::<f32>()) as u64
            }
            _ => 0,
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
    pub fn made(&self) -> Option<&Arc<[f32]>> {
        match &self.values {
            Values::Made(values) => Some(values),
            Values::Later(_) => None,
        }
    }
}

impl Deref for Weights {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.values {
            Values::Made(values) => values,
            Values::Later(later) => &later.values,
        }
    }
}

impl From<Arc<[f32]>> for Weights {
    fn from(values: Arc<[f32]>) -> Self {
        Self { len: values.len(), values: Values::Made(values) }
    }
}

impl From<Vec<f32>> for Weights {
    fn from(values: Vec<f32>) -> Self {
        Arc::<[f32]>::from(values).into()
    }
}

impl FromIterator<f32> for Weights {
    fn from_iter<I: IntoIterator<Item = f32>>(values: I) -> Self {
        values.into_iter().collect::<Arc<[f32]>>().into()
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
    fn weights_are_made_once_and_only_when_needed() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let weights = Weights::later(2, || {
            MADE.fetch_add(1, Ordering::Relaxed);
            [1.0, 2.0].into()
        });
        let other = weights.clone();
        assert!(weights.len() == 2 && !weights.is_empty() && weights.made().is_none());
        assert_eq!(weights.address(), other.address());
        assert_eq!(MADE.load(Ordering::Relaxed), 0);
        assert_eq!((weights[1], &other[..]), (2.0, &[1.0, 2.0][..]));
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_still_to_be_made_is_known() {
        let source = Weights::later(2, || [1.0, 2.0].into());
        let doubled = source.clone().map(2, |from| from.iter().map(|x| 2.0 * x).collect());
        assert_eq!((source.pending_bytes(), doubled.pending_bytes()), (8, 16));
        assert_eq!(source[1], 2.0);
        assert_eq!((source.pending_bytes(), doubled.pending_bytes()), (0, 8));
        assert_eq!((doubled[1], doubled.pending_bytes()), (4.0, 0));
        assert_eq!(Weights::from(vec![1.0]).pending_bytes(), 0);
    }
}
