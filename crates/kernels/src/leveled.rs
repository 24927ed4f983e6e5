//! Plain loops that are compiled for each CPU level, as the kernels are.
//!
//! They are written in numbers, not in vectors; the compiler makes vectors of them that are as wide as the level's.
//! It changes no operation and no order of a sum for that, so what comes out has the same bytes at all levels.

use crate::{Context, CpuLevel};

/// Work that [`Context::run`] does with the instructions of its level.
pub trait Leveled {
    /// What comes of it.
    type Output;

    /// Does it. Only an `#[inline(always)]` function is compiled with the level's instructions, and of what it calls
    /// only what is inlined as well.
    fn run(self) -> Self::Output;
}

impl Context {
    /// Does `work` with the instructions of the context's level.
    pub fn run<W: Leveled>(&self, work: W) -> W::Output {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn avx512<W: Leveled>(work: W) -> W::Output {
            work.run()
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2<W: Leveled>(work: W) -> W::Output {
            work.run()
        }
        match self.level() {
            // SAFETY: a context never has a level that the processor lacks.
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx512 => unsafe { avx512(work) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx2 => unsafe { avx2(work) },
            _ => work.run(),
        }
    }
}

/// A function with a loop that is compiled for each CPU level: `fn name<'a>(arguments) -> Result { … }`, which is called
/// with a [`Context`] before its arguments. It calls only what is inlined.
#[macro_export]
macro_rules! leveled {
    (
        $(#[$doc:meta])*
        $vis:vis fn $name:ident<$life:lifetime>($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block
    ) => {
        $(#[$doc])*
        $vis fn $name<$life>(cx: &$crate::Context, $($arg: $type),*) $(-> $out)? {
            struct Work<$life> {
                $($arg: $type),*
            }
            impl<$life> $crate::Leveled for Work<$life> {
                type Output = $crate::leveled!(@out $($out)?);

                #[inline(always)]
                fn run(self) -> Self::Output {
                    let Self { $($arg),* } = self;
                    $body
                }
            }
            cx.run(Work { $($arg),* })
        }
    };
    (@out) => { () };
    (@out $out:ty) => { $out };
}

#[cfg(test)]
mod tests {
    use crate::Threads;

    use super::*;

    leveled! {
        fn bent<'a>(values: &'a mut [f32], by: f32) -> f32 {
            for x in values.iter_mut() {
                *x = (*x * by + 1.0).sqrt() / (*x + by);
            }
            values.iter().sum()
        }
    }

    /// A product is not rounded once with the sum behind it, and sums keep their order.
    #[test]
    fn loops_have_the_same_bytes_at_all_levels() {
        let threads = Threads::new(1).expect("one thread");
        let values: Vec<f32> = (0..1003).map(|at| (at as f32 * 0.7).sin() * 50.0 + 50.0).collect();
        let mut found = CpuLevel::available().into_iter().map(|level| {
            let mut values = values.clone();
            let sum = bent(&Context::new(threads.clone(), level), &mut values, 1.1);
            (values.into_iter().map(f32::to_bits).collect::<Vec<_>>(), sum.to_bits())
        });
        let scalar = found.next().expect("there is the scalar level");
        assert!(scalar.0.len() == 1003 && found.all(|other| other == scalar));
    }
}
