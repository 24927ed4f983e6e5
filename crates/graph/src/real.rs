//! The number types in which operations can be computed by definition.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Send
    + Sync
    + 'static
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + Sum
{
    /// From `f32`, exactly.
    fn of(value: f32) -> Self;
    /// To `f32`, rounded.
    fn to_f32(self) -> f32;
    /// From `f64`, rounded.
    fn from_f64(value: f64) -> Self;
    /// To `f64`, exactly.
    fn to_f64(self) -> f64;
    /// `self` to the power of `exponent`.
    fn pow(self, exponent: Self) -> Self;
    /// e to the power of `self`.
    fn exp(self) -> Self;
}

macro_rules! real {
    ($type:ty) => {
        impl Real for $type {
            fn of(value: f32) -> Self {
                value.into()
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn pow(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            fn exp(self) -> Self {
                self.exp()
            }
        }
    };
}
real!(f32);
real!(f64);
